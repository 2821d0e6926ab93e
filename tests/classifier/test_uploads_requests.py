"""Whatever a request looks like, it is answered with a code of the contract, never with a 500."""

import pytest

from classifier.models import Prediction
from tests.hostile_requests import REQUESTS, send
from tests.photos import photo_upload

STATUS = {
    **dict.fromkeys(("missing_image", "empty_file", "broken_image", "invalid"), 400),
    **{"too_many_images": 400, "too_large": 413, "unsupported_format": 415},
}
PREDICT = [(name, make, code) for name, (make, code, _) in REQUESTS.items()]
BATCH = [(name, make, code) for name, (make, _, code) in REQUESTS.items()]


def named(cases):
    return [pytest.param(*case[1:], id=case[0]) for case in cases]


def assert_is_refused(response, code):
    body = response.json()
    assert (response.status_code, body["code"]) == (STATUS[code], code), body
    assert set(body) == {"code", "detail", "field"}
    assert not Prediction.objects.exists()


@pytest.mark.parametrize(("make", "code"), named(PREDICT))
def test_one_photo_is_answered_or_refused_with_a_code(client, engine, make, code):
    (args, kwargs) = make()

    response = send(client, "/api/predict", *args, **kwargs)

    if code:
        assert_is_refused(response, code)
    else:
        assert response.status_code == 201
        assert response.json()["answer"] == "cat"


@pytest.mark.parametrize(("make", "code"), named(BATCH))
def test_a_batch_is_answered_or_refused_with_a_code(client, engine, make, code):
    (args, kwargs) = make()

    response = send(client, "/api/predict/batch", *args, **kwargs)

    if isinstance(code, str):
        assert_is_refused(response, code)
    else:
        codes = [result.get("code") for result in response.json()["results"]]
        assert response.status_code == 200
        assert set(codes) == set(code or [None])


@pytest.mark.parametrize("make", [make for make, *_ in REQUESTS.values()], ids=list(REQUESTS))
def test_the_page_says_what_was_wrong(client, engine, make):
    (args, kwargs) = make()

    response = send(client, "/classify/", *args, **kwargs)

    # Its field has another name: there is never a photo in it.
    assert response.status_code in (400, 422)
    assert not Prediction.objects.exists()


def test_a_server_without_memory_says_so_and_lives_on(client, engine, monkeypatch):
    def no_room(data, *, max_pixels):
        raise MemoryError

    with monkeypatch.context() as full:
        full.setattr("classifier.uploads.decode_photo", no_room)
        response = client.post("/api/predict", {"image": photo_upload()})
        page = client.post("/classify/", {"photo": photo_upload()})

    assert (response.status_code, response.json()["code"]) == (503, "overloaded")
    assert response["Retry-After"]
    assert page.status_code == 422 and "no memory" in page.text
    assert client.post("/api/predict", {"image": photo_upload()}).status_code == 201
