"""What got no answer, and why."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet, Sum

from classifier.models import RefusalCount
from monitoring.periods import Period, ceil
from monitoring.reach import Bucket

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Refusals:
    """Photos that were refused, or should have come and did not.

    Attributes:
        count: All of them.
        by_code: The API's code of each cause to how many, the most frequent first.
    """

    count: int
    by_code: dict[str, int]


@dataclass(frozen=True)
class RefusalsInterval:
    """The refusals of an interval, which may be none."""

    begin: datetime
    refusals: Refusals


def refusals(period: Period) -> Refusals:
    """Refusals by code. They are counted by the minute: those that began in the period.

    No version has refused them: they were refused before one was asked.

    Query: sum of `count` by `code`, for `minute` in the period.
    """
    rows = _within(period).values_list("code").annotate(n=Sum("count"))
    return _refusals(dict(rows))


def refusals_over_time(period: Period) -> tuple[RefusalsInterval, ...]:
    """The same for each interval of `period.step`; those without any are there too.

    Query: sum of `count` by interval and `code`.
    """
    counts: dict[datetime, dict[str, int]] = defaultdict(dict)
    rows = _within(period).annotate(bucket=Bucket("minute", period.step))
    for bucket, code, count in rows.values_list("bucket", "code").annotate(n=Sum("count")):
        counts[Bucket.beginning(bucket)][code] = count
    return tuple(RefusalsInterval(begin, _refusals(counts[begin])) for begin in period.intervals)


def _within(period: Period) -> QuerySet[RefusalCount]:
    first = ceil(period.since, _MINUTE)
    return RefusalCount.objects.filter(minute__gte=first, minute__lt=period.until).order_by()


def _refusals(by_code: dict[str, int]) -> Refusals:
    ordered = sorted(by_code.items(), key=lambda pair: (-pair[1], pair[0]))
    return Refusals(sum(by_code.values()), dict(ordered))
