"""Fixed bins of what is measured: the same in Python, SQLite and PostgreSQL.

Bins that never move can be added up over hours and versions, and give percentiles and histograms
of any number of predictions.
"""

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from django.db.models import Case, Expression, F, FloatField, SmallIntegerField, Value, When
from django.db.models.functions import Cast, Floor, Greatest, Least, Ln

# Each bin's upper edge is this much above its lower one; the middle is at most 2 % off.
_MILLISECOND_RATIO = 1.04
_SIZE_RATIO = 2**0.25
# The surest hundredth is cut by halves: nearly all answers of a good version are in it.
_SURE = 0.99
_NUM_SURE = 10
# 0.57 * 100 is a little below 57: no edge may fall below itself.
_TINY = 1e-9


@dataclass(frozen=True)
class Measure:
    """Something that each prediction has a number of.

    Attributes:
        field: The prediction's field, None where it is made of two.
        bin: The SQL of a prediction's bin.
        edge: A bin's lower edge; its upper one is the next one's lower edge.
    """

    field: str | None
    bin: Expression
    edge: Callable[[int], float]


def confidence_bin(field: str, num_bins: int) -> Expression:
    """The SQL of `ml.scores.bins_of`: bins of equal width from 0 to 1."""
    place = Floor(F(field) * Value(float(num_bins)) + Value(_TINY), output_field=FloatField())
    return _whole(Least(place, Value(num_bins - 1.0)))


def _fine_confidence() -> Expression:
    doubt = Greatest(Value(1.0) - F("confidence"), Value(1e-6), output_field=FloatField())
    halvings = Floor(
        Ln(Value(1 - _SURE) / doubt, output_field=FloatField()) / Value(math.log(2)) + Value(_TINY),
        output_field=FloatField(),
    )
    surest = Value(99.0) + Greatest(Value(0.0), Least(halvings, Value(float(_NUM_SURE))))
    hundredth = Floor(F("confidence") * Value(100.0) + Value(_TINY), output_field=FloatField())
    return _whole(
        Case(When(confidence__gte=_SURE, then=surest), default=hundredth, output_field=FloatField())
    )


def _novelty_bin() -> Expression:
    # To PostgreSQL the least of null and 99 is 99, to SQLite it is null.
    known = When(novelty__isnull=False, then=confidence_bin("novelty", 100))
    return Case(known, output_field=SmallIntegerField())


def _by_ratio(of: Expression | F, lowest: float, ratio: float) -> Expression:
    bounded = Greatest(Cast(of, FloatField()), Value(lowest))
    return _whole(
        Floor(
            Ln(bounded, output_field=FloatField()) / Value(math.log(ratio)) + Value(_TINY),
            output_field=FloatField(),
        )
    )


def _whole(number: Expression) -> Expression:
    return Cast(number, SmallIntegerField())


def _confidence_edge(bin: int) -> float:
    return bin / 100 if bin <= 99 else 1 - (1 - _SURE) / 2 ** (bin - 99)


def _milliseconds(field: str) -> Measure:
    return Measure(
        field,
        # Nothing is faster than a hundredth of a millisecond, and ln(0) is nowhere.
        _by_ratio(F(field), 0.01, _MILLISECOND_RATIO),
        lambda bin: _MILLISECOND_RATIO**bin,
    )


MEASURES = {
    "confidence": Measure("confidence", _fine_confidence(), _confidence_edge),
    "novelty": Measure("novelty", _novelty_bin(), lambda bin: bin / 100),
    "inference_ms": _milliseconds("inference_ms"),
    "total_ms": _milliseconds("total_ms"),
    "pixels": Measure(
        None,
        _by_ratio(
            Cast(F("photo_width"), FloatField()) * Cast(F("photo_height"), FloatField()),
            1.0,
            _SIZE_RATIO,
        ),
        lambda bin: _SIZE_RATIO**bin,
    ),
    "bytes": Measure(
        "photo_bytes",
        _by_ratio(F("photo_bytes"), 1.0, _SIZE_RATIO),
        lambda bin: _SIZE_RATIO**bin,
    ),
}


def bin_of(measure: str, value: float) -> int:
    """The bin of a confidence or a novelty that is no prediction's: as in the SQL above."""
    if measure == "novelty":
        return min(99, math.floor(value * 100 + _TINY))
    if measure != "confidence":
        raise ValueError(f"{measure} is neither confidence nor novelty.")
    if value < _SURE:
        return math.floor(value * 100 + _TINY)
    halvings = math.floor(math.log((1 - _SURE) / max(1 - value, 1e-6)) / math.log(2) + _TINY)
    return 99 + max(0, min(_NUM_SURE, halvings))


@dataclass(frozen=True)
class Bar:
    """Of a histogram: how many lie from `low`, included, to `high`."""

    low: float
    high: float
    count: int


def histogram(counts: Mapping[int, int], measure: str) -> tuple[Bar, ...]:
    """The bins that hold something, in order."""
    edge = MEASURES[measure].edge
    return tuple(Bar(edge(bin), edge(bin + 1), counts[bin]) for bin in sorted(counts))


def regroup(bars: tuple[Bar, ...], edges: tuple[float, ...]) -> tuple[Bar, ...]:
    """A histogram with wider bars, whose edges are also edges of the narrow ones."""
    return tuple(
        Bar(low, high, sum(bar.count for bar in bars if low <= bar.low + _TINY < high))
        for low, high in zip(edges, edges[1:], strict=False)
    )


def percentiles(
    counts: Mapping[int, int], measure: str, shares: Sequence[float]
) -> list[float | None]:
    """For each share, the value below which it lies: of milliseconds good to 2 %, None of nothing.

    The values of a bin are taken to be spread evenly over it.
    """
    bins = sorted(counts)
    up_to = list(accumulate(counts[bin] for bin in bins))
    if not up_to:
        return [None for _ in shares]
    edge = MEASURES[measure].edge
    found: list[float | None] = []
    for share in shares:
        rank = share * (up_to[-1] - 1)
        place = bisect_right(up_to, rank)
        bin, before = bins[place], up_to[place - 1] if place else 0
        part = min((rank - before + 0.5) / counts[bin], 1.0)
        found.append(edge(bin) + part * (edge(bin + 1) - edge(bin)))
    return found
