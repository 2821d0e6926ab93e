"""Answers that wait on disk are told of: by metrics, by rules, and on the page, in words."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from classifier import database, journal
from classifier.models import Prediction
from ml.inference import Answer
from ml.photos import decode_photo
from monitoring import alerts, figures, findings, metrics
from tests.make import make_version
from tests.photos import photo_bytes

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
PHOTO = decode_photo(photo_bytes())


@pytest.fixture(autouse=True)
def version():
    yield make_version(live=True, created=timezone.now().isoformat())
    journal._is_refused.clear()
    database._away.clear()
    database.attention.clear()


@pytest.fixture
def three_wait(version):
    """Three answers of a time when the database was away."""
    answer = Answer("cat", {"cat": 0.75, "dog": 0.25}, novelty=0.1)
    said = {"version": version, "person": "visitor:someone", "inference_ms": 1.0, "total_ms": 2.0}
    database._away.set()
    for _ in range(3):
        journal.log(Prediction.of(answer, PHOTO, **said))
    database._away.clear()


@pytest.fixture
def two_are_set_aside(three_wait, settings):
    """Of the three answers one arrives; the lines of the others are no rows."""
    (segment,) = settings.SPOOL_DIR.glob("*.jsonl")
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(lines[0] + b"{}\n" + lines[2].replace(b'"cat"', b"cat", 1))
    journal.drain()
    assert Prediction.objects.count() == 1


def wrong(after=timedelta(0), *, database_answers=True):
    now = timezone.now() + after
    found = alerts.evaluate(now, database_answers=lambda: database_answers)
    return {finding.rule: finding for finding in found}


def gauges(client):
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {
        sample.name.removeprefix("catsdogs_spool_"): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("catsdogs_spool_")
    }


def test_nothing_waits_by_itself(client):
    assert figures.spool() == figures.Spool(waiting=0, since=None, rejected=0)
    assert gauges(client) == {"waiting": 0, "oldest_seconds": 0, "rejected": 0}
    assert wrong() == {}


def test_what_waits_is_counted(three_wait, client):
    found, shown = figures.spool(), gauges(client)

    assert (found.waiting, found.rejected) == (3, 0)
    assert timezone.now() - MINUTE < found.since < timezone.now()
    assert (shown["waiting"], shown["rejected"]) == (3, 0)
    assert 0 < shown["oldest_seconds"] < 60


def test_it_is_shown_while_the_database_is_away(three_wait, client, monkeypatch):
    def refuse():
        raise OperationalError("gone")

    monkeypatch.setattr(metrics, "live_versions", refuse)

    assert gauges(client)["waiting"] == 3


def test_a_moment_is_no_incident_and_five_minutes_are(three_wait):
    assert "spool" not in wrong(4 * MINUTE)

    found = wrong(6 * MINUTE)["spool"]

    assert found.severity == "critical"
    assert found.words == (
        "3 answers wait on disk, the first one for 6 minutes, though the database answers. "
        "The limit is 5 minutes."
    )


def test_while_the_database_is_away_that_is_told_with_what_waits(three_wait):
    found = wrong(6 * MINUTE, database_answers=False)

    assert found.keys() == {"database"}
    assert found["database"].words.endswith("Answers that wait on disk until it does: 3.")


def test_once_they_have_arrived_all_is_well(three_wait, client):
    journal.drain()

    assert wrong(6 * MINUTE) == {}
    assert gauges(client) == {"waiting": 0, "oldest_seconds": 0, "rejected": 0}
    assert figures.answers(figures.Period.last(MINUTE)).count == 3


def test_what_was_set_aside_is_told_until_somebody_has_looked(two_are_set_aside, client, settings):
    assert gauges(client)["rejected"] == 2
    found = wrong()
    assert found.keys() == {"rejected"}
    assert found["rejected"].words.startswith("2 answers lie in var/spool")

    for path in settings.SPOOL_DIR.glob("*.rejected"):
        path.unlink()

    assert wrong() == {}


def test_the_page_says_it_in_its_headline(three_wait, admin_client):
    state = findings.state(timezone.now() + 6 * MINUTE)

    assert state.headline == "Look at this: answers wait on disk to be logged."


def test_the_page_names_what_was_set_aside(two_are_set_aside, admin_client):
    page = admin_client.get("/insights").text

    assert "Look at this: answers were set aside that cannot be logged." in page
    assert "var/spool/*.rejected" in page
