"""A photo is let in where its turn is near, by how long others took."""

import contextlib
import socket

import pytest
from gunicorn.config import Config

from catsdogs.connections import Connection
from catsdogs.photo_lane import PhotoLane
from classifier.admission import photo_route


def lane(threads=2, max_wait=1.0):
    return PhotoLane(threads, max_wait)


def kind_of(size):
    """The kind of a photo that came in a body of so many bytes."""
    conn = Connection(Config(), socket.socket(), ("127.0.0.1", 1), ("127.0.0.1", 2))
    with contextlib.closing(conn.sock):
        conn.route = "api-predict"
        conn.arriving.add(b"POST /api/predict HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size)
        return conn.kind


def learn(photos, route, *seconds):
    for each in seconds:
        photos.enter(route)
        photos.leave(route, each)


def test_an_empty_lane_has_room():
    assert lane().expected_wait() == 0
    assert lane().has_room(0.0)


def test_the_wait_is_the_work_ahead_shared_by_the_threads():
    photos = lane(threads=2)
    learn(photos, "api-predict", *[0.5] * 200)

    for _ in range(3):
        photos.enter("api-predict")

    assert photos.expected_wait() == pytest.approx(3 * 0.5 / 2, rel=0.01)
    assert photos.has_room(0.0)
    photos.enter("api-predict")
    photos.enter("api-predict")
    assert not photos.has_room(0.0)


def test_a_batch_weighs_what_batches_weigh():
    photos = lane()
    learn(photos, "api-predict", *[0.1] * 200)
    learn(photos, "api-predict-batch", *[1.6] * 200)

    photos.enter("api-predict")
    photos.enter("api-predict-batch")

    assert photos.expected_wait() == pytest.approx((0.1 + 1.6) / 2, rel=0.01)


def test_large_photos_weigh_what_large_photos_weigh():
    """After photos of a phone that took long, small ones are let in as ever."""
    photos = lane()
    kinds = [kind_of(size) for size in (30_000, 3_000_000)]
    assert kinds[0] != kinds[1] == kind_of(3_500_000)
    learn(photos, kinds[0], *[0.05] * 200)
    learn(photos, kinds[1], *[1.5] * 200)

    for _ in range(30):
        photos.enter(kinds[0])

    assert photos.expected_wait() == pytest.approx(30 * 0.05 / 2, rel=0.01)
    assert photos.has_room(0.0)


def test_it_follows_the_times_without_jumping():
    photos = lane(threads=1)
    learn(photos, "api-predict", *[0.1] * 200, 0.9)
    photos.enter("api-predict")

    assert 0.1 < photos.expected_wait() < 0.2


def test_a_slow_first_one_is_soon_made_up_for():
    photos = lane(threads=1)
    learn(photos, "api-predict", 1.0, *[0.03] * 15)
    photos.enter("api-predict")

    assert photos.expected_wait() < 0.1


def test_a_free_thread_is_no_wait():
    photos = lane(threads=2)
    learn(photos, "api-predict-batch", *[60.0] * 200)
    photos.enter("api-predict-batch")

    assert photos.has_room(0.0)
    photos.enter("api-predict-batch")
    assert not photos.has_room(0.0)


def fill(photos, now):
    """How many it lets in at a moment."""
    count = 0
    while photos.has_room(now):
        photos.enter("api-predict")
        count += 1
    return count


def test_a_burst_fills_the_lane_and_a_flood_makes_it_short():
    photos = lane(threads=1, max_wait=1.0)
    learn(photos, "api-predict", *[0.01] * 300)

    burst = fill(photos, now=0.0)
    for _ in range(burst):
        photos.leave("api-predict", 0.01)
    flood = fill(photos, now=4.9)
    for _ in range(flood):
        photos.leave("api-predict", 0.01)

    assert burst == pytest.approx(100, abs=2)
    assert flood == pytest.approx(100 / 8, abs=2)
    assert fill(photos, now=9.8) == flood  # it goes on
    for _ in range(flood):
        photos.leave("api-predict", 0.01)
    assert fill(photos, now=14.9) == pytest.approx(100, abs=2)  # it is over


def test_who_was_not_looked_at_teaches_nothing():
    photos = lane(threads=1)
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
