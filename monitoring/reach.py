"""Which hours of a period are taken from the sums, and which stretches are read from the rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, IntegerField, Q, Value

from monitoring import once
from monitoring.models import RollUp, TouchedHour
from monitoring.periods import HOUR, Period, ceil, floor

# More separate stretches than this are read in one go: a query has its limits too.
_MAX_STRETCHES = 50

Stretch = tuple[datetime, datetime]


@dataclass(frozen=True)
class Scope:
    """Which predictions are meant: of a period; of one version, or one person, if named."""

    period: Period
    version: str | None = None
    person: str | None = None

    @property
    def is_summed(self) -> bool:
        return self.person is None  # nobody's own predictions are summed up


class Bucket(Func):
    """The interval that a time falls into, as the seconds from 1970 to its beginning."""

    output_field = IntegerField()

    def __init__(self, field: str, step: timedelta) -> None:
        super().__init__(F(field))
        self.seconds = int(step.total_seconds())

    def as_postgresql(
        self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        at, params = compiler.compile(self.get_source_expressions()[0])
        # In floating point: EXTRACT counts in decimal numbers, which takes twice as long.
        seconds = f"floor(date_part('epoch', {at}) / {self.seconds})::bigint * {self.seconds}"
        return seconds, params

    def as_sqlite(
        self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        at, params = compiler.compile(self.get_source_expressions()[0])
        # %s is strftime's for seconds since 1970; doubled, because the statement is formatted.
        return f"CAST(strftime('%%s', {at}) AS INTEGER) / {self.seconds} * {self.seconds}", params

    @staticmethod
    def beginning(bucket: int) -> datetime:
        return datetime.fromtimestamp(bucket, UTC)


@dataclass(frozen=True)
class Reach:
    """Which hours of a period are taken from the sums, and which stretches from the rows."""

    hours: Q
    stretches: tuple[Stretch, ...]

    def rows(self, prefix: str = "") -> Q:
        """Limits predictions to the stretches; `prefix` leads to them from another table."""
        return within(f"{prefix}created_at", self.stretches)


def within(field: str, stretches: Iterable[Stretch]) -> Q:
    """Limits a time to any of some stretches, of which there may be none."""
    each = [Q(**{f"{field}__gte": begin, f"{field}__lt": end}) for begin, end in stretches]
    return Q(*each, _connector=Q.OR) if each else Q(pk__in=[])


def reach(scope: Scope, step: timedelta = HOUR) -> Reach:
    """Which hours are summed up: one query.

    Args:
        scope: What is counted.
        step: Of the intervals wanted; below an hour, the sums are of no use.
    """
    since, until = scope.period.since, scope.period.until
    everything = Reach(Q(pk__in=[]), ((since, until),))
    if not scope.is_summed or step % HOUR:
        return everything
    rolled_until, touched = once.known(("state", since, until), lambda: _state(since, until))
    first, last = ceil(since, HOUR), min(floor(until, HOUR), rolled_until or since)
    if first >= last:
        return everything
    touched = [hour for hour in touched if first <= hour < last]
    stretches = _joined([(since, first), *((h, h + HOUR) for h in touched), (last, until)])
    if len(stretches) > _MAX_STRETCHES:
        return everything
    hours = Q(hour__gte=first, hour__lt=last)
    return Reach(hours & ~Q(hour__in=touched) if touched else hours, stretches)


def _state(since: datetime, until: datetime) -> tuple[datetime | None, list[datetime]]:
    """Until when all hours are summed up, and which of them changed since."""
    notes = TouchedHour.objects.filter(hour__gte=since - HOUR, hour__lt=until).values_list("hour")
    state = RollUp.objects.values_list(F("rolled_until"))
    rows = state.annotate(is_note=Value(0)).union(
        notes.annotate(is_note=Value(1)).distinct(), all=True
    )
    rolled_until, touched = None, []
    for at, is_note in rows:
        if is_note:
            touched.append(at)
        else:
            rolled_until = at
    return rolled_until, sorted(touched)


def _joined(stretches: list[Stretch]) -> tuple[Stretch, ...]:
    joined: list[Stretch] = []
    for begin, end in stretches:
        if begin == end:
            continue
        if joined and joined[-1][1] == begin:
            begin = joined.pop()[0]
        joined.append((begin, end))
    return tuple(joined)
