"""Spans of time that figures are asked for, and the intervals that plots cut them into."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from django.utils import timezone

HOUR = timedelta(hours=1)

# A plot has at most so many intervals; nothing is finer than this below an hour, because only
# whole hours are summed up (`monitoring.rollup`).
_MAX_INTERVALS = 96
_STEPS = tuple(timedelta(minutes=m) for m in (1, 5, 60, 3 * 60, 12 * 60, 24 * 60, 7 * 24 * 60))


@dataclass(frozen=True)
class Period:
    """From `since`, included, to `until`, not included; both aware."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.since.tzinfo is None or self.until.tzinfo is None:
            raise ValueError(f"A period needs times with a time zone: {self.since}, {self.until}")
        if self.since > self.until:
            raise ValueError(f"A period ends after it begins: {self.since}, {self.until}")

    @classmethod
    def last(cls, length: timedelta, *, until: datetime | None = None) -> Self:
        """The time up to `until`, else up to now."""
        until = until or timezone.now()
        return cls(until - length, until)

    @property
    def length(self) -> timedelta:
        return self.until - self.since

    @property
    def step(self) -> timedelta:
        """How long the intervals of a plot of this period are."""
        fitting = (step for step in _STEPS if self.length <= _MAX_INTERVALS * step)
        return next(fitting, _STEPS[-1])

    @property
    def intervals(self) -> tuple[datetime, ...]:
        """When each interval of a plot begins; the first one may begin before the period."""
        if self.since == self.until:
            return ()
        first = floor(self.since, self.step)
        return tuple(first + i * self.step for i in range(-(-(self.until - first) // self.step)))


def floor(at: datetime, step: timedelta) -> datetime:
    """The last whole step, counted from 1970 in UTC, that is not after `at`."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (at - epoch) // step * step


def ceil(at: datetime, step: timedelta) -> datetime:
    """The first whole step, counted from 1970 in UTC, that is not before `at`."""
    below = floor(at, step)
    return below if below == at else below + step
