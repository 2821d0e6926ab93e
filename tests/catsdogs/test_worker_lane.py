"""A photo is let in where its turn is near, by how long others took."""

import pytest

from catsdogs.photo_lane import PhotoLane
from classifier.admission import photo_route


def lane(threads=2, max_wait=1.0):
    return PhotoLane(threads, max_wait)


def test_an_empty_lane_has_room():
    assert lane().expected_wait() == 0
    assert lane().has_room()


def test_the_wait_is_the_work_ahead_shared_by_the_threads():
    photos = lane(threads=2)
    photos.enter("api-predict")
    photos.leave("api-predict", 0.5)

    for _ in range(3):
        photos.enter("api-predict")

    assert photos.expected_wait() == pytest.approx(3 * 0.5 / 2)
    assert photos.has_room()
    photos.enter("api-predict")
    photos.enter("api-predict")
    assert not photos.has_room()


def test_a_batch_weighs_what_batches_weigh():
    photos = lane()
    for route, seconds in (("api-predict", 0.1), ("api-predict-batch", 1.6)):
        photos.enter(route)
        photos.leave(route, seconds)

    photos.enter("api-predict")
    photos.enter("api-predict-batch")

    assert photos.expected_wait() == pytest.approx((0.1 + 1.6) / 2)


def test_it_follows_the_times_without_jumping():
    photos = lane(threads=1)
    for seconds in (0.1, 0.9):
        photos.enter("api-predict")
        photos.leave("api-predict", seconds)
    photos.enter("api-predict")

    assert 0.1 < photos.expected_wait() < 0.2


def test_who_was_not_looked_at_teaches_nothing():
    photos = lane()
    photos.enter("api-predict")
    before = photos.expected_wait()
    photos.leave("api-predict", None)
    photos.enter("api-predict")

    assert photos.expected_wait() == before


@pytest.mark.parametrize(
    ("method", "target", "route"),
    [
        (b"POST", b"/api/predict", "api-predict"),
        (b"POST", b"/api/predict?format=json", "api-predict"),
        (b"POST", b"/api/predict#top", "api-predict"),
        (b"POST", b"/api/%70redict", "api-predict"),
        (b"POST", b"/pets/api/predict", "api-predict"),
        (b"POST", b"/api/predict/batch", "api-predict-batch"),
        (b"POST", b"/classify/", "classify"),
        (b"GET", b"/api/predictions/1/explanation?format=png", "api-explanation"),
        (b"GET", b"/predictions/1/why/", "why"),
        (b"GET", b"/photos/1/heat/", "heat"),
        (b"GET", b"/photos/1/", ""),
        (b"GET", b"/api/predict", ""),
        (b"POST", b"/api/predictions", ""),
        (b"POST", b"/api/feedback", ""),
        (b"GET", b"/?next=/api/predict", ""),
        (b"GET", b"/healthz", ""),
    ],
)
def test_photos_are_known_by_their_address(method, target, route):
    assert photo_route(method, target) == route
