"""The short cut gives what the usual way gives: status, body and headers."""

import pytest
from django.test import Client

from classifier.models import ApiToken, Prediction
from tests.photos import photo_bytes, photo_upload

SHORT_CUT = "classifier.express.Express"
# What differs from one answer to the next, and what only the browsable API needs.
OWN = ("id", "links", "timings_ms", "created_at")
IGNORED = {"Location", "X-Request-ID", "Content-Length", "Allow", "Vary"}


@pytest.fixture
def both(settings):
    """Sends the same request both ways."""

    def send(**request):
        short = Client().generic("POST", "/api/predict", **request)
        with_all = settings.MIDDLEWARE
        settings.MIDDLEWARE = [each for each in with_all if each != SHORT_CUT]
        usual = Client().generic("POST", "/api/predict", **request)
        settings.MIDDLEWARE = with_all
        return short, usual

    return send


def told(response):
    body = response.json()
    headers = {name: value for name, value in response.items() if name not in IGNORED}
    return response.status_code, {k: v for k, v in body.items() if k not in OWN}, headers


def as_form(**fields):
    from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

    return {"data": encode_multipart(BOUNDARY, fields), "content_type": MULTIPART_CONTENT}


def requests():
    photo = photo_bytes()
    yield "a body", {"data": photo, "content_type": "image/jpeg"}
    yield "a form", as_form(image=photo_upload())
    yield "the older field", as_form(file=photo_upload())
    yield "no photo", as_form(other="x")
    yield "an empty body", {"data": b"", "content_type": "image/png"}
    yield "text", {"data": b"hello", "content_type": "image/png"}
    yield "cut short", {"data": photo[:200], "content_type": "image/jpeg"}
    yield "no boundary", {"data": photo, "content_type": "multipart/form-data"}
    yield "JSON", {"data": b"{}", "content_type": "application/json"}
    yield (
        "unknown token",
        {"data": photo, "content_type": "image/jpeg", "HTTP_AUTHORIZATION": "Bearer x"},
    )
    yield "another host", {"data": photo, "content_type": "image/jpeg", "HTTP_HOST": "evil.example"}


@pytest.mark.parametrize(
    ("name", "request_"), list(requests()), ids=lambda each: each if isinstance(each, str) else ""
)
def test_both_ways_tell_the_same(both, engine, name, request_):
    short, usual = both(**request_)

    assert short.headers["Content-Type"] == usual.headers["Content-Type"]
    assert int(short.headers["Content-Length"]) == len(short.content)
    if short.headers["Content-Type"] == "application/json":
        assert told(short) == told(usual)


@pytest.mark.parametrize("has_token", [True, False])
def test_both_ways_refuse_who_may_not_call(both, engine, settings, has_token):
    settings.API_ACCESS = "token"
    _, secret = ApiToken.objects.issue("reader", may_predict=False)
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {secret}"} if has_token else {}

    short, usual = both(data=photo_bytes(), content_type="image/jpeg", **bearer)

    assert short.status_code == (403 if has_token else 401)
    assert told(short) == told(usual)
    assert not Prediction.objects.exists()


def test_both_ways_know_the_same_person(both, engine):
    both(data=photo_bytes(), content_type="image/jpeg")

    first, second = Prediction.objects.all()
    assert first.person == second.person


def test_a_photo_too_large_is_refused_alike(both, engine, settings):
    settings.PHOTO_MAX_BYTES = 100

    short, usual = both(data=photo_bytes(), content_type="image/jpeg")

    assert short.status_code == 413
    assert told(short) == told(usual)


@pytest.mark.parametrize(
    "unusual",
    [{"HTTP_ACCEPT": "text/html"}, {"HTTP_COOKIE": "sessionid=x"}, {"QUERY_STRING": "format=api"}],
    ids=["a browser", "a cookie", "a query"],
)
def test_what_is_unusual_takes_the_usual_way(client, engine, unusual):
    response = client.generic("POST", "/api/predict", photo_bytes(), "image/jpeg", **unusual)

    assert "Allow" in response.headers  # Django REST framework's mark
