"""Under any server, a photo waits for its turn no longer than it may, and is told so."""

import threading

import pytest

from classifier import serving, telemetry
from classifier.admission import OVERLOADED_WORDS
from classifier.models import Prediction
from tests.photos import photo_upload


@pytest.fixture
def no_turn(monkeypatch, settings):
    """All turns on the cores are taken."""
    taken = threading.BoundedSemaphore(1)
    taken.acquire()
    monkeypatch.setattr(serving, "_slots", taken)
    settings.MAX_WAIT = 0.1
    return taken


def test_a_photo_whose_turn_does_not_come_is_told_to_come_back(client, engine, no_turn):
    refused = client.post("/api/predict", {"image": photo_upload()})

    assert refused.status_code == 503
    assert refused.json()["code"] == "overloaded"
    assert int(refused.headers["Retry-After"]) > 0
    assert engine.asked == []
    assert not Prediction.objects.exists()


def test_the_page_tells_it_in_a_card(client, engine, no_turn):
    refused = client.post("/classify/", {"photo": photo_upload()}, headers={"HX-Request": "true"})

    assert refused.status_code == 503
    assert OVERLOADED_WORDS in refused.text
    assert refused.text.strip().startswith('<article class="card refused"')


def test_a_turn_that_did_not_come_is_no_longer_waited_for(no_turn):
    before = telemetry.WAITING._value.get(), telemetry.IN_FLIGHT._value.get()

    with pytest.raises(serving.Overloaded), serving.slot():
        pass

    assert (telemetry.WAITING._value.get(), telemetry.IN_FLIGHT._value.get()) == before


def test_a_turn_that_comes_is_given_back(no_turn):
    no_turn.release()

    for _ in range(3):
        with serving.slot():
            assert not no_turn.acquire(blocking=False)


class Broken:
    """What is left of a request whose sender is gone."""

    def read(self, *size):
        raise ConnectionResetError("gone")

    readline = read


@pytest.mark.parametrize("content_type", ["image/jpeg", "multipart/form-data; boundary=x"])
def test_a_request_that_breaks_off_is_no_error_of_ours(client, engine, content_type):
    told = client.generic(
        "POST", "/api/predict", b"x" * 9, content_type, **{"wsgi.input": Broken()}
    )

    assert told.status_code == 400
    assert told.json()["code"] == "invalid"
