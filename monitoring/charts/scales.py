"""From values to places: round numbers for an axis, and times in words."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.dateformat import format as format_date
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from classifier.numerals import number

_DAY = timedelta(days=1)
_THIN_SPACE = "\N{NARROW NO-BREAK SPACE}"


@dataclass(frozen=True)
class Scale:
    """Maps values from `low` to `high` to places from `start` to `end`; what is beyond is cut."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return self.start + min(max(part, 0.0), 1.0) * (self.end - self.start)


def round_ticks(high: float, at_most: int = 5, *, whole: bool = False) -> list[float]:
    """Round numbers from 0 to at least `high`.

    Args:
        high: The largest value; 0 or less counts as 1.
        at_most: So many steps at most.
        whole: Whether only whole numbers make sense.
    """
    high = high if high > 0 else 1.0
    power = 10.0 ** math.floor(math.log10(high / at_most))
    steps = (step * power for step in (1, 2, 5, 10, 20))
    step = next(step for step in steps if high / step <= at_most * (1 + 1e-9))
    if whole:
        step = max(step, 1.0)
    return [i * step for i in range(math.ceil(high / step - 1e-9) + 1)]


def compact(value: float) -> str:
    """A number of few characters: 1.5k, 20M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return number(f"{value / size:.3g}{letter}")
    return number(f"{value:.3g}")


def in_milliseconds(value: float) -> str:
    if value >= 1000:
        return number(f"{value / 1000:.3g}{_THIN_SPACE}s")
    return number(f"{value:.3g}{_THIN_SPACE}ms")


def in_percent(value: float) -> str:
    return number(f"{100 * value:.3g}{_THIN_SPACE}%")


def in_bytes(value: float) -> str:
    units = (
        (1e6, pgettext("megabytes", "MB")),
        (1e3, pgettext("kilobytes", "kB")),
        (0, pgettext("bytes", "B")),
    )
    size, unit = next((size or 1, unit) for size, unit in units if value >= size)
    return f"{_two_digits(value / size)}{_THIN_SPACE}{unit}"


def in_megapixels(value: float) -> str:
    unit = pgettext("megapixels", "MP")
    return f"{_two_digits(value / 1e6)}{_THIN_SPACE}{unit}"


def _two_digits(value: float) -> str:
    return number(f"{value:.0f}" if value >= 10 else f"{value:.2g}")


def time_ticks(begins: tuple[datetime, ...], at_most: int = 5) -> list[tuple[int, str]]:
    """Which intervals of a time axis get a word, and which.

    Midnights where there are enough of them, else times of the day; all in the site's time zone.
    """
    if not begins:
        return []
    local = [timezone.localtime(begin) for begin in begins]
    span = begins[-1] - begins[0]
    if span > 1.5 * _DAY:
        days = [i for i, at in enumerate(local) if i == 0 or at.date() != local[i - 1].date()]
        days = days[1:] if len(days) > 2 and days[1] - days[0] < days[2] - days[1] else days
        # Translators: a day below a chart, in the letters of Django's filter `date`.
        named = _("j M") if span > 8 * _DAY else _("D j")
        return [(i, format_date(local[i], named)) for i in _thinned(days, at_most)]
    whole = [i for i, at in enumerate(local) if at.minute % _round_minutes(span) == 0]
    if span > timedelta(hours=8):
        whole = [i for i in whole if local[i].hour % 4 == 0 and local[i].minute == 0]
    places = _thinned(whole or list(range(len(local))), at_most + 1)
    return [(i, format_date(local[i], "H:i")) for i in places]


def _round_minutes(span: timedelta) -> int:
    return 15 if span <= timedelta(hours=1.5) else 60


def _thinned(places: list[int], at_most: int) -> list[int]:
    return places[:: max(1, math.ceil(len(places) / at_most))]
