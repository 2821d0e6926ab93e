from io import BytesIO
from unittest.mock import ANY

import pytest
from django.test import Client
from PIL import Image

from classifier import storage
from classifier.models import ApiToken, Prediction
from tests.photos import photo_bytes, photo_upload

URL = "/api/predict"


def test_a_photo_gets_an_answer_in_the_contracts_shape(client, engine):
    response = client.post(URL, {"image": photo_upload()})

    logged = Prediction.objects.get()
    assert response.status_code == 201
    assert response.json() == {
        "id": str(logged.pk),
        "answer": "cat",
        "label": "cat",
        "confidence": pytest.approx(0.982, abs=0.001),
        "probabilities": {"cat": ANY, "dog": ANY},
        "novelty": None,
        "model": {"version": "2026-01-01.1", "weights_sha256": "0" * 64},
        "photo": {"sha256": logged.photo_sha256, "width": 64, "height": 48, "format": "JPEG"},
        "timings_ms": {"decode": ANY, "inference": ANY, "total": ANY},
        "logged": "stored",
        "links": {
            "self": f"http://testserver/api/predictions/{logged.pk}",
            "feedback": "http://testserver/api/feedback",
            "explanation": f"http://testserver/api/predictions/{logged.pk}/explanation",
            "receipt": f"http://testserver/api/predictions/{logged.pk}/receipt",
        },
        "created_at": ANY,
    }


def test_the_answer_says_where_it_can_be_read_again(client, engine):
    response = client.post(URL, {"image": photo_upload()})

    again = client.get(response["Location"])
    assert again.status_code == 200
    assert again.json() == response.json()


def test_probabilities_sum_to_one_and_the_label_is_the_more_probable(client, engine):
    engine.logits = (0.0, 1.0)

    body = client.post(URL, {"image": photo_upload()}).json()

    assert sum(body["probabilities"].values()) == pytest.approx(1)
    assert body["label"] == "dog"
    assert body["confidence"] == body["probabilities"]["dog"]


def test_the_older_field_name_works(client, engine):
    assert client.post(URL, {"file": photo_upload()}).status_code == 201


def test_a_raw_body_works(client, engine):
    response = client.post(URL, photo_bytes(), content_type="image/jpeg")

    assert response.status_code == 201
    assert response.json()["photo"]["format"] == "JPEG"


def test_the_content_counts_and_neither_name_nor_type(client, engine):
    upload = photo_upload(photo_bytes(format="PNG"), "holiday.exe", "text/html")

    response = client.post(URL, {"image": upload})

    assert response.json()["photo"]["format"] == "PNG"


def test_the_photo_is_kept_as_it_came(client, engine):
    data = photo_bytes()

    client.post(URL, {"image": photo_upload(data)})

    assert storage.read(Prediction.objects.get().photo_sha256) == data


def test_the_same_photo_twice_is_two_predictions_and_one_file(client, engine, photos_dir):
    for _ in range(2):
        client.post(URL, {"image": photo_upload()})

    assert Prediction.objects.count() == 2
    assert len([path for path in photos_dir.rglob("*") if path.is_file()]) == 1


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 400, "empty_file"),
        (b"oops", 415, "unsupported_format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_format"),
        (photo_bytes(format="BMP"), 415, "unsupported_format"),
        (photo_bytes()[:300], 400, "broken_image"),
        (photo_bytes(format="PNG")[:60], 400, "broken_image"),
    ],
    ids=["empty", "text", "svg", "bmp", "cut JPEG", "cut PNG"],
)
@pytest.mark.parametrize("raw", [False, True], ids=["form", "body"])
def test_a_refused_photo_gets_its_code_and_is_not_asked_about(
    client, engine, data, status, code, raw, photos_dir
):
    if raw:
        # The header by itself too: the test client leaves an empty body's type away.
        response = client.post(URL, data, content_type="image/png", CONTENT_TYPE="image/png")
    else:
        response = client.post(URL, {"image": photo_upload(data)})

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json()["field"] == "image"
    assert response.json()["detail"]
    assert engine.asked == []
    assert not Prediction.objects.exists()
    assert not photos_dir.exists()


@pytest.mark.parametrize("raw", [False, True], ids=["form", "body"])
def test_a_file_over_the_limit_is_413(client, engine, settings, raw):
    settings.PHOTO_MAX_BYTES = 1000
    data = photo_bytes((200, 200), "PNG") + bytes(200_000)

    if raw:
        response = client.post(URL, data, content_type="image/png")
    else:
        response = client.post(URL, {"image": photo_upload(data)})

    assert (response.status_code, response.json()["code"]) == (413, "too_large")


def test_too_many_pixels_are_refused_from_the_header(client, engine, settings):
    settings.PHOTO_MAX_PIXELS = 63 * 48

    response = client.post(URL, {"image": photo_upload()})

    assert (response.status_code, response.json()["code"]) == (400, "too_many_pixels")
    assert "64 × 48" in response.json()["detail"]


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {}},
        {"data": {"image": "just text"}},
        {"data": {"picture": photo_upload()}},
    ],
    ids=["nothing", "text", "another field"],
)
def test_a_missing_photo_is_named(client, engine, sent):
    response = client.post(URL, **sent)

    assert (response.status_code, response.json()["code"]) == (400, "missing_image")


def test_json_is_no_photo(client, engine):
    response = client.post(URL, "{}", content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (415, "unsupported_format")


def test_a_broken_form_is_a_400(client, engine):
    response = client.post(URL, b"no form", content_type="multipart/form-data; boundary=x")

    assert (response.status_code, response.json()["code"]) == (400, "missing_image")


def test_get_is_not_a_way_to_send(client, engine):
    response = client.get(URL)

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


def test_without_a_version_it_says_so_and_when_to_come_back(client, db):
    response = client.post(URL, {"image": photo_upload()})

    assert (response.status_code, response.json()["code"]) == (503, "no_live_model")
    assert response["Retry-After"]


def test_a_token_is_needed_where_the_api_is_closed(client, engine, settings):
    settings.API_ACCESS = "token"

    response = client.post(URL, {"image": photo_upload()})

    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert response["WWW-Authenticate"] == "Bearer"
    assert engine.asked == []


def test_a_token_opens_it_and_names_the_person(client, engine, settings):
    settings.API_ACCESS = "token"
    token, secret = ApiToken.objects.issue("phone")

    response = client.post(
        URL, {"image": photo_upload()}, headers={"Authorization": f"Bearer {secret}"}
    )

    assert response.status_code == 201
    assert Prediction.objects.get().person == f"token:{token.pk}"


@pytest.mark.parametrize("secret", ["", "catsdogs_guessed", "revoked"])
def test_a_wrong_or_revoked_token_opens_nothing(client, engine, secret, django_user_model):
    if secret == "revoked":
        token, secret = ApiToken.objects.issue("old phone")
        token.revoked_at = token.created_at
        token.save()

    response = client.post(
        URL, {"image": photo_upload()}, headers={"Authorization": f"Bearer {secret}"}
    )

    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_a_logged_in_person_needs_the_csrf_token(engine, django_user_model):
    person = django_user_model.objects.create_user("someone")
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)

    response = client.post(URL, {"image": photo_upload()})

    assert (response.status_code, response.json()["code"]) == (403, "permission_denied")


def test_a_nonsense_from_the_network_is_never_an_answer(client, engine):
    engine.logits = (float("nan"), 1.0)
    client.raise_request_exception = False

    response = client.post(URL, {"image": photo_upload()})

    assert response.status_code == 503
    assert response.json()["code"] == "no_live_model"
    assert not Prediction.objects.exists()


def test_a_rotated_photo_is_seen_upright(client, engine):
    client.post(URL, {"image": photo_upload(photo_bytes((64, 48), orientation=6))})

    assert engine.asked[0].shape == (64, 48, 3)
    assert engine.asked[0][5, 40].min() > 200  # the bright quarter is now on the right


def test_the_browsable_api_shows_a_page(client, engine):
    response = client.get("/api/", headers={"Accept": "text/html"})

    assert response.status_code == 200
    assert "text/html" in response["Content-Type"]


def test_a_wrong_address_is_a_404_in_the_errors_shape(client, db):
    response = client.get("/api/nothing")

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


def test_the_stored_thumbnail_has_no_metadata(client, engine):
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (48.0, 51.0, 29.6)}  # GPS
    target = BytesIO()
    Image.new("RGB", (50, 50)).save(target, "JPEG", exif=exif)
    body = client.post(URL, {"image": photo_upload(target.getvalue())}).json()

    shown = client.get(f"/photos/{body['id']}/")

    assert shown.status_code == 200
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert not Image.open(BytesIO(shown.content)).getexif()
