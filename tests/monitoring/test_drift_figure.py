"""What drifts is told, against the card or the first predictions; what does not, is not."""

from datetime import timedelta

import numpy as np
import pytest

from classifier.models import ModelVersion, Prediction
from ml.drift import alarm_limit, population_stability_index
from monitoring import figures, rollup
from monitoring.models import Baseline, Holdout
from monitoring.periods import Period
from tests.make import make_version
from tests.monitoring.rows import NEW, NOW, some_rows, store

pytestmark = pytest.mark.django_db

DAY = Period.last(timedelta(days=1), until=NOW)
SCORES = {
    "count": 1000,
    "confusion": {"cat": {"cat": 480, "dog": 20}, "dog": {"cat": 10, "dog": 490}},
    "told": {"answered": 0.96, "right": 0.99, "unsure": 0.03, "neither": 0.01},
}


@pytest.fixture
def version():
    """Live; of its hundred first predictions, three days ago, three quarters are cats."""
    version = make_version(NEW, scores=SCORES, live=True)
    store(many(100, NOW - timedelta(days=3)))
    return version


def many(count, begin, **changes):
    rows = some_rows(count, seed=3)
    for i, row in enumerate(rows):
        row.version, row.at = NEW, begin + timedelta(seconds=i)
        row.answer = "dog" if i % 4 == 0 else "cat"
        for name, value in changes.items():
            setattr(row, name, value)
    return rows


@pytest.fixture
def baseline(version, monkeypatch):
    monkeypatch.setattr(rollup, "BASELINE_PREDICTIONS", 100)
    rollup.roll_up(NOW)
    return Baseline.objects.get()


def test_without_a_live_version_there_is_nothing():
    assert figures.drift(DAY) == figures.Drift(None, 0, (), has_baseline=False)


def test_too_few_photos_say_nothing(version, baseline):
    store(many(49, NOW - timedelta(hours=3)))

    found = figures.drift(DAY)

    assert (found.version, found.photos, found.moved) == (NEW, 49, ())
    assert found.has_baseline


def test_before_there_is_a_baseline_answers_are_compared_with_the_card(version):
    store(many(80, NOW - timedelta(hours=3)))

    found = figures.drift(DAY)

    (moved,) = found.moved
    # Of 1000 on the holdout: 960 answered, 49 in 100 of them cats; then 60 cats and 20 dogs.
    expected = np.array([round(960 * 0.49), round(960 * 0.51), 10, 30])
    actual = np.array([60, 20, 0, 0])
    assert (moved.measure, moved.reference) == ("answer", "holdout")
    assert moved.index == pytest.approx(population_stability_index(expected, actual))
    assert moved.limit == max(0.1, alarm_limit(expected, 80))
    assert (moved.photos, moved.reference_photos) == (80, 1000)
    assert moved.is_alarm  # people send more cats than the holdout has
    assert not found.has_baseline


def test_sureness_and_novelty_are_compared_with_the_holdout_too(version):
    store(many(80, NOW - timedelta(hours=3), confidence=0.95, novelty=0.2))
    bins = {"confidence": {"60": 100, "95": 300}, "novelty": {"20": 400}}
    Holdout.objects.create(version=version, count=400, bins=bins)

    moved = {(each.measure, each.reference): each for each in figures.drift(DAY).moved}

    assert moved.keys() == {(name, "holdout") for name in ("answer", "confidence", "novelty")}
    sure = moved["confidence", "holdout"]
    expected, actual = np.array([100, 300]), np.array([0, 80])
    assert sure.index == pytest.approx(population_stability_index(expected, actual))
    assert sure.limit == max(0.1, alarm_limit(expected, 80))
    assert (sure.photos, sure.reference_photos) == (80, 400)
    assert sure.is_alarm
    assert moved["novelty", "holdout"].index == 0


def test_the_same_again_has_not_drifted_from_the_baseline(version, baseline):
    store(many(100, NOW - timedelta(hours=3)))

    found = figures.drift(DAY)

    assert {each.measure for each in found.moved if each.reference == "baseline"} == {
        *("answer", "photo_format", "confidence", "novelty", "pixels", "bytes")
    }
    assert [each.measure for each in found.alarms if each.reference == "baseline"] == []


@pytest.mark.parametrize(
    ("changes", "measures"),
    [
        ({"answer": "dog"}, ("answer",)),
        ({"answer": "unsure", "confidence": 0.55}, ("answer", "confidence")),
        ({"novelty": 0.93}, ("novelty",)),
        ({"format": "AVIF"}, ("photo_format",)),
        ({"size": (32, 32)}, ("pixels",)),
        ({"bytes": 900}, ("bytes",)),
    ],
    ids=lambda value: "-".join(value),
)
def test_what_changes_is_an_alarm_and_nothing_else(version, baseline, changes, measures):
    store(many(100, NOW - timedelta(hours=3), **changes))

    alarms = [each for each in figures.drift(DAY).alarms if each.reference == "baseline"]

    assert {each.measure for each in alarms} == set(measures)


def test_it_is_the_same_from_sums(version, baseline):
    store(many(100, NOW - timedelta(hours=9), novelty=0.7))
    counted = figures.drift(DAY)

    rollup.roll_up(NOW)

    assert figures.drift(DAY) == counted


def test_the_baseline_is_not_compared_with_itself(version, baseline):
    found = figures.drift(Period.last(timedelta(days=30), until=NOW))

    assert (found.photos, found.moved) == (0, ())


def test_a_version_without_scores_or_baseline_has_no_reference():
    make_version("2025-02-02.2", live=True)
    rows = many(60, NOW - timedelta(hours=3))
    for row in rows:
        row.version = "2025-02-02.2"
    store(rows)

    found = figures.drift(DAY)

    assert (found.photos, found.moved) == (60, ())


def test_a_version_can_be_named(version, baseline):
    ModelVersion.objects.update(is_live=False)

    assert figures.drift(DAY, NEW).version == NEW
    assert figures.drift(DAY, "unknown").version is None


def test_it_takes_the_same_few_queries(version, baseline, django_assert_num_queries):
    store(many(100, NOW - timedelta(hours=3)))
    assert Prediction.objects.count() == 200

    with django_assert_num_queries(7):
        figures.drift(DAY)
