"""Each request has an id, which its answer and its lines in the log name."""

import uuid

import pytest

from tests.photos import photo_upload


def refuse(*args, **kwargs):
    raise RuntimeError("nobody foresaw this")


def test_an_answer_names_the_id_that_was_made(client, engine):
    first, second = client.get("/")["X-Request-ID"], client.get("/")["X-Request-ID"]

    assert uuid.UUID(first).version == 7
    assert first != second


@pytest.mark.parametrize(
    "sent", ["abc", "0199f3c2-6c1e-7cc3-b7b1-0f4c5d2f7a10", "A.b_c-9", "x" * 64]
)
def test_a_sane_id_is_taken_over(client, engine, sent):
    assert client.get("/", headers={"X-Request-ID": sent})["X-Request-ID"] == sent


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "x" * 65,
        "x" * 10_000,
        "two\nlines",
        "end\n",
        "end\r\nSet-Cookie: a=b",
        "a space",
        '{"json"}',
        "<script>",
        "katze\u00e9",
        "\x00",
    ],
)
def test_any_other_is_replaced(client, engine, sent):
    answered = client.get("/", headers={"X-Request-ID": sent})["X-Request-ID"]

    assert uuid.UUID(answered).version == 7


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("post", "/api/predict", 400),
        ("get", "/api/nothing", 404),
        ("get", "/api/predict", 405),
        ("get", "/api/models/nothing", 404),
    ],
)
def test_an_error_of_the_api_names_its_id(client, engine, method, path, status):
    response = getattr(client, method)(path, headers={"X-Request-ID": "mine"})

    assert response.status_code == status
    assert list(response.json()) == ["code", "detail", "field"]
    assert response["X-Request-ID"] == "mine"


def test_what_nobody_foresaw_is_an_error_of_the_api_as_well(client, engine, monkeypatch):
    monkeypatch.setattr("classifier.api.predict.classify_photo", refuse)
    client.raise_request_exception = False

    response = client.post(
        "/api/predict", {"image": photo_upload()}, headers={"X-Request-ID": "mine"}
    )

    assert response.status_code == 500
    assert response.json()["code"] == "internal_error"
    assert response["X-Request-ID"] == "mine"
    assert "foresaw" not in response.text


def test_an_error_page_names_it(client, engine, monkeypatch):
    monkeypatch.setattr("classifier.views.PhotoForm", refuse)
    client.raise_request_exception = False

    for path, status in (("/", 500), ("/nothing", 404)):
        response = client.get(path, headers={"X-Request-ID": "mine"})

        assert (response.status_code, response["X-Request-ID"]) == (status, "mine")
        assert "Request mine" in response.text


def test_an_id_ends_with_its_request(client, engine):
    from classifier import trace

    client.get("/", headers={"X-Request-ID": "mine"})

    assert trace.current().request_id == ""
