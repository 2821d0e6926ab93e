from datetime import timedelta

import pytest

from classifier.models import RefusalCount
from monitoring import figures
from monitoring.periods import Period
from tests.monitoring.rows import NOW

pytestmark = pytest.mark.django_db

HOUR = Period.last(timedelta(hours=1), until=NOW)


def refused(minutes_ago, code, count):
    minute = NOW - timedelta(minutes=minutes_ago)
    RefusalCount.objects.create(minute=minute, code=code, count=count)


@pytest.fixture
def some():
    refused(61, "too_large", 100)
    refused(60, "too_large", 1)
    refused(20, "broken_image", 3)
    refused(20, "too_large", 1)
    refused(1, "broken_image", 2)
    refused(0, "broken_image", 100)


def test_refusals_by_code(some):
    found = figures.refusals(HOUR)

    assert found == figures.Refusals(7, {"broken_image": 5, "too_large": 2})
    assert list(found.by_code) == ["broken_image", "too_large"]


def test_refusals_over_time(some):
    found = figures.refusals_over_time(HOUR)

    assert [each.begin for each in found] == list(HOUR.intervals)
    busy = {(each.begin - NOW) / timedelta(minutes=1): each for each in found}
    assert busy[-60].refusals == figures.Refusals(1, {"too_large": 1})
    assert busy[-20].refusals == figures.Refusals(4, {"broken_image": 3, "too_large": 1})
    assert busy[-19].refusals == figures.Refusals(0, {})


def test_none_is_none():
    assert figures.refusals(HOUR) == figures.Refusals(0, {})


@pytest.mark.parametrize("name", ["refusals", "refusals_over_time"])
def test_one_query(some, django_assert_num_queries, name):
    with django_assert_num_queries(1):
        getattr(figures, name)(HOUR)
