"""Every error has its words in the language of who made it, and the same code in all."""

import io
import json
import pickle

import pytest
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.utils import translation
from rest_framework.exceptions import ParseError

from catsdogs.door import Door
from classifier import admission, explaining, journal, serving, storage
from classifier.admission import OVERLOADED_WORDS, too_large
from classifier.errors import as_body
from classifier.models import ApiToken
from classifier.words import said
from ml.photos import PhotoError, decode_photo
from ml.sentences import Sentence
from tests.make import make_prediction
from tests.photos import photo_bytes, photo_upload
from tests.translations.reading import left_over

JPEG = {"data": photo_bytes(), "content_type": "image/jpeg"}


def wrong_requests():
    """What may go wrong, as the name of it, a path, a method, and what else is sent."""
    yield "no photo", "/api/predict", "POST", {"content_type": "multipart/form-data; boundary=x"}
    yield "no form", "/api/predict", "POST", {**JPEG, "content_type": "multipart/form-data"}
    yield "empty", "/api/predict", "POST", {"data": b"", "content_type": "image/jpeg"}
    yield "no format", "/api/predict", "POST", {"data": b"hello", "content_type": "image/jpeg"}
    yield "cut short", "/api/predict", "POST", {**JPEG, "data": photo_bytes()[:200]}
    yield "JSON", "/api/predict", "POST", {"data": b"{}", "content_type": "application/json"}
    yield "token", "/api/predict", "POST", {**JPEG, "HTTP_AUTHORIZATION": "Bearer none"}
    yield "host", "/api/predict", "POST", {**JPEG, "HTTP_HOST": "evil.example"}
    yield "method", "/api/predict", "PUT", {}
    yield "format", "/api/models", "GET", {"HTTP_ACCEPT": "text/csv"}
    yield "batch", "/api/predict/batch", "POST", {"content_type": "multipart/form-data; boundary=x"}
    yield "nothing there", "/api/nowhere", "GET", {}
    yield "no such answer", "/api/predictions/x", "GET", {}
    yield "no such version", "/api/models/none", "GET", {}
    yield "size of a page", "/api/predictions?page_size=x", "GET", {}
    yield "date", "/api/predictions?since=then", "GET", {}
    yield "choice", "/api/predictions?has_feedback=maybe", "GET", {}


@pytest.fixture
def both(marked, engine):
    """Send the same twice: in English and in French."""

    def send(path, method="GET", **how):
        client = Client(raise_request_exception=False)
        english = client.generic(method, path, **how)
        return english, client.generic(method, path, HTTP_ACCEPT_LANGUAGE="fr-CA,fr", **how)

    return send


@pytest.mark.parametrize(
    ("path", "method", "how"),
    [case[1:] for case in wrong_requests()],
    ids=[case[0] for case in wrong_requests()],
)
def test_an_error_of_the_api_has_one_code_and_two_wordings(both, path, method, how):
    english, french = both(path, method, **how)

    assert french.status_code == english.status_code >= 400
    assert french.json()["code"] == english.json()["code"]
    assert french.json()["field"] == english.json()["field"]
    assert "⟦" not in english.json()["detail"]
    assert left_over(french.json()["detail"]) == []
    assert french.headers["Content-Language"] == "fr"
    assert english.headers["Content-Language"] == "en"


def test_one_language_does_not_rub_off_on_the_next_caller(both):
    english, _ = both("/api/predict", "POST", data=b"x", content_type="image/jpeg")
    again, _ = both("/api/predict", "POST", data=b"x", content_type="image/jpeg")

    assert again.json() == english.json()


def test_too_many_photos_in_one_request(both):
    photos = {"image": [photo_upload() for _ in range(33)]}
    body = encode_multipart(BOUNDARY, photos)

    _, french = both("/api/predict/batch", "POST", data=body, content_type=MULTIPART_CONTENT)

    assert french.status_code == 400
    assert left_over(french.json()["detail"]) == []


def test_a_token_without_the_right_to_it(both, settings):
    settings.API_ACCESS = "token"
    _, secret = ApiToken.objects.issue("reader", may_predict=False)

    english, french = both("/api/predict", "POST", HTTP_AUTHORIZATION=f"Bearer {secret}", **JPEG)

    assert english.json()["detail"] == "This token lacks the scope 'predict'."
    assert french.status_code == 403
    assert left_over(french.json()["detail"]) == []


def test_who_sends_too_much_is_told_so(both, settings):
    settings.PHOTOS_PER_MINUTE = 1
    both("/api/predict", "POST", **JPEG)

    english, french = both("/api/predict", "POST", **JPEG)

    assert "more than 1 photos a minute" in english.json()["detail"]
    assert french.status_code == 429
    assert left_over(french.json()["detail"]) == []


@pytest.mark.parametrize(
    "error",
    [
        serving.NoLiveModel(serving.LiveEngine().problem),
        serving.Overloaded(OVERLOADED_WORDS),
        journal.Waiting(),
        explaining.ExplainError(explaining.ERASED),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_passes_by_itself_is_said_in_french_too(marked, error):
    with translation.override("fr"):
        assert left_over(said(error)) == []
    with translation.override("en"):
        assert said(error) == str(error)


def test_a_full_disk_is_told_in_french(both, monkeypatch):
    def full(photo):
        raise storage.NotKept(storage.NO_ROOM)

    monkeypatch.setattr(storage, "keep", full)

    english, french = both("/api/predict", "POST", **JPEG)

    assert english.json()["detail"].startswith("There is no room")
    assert french.status_code == 503
    assert left_over(french.json()["detail"]) == []


def test_a_photo_with_too_many_pixels_is_told_how_many_in_french():
    with pytest.raises(PhotoError) as caught:
        decode_photo(photo_bytes(size=(1500, 1000)), max_pixels=1_234_567)

    assert str(caught.value) == (
        "The photo is 1500 × 1000 pixels; at most 1,234,567 pixels are accepted."
    )
    with translation.override("fr"):
        assert said(caught.value) == (
            "La photo fait 1500 × 1000 pixels\N{NARROW NO-BREAK SPACE}; "
            "1\N{NO-BREAK SPACE}234\N{NO-BREAK SPACE}567 pixels au plus sont acceptés."
        )


def test_a_sentence_in_a_sentence_is_translated_too(marked):
    inner = Sentence("The file is empty.")
    outer = Sentence("The photo cannot be read any more: %(problem)s", problem=inner)

    with translation.override("fr"):
        assert left_over(said(outer)) == []
        assert said(outer).count("⟦") == 2


def test_a_sentence_survives_a_trip_to_another_process():
    sentence = Sentence("The file has %(size)s MB; 100 %% of it.", size=20.04)

    again = pickle.loads(pickle.dumps(sentence))  # noqa: S301  our own

    assert again == sentence == "The file has 20.0 MB; 100 % of it."
    assert (again.template, again.values) == (sentence.template, sentence.values)


@pytest.mark.parametrize("path", ["/api/predict", "/classify/"])
@pytest.mark.parametrize("refusal", [admission.overloaded(2.0), too_large(25_040_000, 20_000_000)])
def test_who_is_turned_away_at_the_door_is_told_in_their_language(marked, db, path, refusal):
    seen = {}
    for language in ("fr", "en", "fr"):
        environ = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "wsgi.input": io.BytesIO()}
        if language == "fr":
            environ["HTTP_ACCEPT_LANGUAGE"] = "fr"
        headers = {}
        admission.mark(refusal)
        body = Door(None)(environ, lambda status, given, into=headers: into.update(given))
        assert headers["Content-Language"] == language
        text = b"".join(body).decode()
        seen[language] = json.loads(text)["detail"] if path.startswith("/api/") else text
    admission.mark(None)

    assert "⟦" in seen["fr"]
    assert "⟦" not in seen["en"]
    assert str(refusal.detail) in seen["en"]
    assert str(refusal.detail) not in seen["fr"]


def test_what_the_parsers_cannot_read_is_said_in_french(marked):
    with translation.override("fr"):
        body = as_body(ParseError("JSON parse error - Expecting value"))

    assert body["detail"] == "⟦Ce JSON est illisible\N{NARROW NO-BREAK SPACE}: Expecting value⟧"
    assert body["code"] == "invalid"


def test_an_explanation_of_a_label_that_is_none(staff):
    prediction = make_prediction()

    response = staff.get(f"/api/predictions/{prediction.pk}/explanation?label=hare")

    assert response.status_code == 400
    assert left_over(response.json()["detail"]) == []
