from classifier.models import Prediction
from tests.photos import photo_bytes, photo_upload

URL = "/api/predict/batch"


def test_answers_come_in_the_order_sent_and_a_bad_photo_fails_alone(client, engine):
    photos = [photo_bytes((40, 40)), b"oops", photo_bytes((50, 50))]

    response = client.post(URL, {"image": [photo_upload(data) for data in photos]})

    first, second, third = response.json()["results"]
    assert response.status_code == 200
    assert (first["photo"]["width"], third["photo"]["width"]) == (40, 50)
    assert second["code"] == "unsupported_format"
    assert Prediction.objects.count() == 2


def test_more_than_32_are_refused(client, engine):
    response = client.post(URL, {"image": [photo_upload() for _ in range(33)]})

    assert (response.status_code, response.json()["code"]) == (400, "too_many_images")
    assert engine.asked == []


def test_none_is_refused(client, engine):
    assert client.post(URL, {}).json()["code"] == "missing_image"


def test_a_batch_cannot_take_all_memory(client, engine, settings):
    settings.PHOTO_MAX_BYTES = len(photo_bytes())

    response = client.post(URL, {"image": [photo_upload() for _ in range(10)]})

    codes = [result.get("code") for result in response.json()["results"]]
    assert codes == [None] * 8 + ["too_large"] * 2
