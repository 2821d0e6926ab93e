"""What goes wrong sets off the alert rules that it should, and no other; a quiet hour none."""

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from classifier.models import ModelVersion, RefusalCount
from feedback.models import TrainingRun
from monitoring.bins import MEASURES
from monitoring.models import Baseline
from monitoring.periods import Period
from tests.grafana.files import rules
from tests.monitoring.rows import NEW, NOW, Row, store

COUNT = 240


def quiet_hour():
    """Cats and dogs, most answers sure, nine of ten judged right; one photo in 15 seconds."""
    draw = random.Random(1)
    rows = []
    for i in range(COUNT):
        label, confidence = draw.choice(["cat", "dog"]), round(1 - 0.5 * draw.random() ** 8, 4)
        rows.append(
            Row(
                at=NOW - timedelta(seconds=15 * i + 1),
                answer="unsure" if confidence < 0.8 else label,
                label=label,
                confidence=confidence,
                novelty=round(draw.random() ** 3, 3),
                size=(draw.randrange(600, 4000), draw.randrange(600, 4000)),
                bytes=draw.randrange(100_000, 5_000_000),
                opinions=[draw.random() < 0.93] if i % 5 == 0 else [],
            )
        )
    return rows


@pytest.fixture
def world(db):
    """A live version with a baseline of the same kind; stores what is given."""

    def put(rows):
        store(quiet_hour())
        _baseline()
        ModelVersion.objects.get(pk=NEW).predictions.all().delete()
        ModelVersion.objects.update(trained_at=timezone.now())
        ModelVersion.objects.get(pk=NEW).promote()
        store(rows)

    return put


def _baseline():
    from monitoring.counting import count_bins
    from monitoring.reach import Scope

    hour = Scope(Period.last(timedelta(hours=1), until=NOW))
    bins = {
        name: {str(bin): count for bin, count in counts.items()}
        for name, counts in count_bins(hour, *MEASURES).items()
    }
    answers = ModelVersion.objects.get(pk=NEW).predictions.values_list("answer", flat=True)
    bins["answer"] = {answer: list(answers).count(answer) for answer in set(answers)}
    bins["photo_format"] = {"JPEG": COUNT}
    until = NOW - timedelta(days=9)
    Baseline.objects.create(version_id=NEW, until=until, count=COUNT, bins=bins)


def beyond(reader, now=NOW):
    """The names of the rules that are beyond their limit."""
    found = set()
    for rule in rules():
        asked, _, compared = rule["data"]
        if "rawSql" not in asked["model"]:
            continue
        seconds = asked["relativeTimeRange"]["from"]
        period = Period.last(timedelta(seconds=seconds), until=now)
        (limit,) = compared["model"]["conditions"][0]["evaluator"]["params"]
        above = compared["model"]["conditions"][0]["evaluator"]["type"] == "gt"
        values = [number(row) for row in reader.ask(asked["model"]["rawSql"], period)]
        if any(value > limit if above else value < limit for value in values):
            found.add(rule["uid"].removeprefix("catsdogs-"))
    return found


def number(row):
    """What Grafana takes from a row of a table: its one number; texts become labels."""
    numbers = [value for value in row.values() if isinstance(value, int | float | Decimal)]
    others = [value for value in row.values() if not isinstance(value, int | float | Decimal)]
    assert len(numbers) == 1, row
    assert all(isinstance(value, str) for value in others), row
    return float(numbers[0])


def slow(row):
    return replace(row, total_ms=3000.0)


def bad(row):
    return replace(row, opinions=[False] if row.opinions and row.confidence > 0.9 else row.opinions)


def dark(row):
    unsure = row.at.minute % 2
    return replace(
        row, confidence=0.6, answer="unsure" if unsure else row.label, novelty=0.7, bytes=90_000
    )


def only_dogs(row):
    return replace(row, label="dog", answer="dog" if row.answer == "cat" else row.answer)


def test_a_quiet_hour_sets_off_nothing(reader, world):
    world(quiet_hour())

    assert beyond(reader) == set()


@pytest.mark.parametrize(
    ("incident", "expected"),
    [
        (slow, {"slow-answers"}),
        (bad, {"low-agreement"}),
        (dark, {"many-unsure", "drift"}),
        (only_dogs, {"one-sided", "drift"}),
    ],
)
def test_an_incident_sets_off_its_own_alerts(reader, world, incident, expected):
    world([incident(row) for row in quiet_hour()])

    assert beyond(reader) == expected


def test_a_flood_of_broken_files_is_noticed(reader, world):
    world(quiet_hour())
    minute = (NOW - timedelta(minutes=3)).replace(second=0)
    RefusalCount.objects.create(minute=minute, code="broken_image", count=500)

    assert beyond(reader) == {"many-refusals"}


def test_some_refusals_are_no_flood(reader, world):
    world(quiet_hour())
    minute = (NOW - timedelta(minutes=3)).replace(second=0)
    RefusalCount.objects.create(minute=minute, code="broken_image", count=40)

    assert beyond(reader) == set()


def test_silence_is_noticed(reader, world):
    world(quiet_hour())

    assert beyond(reader, now=NOW + timedelta(minutes=16)) == {"no-traffic"}


def test_a_little_feedback_is_no_reason(reader, world):
    world([replace(row, opinions=[False] * (i < 20)) for i, row in enumerate(quiet_hour())])

    assert beyond(reader) == set()


def test_a_version_gets_too_old(reader, world):
    world(quiet_hour())
    ModelVersion.objects.update(trained_at=timezone.now() - timedelta(days=91))

    assert beyond(reader) == {"old-version"}


def test_a_retraining_that_failed_is_told_of_for_a_while(reader, world):
    world(quiet_hour())
    TrainingRun.objects.create(state="failed", created_at=NOW - timedelta(hours=5))
    TrainingRun.objects.create(state="lost", created_at=NOW - timedelta(hours=7))

    assert beyond(reader) == {"training-failed"}
    TrainingRun.objects.filter(state="failed").delete()
    assert beyond(reader) == set()


def test_a_site_that_has_seen_nothing_is_only_silent(reader):
    assert beyond(reader) == {"no-traffic"}
