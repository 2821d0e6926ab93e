"""On a page each count is asked for once, and every figure is as if it had been asked alone."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from monitoring import figures
from monitoring.figures import traffic
from monitoring.models import HourlyAnswers
from monitoring.once import asked_once
from monitoring.periods import Period
from monitoring.reach import Scope
from monitoring.rollup import roll_up
from tests.monitoring.rows import NEW, NOW, OLD, some_rows, store
from tests.monitoring.test_sums import OF_A_PERIOD, plain, rounded

pytestmark = pytest.mark.django_db

# Of hours, of half days, of minutes: the last has no sums.
PERIODS = {
    days: Period.last(timedelta(days=days), until=NOW + timedelta(minutes=7))
    for days in (2, 30, 0.2)
}


@pytest.fixture(autouse=True)
def summed():
    store(some_rows(200))
    roll_up(NOW - timedelta(hours=3))


@pytest.mark.parametrize("days", PERIODS)
@pytest.mark.parametrize("version", [None, OLD])
def test_every_figure_is_the_same_on_a_page(days, version, monkeypatch):
    monkeypatch.setattr(traffic, "EXACT_PERCENTILES", 0)  # as with millions
    period = PERIODS[days]
    alone = {
        name: getattr(figures, name)(*arguments(name, period, version)) for name in OF_A_PERIOD
    }

    with asked_once(Scope(period, version)):
        on_a_page = {
            name: getattr(figures, name)(*arguments(name, period, version)) for name in OF_A_PERIOD
        }

    assert alone["answers"].count > 0
    assert plain(on_a_page) == rounded(alone)


def arguments(name, period, version):
    return (period,) if name.startswith("refusals") else (period, version)


def test_figures_of_another_scope_are_not_those_of_the_page():
    page, other = PERIODS[2], Period.last(timedelta(days=1), until=NOW)
    alone = figures.answers(other), figures.agreement(page, NEW), figures.answers(page, person="x")

    with asked_once(Scope(page, OLD)):
        figures.answers(page, OLD), figures.agreement(page, OLD)
        found = figures.answers(other), figures.agreement(page, NEW)
        of_a_person = figures.answers(page, person="x")

    assert (*found, of_a_person) == alone


def test_a_version_on_a_page_of_all_is_told_apart():
    alone = figures.answers(PERIODS[30], NEW)

    with asked_once(Scope(PERIODS[30])):
        everybody = figures.answers(PERIODS[30])
        found = figures.answers(PERIODS[30], NEW)

    assert found == alone
    assert 0 < found.count < everybody.count


def test_what_was_counted_is_not_asked_for_again():
    with asked_once(Scope(PERIODS[30])):
        figures.answers(PERIODS[30])
        figures.agreement(PERIODS[30])
        with CaptureQueriesContext(connection) as queries:
            figures.answers_over_time(PERIODS[30])
            figures.agreement_over_time(PERIODS[30])
            figures.calibration(PERIODS[30])
            figures.estimated_accuracy(PERIODS[30])

    assert len(queries) == 0


def test_the_next_page_asks_anew():
    with asked_once(Scope(PERIODS[30])):
        before = figures.answers(PERIODS[30]).count
    HourlyAnswers.objects.update(count=1000)

    with asked_once(Scope(PERIODS[30])):
        assert figures.answers(PERIODS[30]).count > before
    assert figures.answers(PERIODS[30]).count > before
