"""The sums by the hour say what the rows say: whenever they are kept, whatever changes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from classifier.models import Prediction
from feedback.models import Feedback
from monitoring import figures, reach, rollup
from monitoring.models import (
    Baseline,
    HourlyAnswers,
    HourlyBins,
    HourlyOpinions,
    RollUp,
    TouchedHour,
)
from monitoring.periods import HOUR, Period
from monitoring.rollup import roll_up
from tests.make import make_feedback
from tests.monitoring.rows import NEW, NOW, Row, some_rows, store

pytestmark = pytest.mark.django_db

WEEK = Period.last(timedelta(days=7), until=NOW)
OF_A_PERIOD = [
    name
    for name in figures.__all__
    if name[0].islower() and name not in ("database", "model_age", "review_backlog", "spool")
]


def all_figures():
    return {name: getattr(figures, name)(WEEK) for name in OF_A_PERIOD}


def all_sums():
    """What is in the tables, without the rows' own numbers."""
    return {
        (table.__name__, *(value for name, value in row.items() if name != "id"))
        for table in (HourlyAnswers, HourlyOpinions, HourlyBins)
        for row in table.objects.values()
    }


@pytest.fixture
def counted():
    """The figures of some rows, before anything was summed up."""
    store(some_rows())
    return rounded(all_figures())


def rounded(value):
    """The same with floats to nine digits: a sum depends a little on its order."""
    if isinstance(value, float):
        return pytest.approx(value, rel=1e-9)
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(each) for each in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: rounded(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


def plain(value):
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


@pytest.mark.parametrize("hours_ago", [0, 20, 100], ids=["lately", "long ago", "too early"])
def test_figures_are_the_same_however_far_the_sums_reach(counted, hours_ago):
    roll_up(NOW - hours_ago * HOUR)

    assert plain(all_figures()) == counted


def test_past_hours_come_from_the_sums(counted):
    roll_up(NOW)
    HourlyAnswers.objects.update(count=1000)

    assert figures.answers(WEEK).count > 1000


def test_an_hour_is_summed_up_a_quarter_after_it_is_over():
    hour = datetime(2025, 3, 10, 11, tzinfo=UTC)
    store([Row(hour + timedelta(minutes=5))])

    roll_up(hour + timedelta(minutes=74))
    assert not HourlyAnswers.objects.exists()

    roll_up(hour + timedelta(minutes=75))
    assert HourlyAnswers.objects.get().hour == hour


def test_doing_it_twice_changes_nothing(counted):
    assert roll_up(NOW) > 0
    sums = all_sums()

    assert roll_up(NOW) == 0
    assert all_sums() == sums


def test_bit_by_bit_is_the_same_as_at_once(counted):
    roll_up(NOW)
    at_once = all_sums()
    for table in (HourlyAnswers, HourlyOpinions, HourlyBins, RollUp):
        table.objects.all().delete()

    for hours in range(50, -1, -7):
        roll_up(NOW - hours * HOUR)
    roll_up(NOW)

    assert all_sums() == at_once


@pytest.mark.parametrize("kept_again", [False, True], ids=["noted", "summed up anew"])
@pytest.mark.parametrize(
    "change",
    [
        lambda: Prediction.objects.filter(answer="cat").delete(),
        lambda: Prediction.objects.all().delete(),
        lambda: store([Row(NOW - timedelta(hours=30), answer="neither", opinions=[False])]),
        lambda: store([Row(NOW - timedelta(days=6))]),  # before the first hour of all
        lambda: Feedback.objects.update(agrees=False),
        lambda: Feedback.objects.all().delete(),
        lambda: make_feedback(Prediction.objects.order_by("created_at")[7], person="user:9"),
        lambda: Prediction.objects.filter(answer="dog").update(
            created_at=NOW - timedelta(hours=5), total_ms=99.0
        ),
    ],
    ids=["erased", "all erased", "late", "early", "wrong", "taken back", "given", "moved"],
)
def test_what_changes_afterwards_counts(counted, change, kept_again):
    roll_up(NOW)

    change()
    if kept_again:
        assert roll_up(NOW) > 0
        assert not TouchedHour.objects.exists()

    found = plain(all_figures())
    RollUp.objects.all().delete()  # then all is counted from the rows
    assert found == rounded(all_figures())


def test_an_interruption_leaves_whole_hours_and_goes_on(counted, monkeypatch):
    store_sums, calls = rollup._store, []

    def fail_at_the_twelfth(*args, **counts):
        calls.append(args)
        if len(calls) == 12:
            raise KeyboardInterrupt
        store_sums(*args, **counts)

    monkeypatch.setattr(rollup, "_store", fail_at_the_twelfth)
    with pytest.raises(KeyboardInterrupt):
        roll_up(NOW)
    monkeypatch.undo()

    assert RollUp.objects.get().rolled_until < NOW - 24 * HOUR
    assert plain(all_figures()) == counted
    roll_up(NOW)
    assert plain(all_figures()) == counted


def test_many_changed_hours_are_still_read_in_one_query(counted, django_assert_num_queries):
    roll_up(NOW)
    TouchedHour.objects.bulk_create(TouchedHour(hour=NOW - 90 * i * HOUR) for i in range(2))
    TouchedHour.objects.bulk_create(
        TouchedHour(hour=(NOW - i * 2 * HOUR).replace(minute=0)) for i in range(84)
    )

    with django_assert_num_queries(2):
        found = figures.answers(WEEK)

    assert found.count == counted["answers"]["count"]


def test_a_single_step_sums_up_a_day_at_most(counted):
    assert roll_up(NOW, steps=1) == 24
    assert plain(all_figures()) == counted


def test_nothing_logged_is_nothing_to_sum_up():
    assert roll_up(NOW) == 0
    assert figures.answers(WEEK).count == 0


def test_one_s_own_predictions_are_never_read_from_the_sums(counted):
    store([Row(NOW - timedelta(hours=9))], person="visitor:me")
    roll_up(NOW)

    assert figures.answers(WEEK, person="visitor:me").count == 1
    assert figures.agreement(WEEK, person="visitor:me").overall.count == 0


def test_the_command_sums_up_and_says_how_much(counted, capsys, monkeypatch):
    # Else it sums up every hour from the rows' own time until today.
    monkeypatch.setattr(timezone, "now", lambda: NOW)

    call_command("roll_up")

    assert "hours summed up." in capsys.readouterr().out
    assert HourlyAnswers.objects.exists()


def test_a_version_s_first_predictions_are_kept_as_its_baseline(monkeypatch):
    monkeypatch.setattr(rollup, "BASELINE_PREDICTIONS", 10)
    first = NOW - timedelta(hours=9)
    store([Row(first + timedelta(minutes=i), answer="dog" if i < 4 else "cat") for i in range(15)])

    roll_up(NOW)
    Prediction.objects.all().delete()
    roll_up(NOW)

    baseline = Baseline.objects.get(version=NEW)
    assert (baseline.count, baseline.until) == (10, first + timedelta(minutes=9))
    assert baseline.bins["answer"] == {"dog": 4, "cat": 6}
    assert sum(baseline.bins["confidence"].values()) == 10


def test_too_few_predictions_make_no_baseline(counted):
    roll_up(NOW)

    assert not Baseline.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_take_turns():
    store(some_rows())
    both = threading.Barrier(2)

    def keep(_):
        both.wait()
        try:
            roll_up(NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(keep, range(2)))

    found = plain(all_figures())
    RollUp.objects.all().delete()
    assert found == rounded(all_figures())


def test_stretches_that_meet_are_one():
    a, b, c = NOW, NOW + HOUR, NOW + 2 * HOUR

    assert reach._joined([(a, b), (b, b), (b, c)]) == ((a, c),)
