"""Each rule at its edges: enough photos to mean it, the live version only, nothing made up."""

from datetime import timedelta

import pytest
from django.utils import timezone

from classifier.models import ModelVersion, RefusalCount, Server
from feedback.models import Feedback
from monitoring import alerts
from monitoring.incidents import Incident
from monitoring.rules import read_rules
from tests.make import make_version
from tests.monitoring.world import AFTERNOON, DAY, HOUR, MINUTE, World, a_dog, a_stranger, dark

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch, seed=3)


def wrong(now=AFTERNOON):
    return {
        finding.rule: finding for finding in alerts.evaluate(now, database_answers=lambda: True)
    }


def test_on_a_fresh_install_nothing_is_wrong():
    assert wrong() == {}


def test_before_the_first_photo_nothing_is_wrong():
    make_version(live=True)

    assert wrong() == {}


def test_a_few_photos_are_never_enough(world):
    def all_at_once(prediction, draw):
        a_dog(prediction, draw)
        prediction.total_ms = 60_000

    world.people(AFTERNOON - HOUR, AFTERNOON, 20, alter=all_at_once, agree=0.0, opinions=1.0)
    Feedback.objects.filter(
        pk__in=list(Feedback.objects.values_list("pk", flat=True)[25:])
    ).delete()

    assert wrong() == {}


def test_answers_of_another_version_are_not_held_against_the_live_one(world):
    world.people(AFTERNOON - HOUR, AFTERNOON, 300, alter=a_stranger, agree=0.2, opinions=0.5)
    assert {"unsure", "agreement"} <= wrong().keys()

    make_version("2025-03-12.9", created="2025-03-12T00:00:00+00:00").promote()

    assert wrong() == {}


def test_a_finding_says_what_was_measured_against_what_over_how_many(world):
    world.people(AFTERNOON - 2 * HOUR, AFTERNOON, 300, alter=a_dog)

    found = wrong()["labels"]

    assert (found.severity, found.value, found.limit) == ("warning", 1.0, 0.8)
    assert 250 < found.photos <= 300
    assert found.words == (
        f"100% of the last {found.photos} photos that got a label were answered dog; usual is 20% "
        "to 80%."
    )
    assert found.do == read_rules()["labels"].do


def test_with_more_than_two_labels_no_share_is_suspicious(world):
    ModelVersion.objects.update(labels=["bird", "cat", "dog"])
    world.people(AFTERNOON - 2 * HOUR, AFTERNOON, 300, alter=a_dog)

    assert wrong() == {}


def test_a_label_that_is_hardly_ever_answered_is_the_other_side_of_the_same(world):
    ModelVersion.objects.update(labels=["cat", "dog"])

    def a_cat(prediction, draw):
        prediction.answer = prediction.label = "cat"

    world.people(AFTERNOON - 2 * HOUR, AFTERNOON, 300, alter=a_cat)

    assert "answered cat" in wrong()["labels"].words


def test_without_a_baseline_drift_is_not_judged(world):
    world.people(AFTERNOON - 4 * HOUR, AFTERNOON, 300, alter=dark)

    assert "drift" not in wrong()


def test_what_is_told_by_alerts_of_its_own_is_no_flood_of_refusals(world):
    world.people(AFTERNOON - HOUR, AFTERNOON, 60)
    minute = AFTERNOON - 3 * MINUTE
    RefusalCount.objects.create(minute=minute, code="no_live_model", count=5000)
    RefusalCount.objects.create(minute=minute, code="database_unavailable", count=5000)
    assert wrong() == {}

    RefusalCount.objects.create(minute=minute, code="too_large", count=500)
    assert "too_large 500" in wrong()["refusals"].words


def test_silence_needs_a_week_of_company(world):
    for days in range(1, 6):
        world.people(AFTERNOON - HOUR - days * DAY, AFTERNOON - days * DAY, 200)
    assert wrong() == {}

    world.people(AFTERNOON - HOUR - 6 * DAY, AFTERNOON - 6 * DAY, 200)
    assert "On 6 of the last 7 days" in wrong()["quiet"].words


def test_after_the_database_was_away_silence_is_no_wonder(world):
    for days in range(1, 8):
        world.people(AFTERNOON - HOUR - days * DAY, AFTERNOON - days * DAY, 200)
    assert "quiet" in wrong()

    fields = {"severity": "critical", "title": "t", "words": "w", "do": "d", "value": 3, "limit": 3}
    Incident.objects.create(
        rule="database",
        noticed_at=AFTERNOON - HOUR,
        opened_at=AFTERNOON - HOUR,
        seen_at=AFTERNOON - 5 * MINUTE,
        over_at=AFTERNOON - 2 * MINUTE,
        **fields,
    )

    assert "quiet" not in wrong()


def server(version, seen_at, **changes):
    pid = Server.objects.count() + 1
    return Server.objects.create(host="a", pid=pid, version=version, seen_at=seen_at, **changes)


def test_one_server_with_the_live_version_is_enough():
    make_version(live=True)
    server("", AFTERNOON, problem="The folder is broken.")
    assert "The folder is broken." in wrong()["servers"].words

    server("2026-01-01.1", AFTERNOON)
    assert wrong() == {}


def test_servers_that_fell_silent_serve_nothing():
    make_version(live=True)
    server("2026-01-01.1", AFTERNOON - 5 * MINUTE)

    assert wrong()["servers"].words.startswith("0 servers live")


def test_where_no_server_ever_was_none_is_missed():
    make_version(live=True)

    assert wrong() == {}


def test_an_old_version_is_told_once_it_is_old():
    make_version(live=True, created=(AFTERNOON - 365 * DAY).isoformat())
    assert wrong() == {}

    found = wrong(AFTERNOON + DAY)["old"]
    assert (found.severity, found.value) == ("info", 366)


def test_photos_that_wait_for_a_reviewer(monkeypatch):
    from monitoring.figures import ReviewBacklog, service

    for photos, is_wrong in ((500, False), (501, True)):
        monkeypatch.setattr(service, "review_backlog", lambda: ReviewBacklog(0))
        monkeypatch.setattr("monitoring.figures.review_backlog", lambda n=photos: ReviewBacklog(n))
        assert ("backlog" in wrong()) == is_wrong


def test_the_most_severe_comes_first(world):
    world.people(AFTERNOON - 2 * HOUR, AFTERNOON, 300, alter=a_dog)
    server("", AFTERNOON)
    world.version.trained_at = AFTERNOON - 400 * DAY
    world.version.save()

    found = alerts.evaluate(AFTERNOON, database_answers=lambda: True)

    assert [finding.severity for finding in found] == ["critical", "warning", "info"]


def test_it_takes_the_same_few_queries(world, django_assert_max_num_queries):
    world.people(AFTERNOON - HOUR, AFTERNOON, 300)

    with django_assert_max_num_queries(45):
        wrong()


def test_it_changes_nothing(world):
    world.people(AFTERNOON - 2 * HOUR, AFTERNOON, 300, alter=a_dog)

    assert wrong()
    assert not Incident.objects.exists()


def test_the_time_of_a_check_may_be_any(world):
    assert wrong(timezone.now() + timedelta(days=1)).keys() <= {"old"}
