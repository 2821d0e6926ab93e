"""Where a machine's clock jumps by hours, and back, answers, sums and alerts go on."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from django.utils import timezone

from classifier import lockout
from classifier.ids import uuid7
from classifier.models import Prediction, Server
from classifier.presence import Presence
from feedback.models import Review
from feedback.review import claim_next
from monitoring import alerts, figures
from monitoring.incidents import Incident, Message
from monitoring.models import RollUp, TouchedHour
from monitoring.periods import HOUR, Period
from monitoring.rollup import roll_up
from tests.make import make_teaching, make_version
from tests.monitoring.rows import NOW, Row, store
from tests.monitoring.sinks import mail_server, send_to
from tests.photos import photo_upload

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


class Clock:
    """The machine's clock, which can be put forward and back."""

    def __init__(self, monkeypatch):
        self.ahead = timedelta(0)
        real_now, real_time, real_ns = timezone.now, time.time, time.time_ns
        monkeypatch.setattr(timezone, "now", lambda: real_now() + self.ahead)
        monkeypatch.setattr(time, "time", lambda: real_time() + self.ahead.total_seconds())
        monkeypatch.setattr(
            time, "time_ns", lambda: real_ns() + int(self.ahead.total_seconds()) * 10**9
        )


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


JUMPS = pytest.mark.parametrize("ahead", [3 * HOUR, -3 * HOUR], ids=["forward", "back"])


@JUMPS
def test_photos_are_answered_and_judged_across_a_jump(clock, client, engine, ahead):
    before = client.post("/api/predict", {"image": photo_upload()}).json()
    clock.ahead = ahead

    after = client.post("/api/predict", {"image": photo_upload()})
    opinion = {"prediction": before["id"], "label": "cat"}
    feedback = client.post("/api/feedback", opinion, "application/json")

    assert (after.status_code, feedback.status_code) == (201, 201)
    listed = client.get("/api/predictions").json()["results"]
    assert {each["id"] for each in listed} == {before["id"], after.json()["id"]}


def test_identifiers_stay_different_and_sort_by_the_clock(clock):
    first = [uuid7() for _ in range(100)]
    clock.ahead = -3 * HOUR
    second = [uuid7() for _ in range(100)]

    assert len({*first, *second}) == 200
    assert max(second) < min(first)


@JUMPS
def test_whoever_is_logged_in_stays_so(clock, client, ahead):
    client.force_login(User.objects.create_user("staff", is_staff=True))
    clock.ahead = ahead

    assert client.get("/insights").status_code == 200


def test_what_is_answered_after_the_clock_was_put_back_is_counted():
    """Summed up by a clock three hours ahead, put back before the next photos come."""
    store([Row(NOW - 5 * HOUR)])
    roll_up(NOW + 3 * HOUR)
    assert RollUp.objects.get().rolled_until > NOW

    roll_up(NOW)
    late = store([Row(NOW)])
    # As where the database's own clock finds it too young to note.
    TouchedHour.objects.all().delete()

    day = Period(NOW - 24 * HOUR, NOW + 24 * HOUR)
    assert figures.answers(day).count == 2
    roll_up(NOW + 3 * HOUR)
    assert figures.answers(day).count == 2
    assert late[0].created_at < RollUp.objects.get().rolled_until


@pytest.fixture
def inbox(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    with mail_server() as inbox:
        send_to(settings, inbox)
        yield inbox


def check(now, *, database=True):
    return {found.rule for found in alerts.check(now, database_answers=lambda: database)}


@pytest.fixture
def old_version():
    """One rule that does not hold, whatever the time."""
    make_version(live=True, created=datetime(2020, 1, 1, tzinfo=UTC).isoformat())


@JUMPS
def test_an_alert_is_told_once_within_two_checks_of_a_jump(inbox, old_version, ahead):
    assert check(NOW) == {"old"}

    check(NOW + ahead)
    check(NOW + ahead + MINUTE)
    check(NOW + ahead + 2 * MINUTE)

    assert [mail["Subject"] for mail in inbox.mails] == ["[catsdogs] Info: The live version is old"]
    assert Incident.objects.get().opened_at


def test_it_is_over_once_and_not_told_again_when_the_clock_comes_back(inbox, old_version):
    for minutes in range(3):
        check(NOW + 3 * HOUR + minutes * MINUTE)
    make_version("2026-02-02.1", live=True, created=NOW.isoformat())

    for minutes in range(3):
        assert check(NOW + minutes * MINUTE) == set()

    assert [mail["Subject"].split(":")[0] for mail in inbox.mails] == [
        "[catsdogs] Info",
        "[catsdogs] Over",
    ]


def test_a_database_away_is_told_after_the_clock_was_put_back(inbox):
    check(NOW, database=False)

    for minutes in range(3):
        check(NOW - 3 * HOUR + minutes * MINUTE, database=False)

    assert len(inbox.mails) == 1


def test_a_message_claimed_in_the_future_is_sent(inbox, old_version):
    check(NOW)
    check(NOW + MINUTE)
    sent = Message.objects.filter(sent_at__isnull=False)
    sent.update(sent_at=None, claimed_at=NOW + 3 * HOUR)  # its sender died, and the clock went back

    check(NOW + 2 * MINUTE)

    assert len(inbox.mails) == 2
    assert not Message.objects.unsent().exists()


@JUMPS
def test_a_server_says_that_it_lives_by_the_new_clock(ahead):
    presence = Presence()
    presence.tell("1", "", NOW)

    presence.tell("1", "", NOW + ahead)

    assert Server.objects.get().seen_at == NOW + ahead


def test_a_claim_of_hours_to_come_keeps_no_photo_from_others(clock):
    make_version(live=True)
    feedback = make_teaching()
    clock.ahead = 3 * HOUR
    held = claim_next(User.objects.create_user("first", is_staff=True))
    assert held.photo_sha256 == feedback.prediction.photo_sha256
    clock.ahead = timedelta(0)

    taken = claim_next(User.objects.create_user("second", is_staff=True))

    assert taken.photo_sha256 == held.photo_sha256
    assert Review.objects.get().reviewer.username == "second"


def test_a_photo_is_kept_for_its_days_by_the_clock_it_came_by(clock, client, engine, settings):
    clock.ahead = -3 * HOUR
    client.post("/api/predict", {"image": photo_upload()})
    clock.ahead = timedelta(0)

    prediction = Prediction.objects.get()

    assert prediction.keep_until - prediction.created_at >= timedelta(
        days=settings.PHOTO_KEEP_DAYS, seconds=-60
    )


def test_a_lock_out_does_not_last_for_hours(clock, client):
    User.objects.create_user("someone", password="right")  # noqa: S106
    clock.ahead = 3 * HOUR
    for _ in range(lockout.TRIES + 1):
        client.post("/admin/login/", {"username": "someone", "password": "wrong"})
    clock.ahead = timedelta(0)

    assert client.login(request=a_request(), username="someone", password="right")  # noqa: S106


def a_request():
    request = RequestFactory().post("/admin/login/")
    request.session = {}
    return request


def test_a_caller_who_sent_too_much_waits_a_minute_at_most(clock, client, engine, settings):
    settings.PHOTOS_PER_MINUTE = 1
    clock.ahead = 3 * HOUR
    assert client.post("/api/predict", {"image": photo_upload()}).status_code == 201
    assert client.post("/api/predict", {"image": photo_upload()}).status_code == 429
    clock.ahead = timedelta(0)

    assert client.post("/api/predict", {"image": photo_upload()}).status_code == 201
