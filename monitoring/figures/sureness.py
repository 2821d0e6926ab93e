"""How sure the answers are, and how unlike the training photos what comes in is."""

from dataclasses import dataclass

from monitoring.bins import Bar, histogram, percentiles, regroup
from monitoring.counting import count_answers, count_bins
from monitoring.periods import Period
from monitoring.reach import Scope

# Below it an answer counts as not very sure, whatever the version's own threshold of `unsure` is:
# so versions can be compared.
LOW_CONFIDENCE = 0.8

_TWENTIETHS = tuple(i / 20 for i in range(21))


@dataclass(frozen=True)
class Confidence:
    """How sure the answers are.

    Attributes:
        count: Predictions.
        mean: Of their confidence.
        low: How many are below `LOW_CONFIDENCE`.
        bars: A histogram in twenty bars from 0 to 1.
    """

    count: int
    mean: float | None
    low: int
    bars: tuple[Bar, ...]

    @property
    def low_share(self) -> float | None:
        return self.low / self.count if self.count else None


@dataclass(frozen=True)
class Novelty:
    """How unlike the training photos what comes in is, from 0 to 1.

    Attributes:
        count: Predictions of versions that measure it.
        median: Half are less novel.
        p95: Of twenty, one is more novel.
        bars: A histogram in twenty bars from 0 to 1.
    """

    count: int
    median: float | None
    p95: float | None
    bars: tuple[Bar, ...]


def confidence(period: Period, version: str | None = None) -> Confidence:
    """How sure the answers are, those `unsure` and `neither` included.

    Query: count of predictions by bin of `confidence`; and the sum of `confidence`.
    """
    scope = Scope(period, version)
    totals = list(count_answers(scope).values())
    count = sum(each.number for each in totals)
    bars = histogram(count_bins(scope, "confidence")["confidence"], "confidence")
    return Confidence(
        count=count,
        mean=sum(each.confidence_sum for each in totals) / count if count else None,
        low=sum(bar.count for bar in bars if bar.high <= LOW_CONFIDENCE + 1e-9),
        bars=regroup(bars, _TWENTIETHS),
    )


def novelty(period: Period, version: str | None = None) -> Novelty:
    """How novel photos are; the percentiles are good to a hundredth.

    Query: count of predictions by hundredths of `novelty`, where it is not null.
    """
    counts = count_bins(Scope(period, version), "novelty")["novelty"]
    median, p95 = percentiles(counts, "novelty", [0.5, 0.95])
    return Novelty(
        count=sum(counts.values()),
        median=median,
        p95=p95,
        bars=regroup(histogram(counts, "novelty"), _TWENTIETHS),
    )
