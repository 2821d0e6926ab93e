"""How much is asked, what is answered, and how long it takes."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from ml.inference import NEITHER, UNSURE
from monitoring.bins import percentiles
from monitoring.counting import count_answers, count_bins, predictions_of
from monitoring.percentiles import Percentile
from monitoring.periods import Period
from monitoring.reach import Bucket, Scope

# Up to so many predictions, percentiles are exact; beyond, they come from bins, good to 2 %.
EXACT_PERCENTILES = 50_000

_SHARES = (0.50, 0.95, 0.99)


@dataclass(frozen=True)
class Answers:
    """How many predictions there were, and what people were told.

    Attributes:
        count: All predictions.
        by_answer: A label, `unsure` or `neither` to how many were told so, the most frequent first.
    """

    count: int
    by_answer: dict[str, int]

    def share(self, *answers: str) -> float | None:
        """Of all predictions, those that gave one of some answers; None if there are none."""
        if not self.count:
            return None
        return sum(self.by_answer.get(answer, 0) for answer in answers) / self.count

    @property
    def unsure_or_neither(self) -> float | None:
        return self.share(UNSURE, NEITHER)

    @property
    def label_shares(self) -> dict[str, float]:
        """Of the photos that got a label for an answer, how many got which; empty without any."""
        labels = {k: n for k, n in self.by_answer.items() if k not in (UNSURE, NEITHER)}
        return {label: count / sum(labels.values()) for label, count in labels.items()}


@dataclass(frozen=True)
class AnswersInterval:
    """The answers of an interval, which may be none."""

    begin: datetime
    answers: Answers


@dataclass(frozen=True)
class Percentiles:
    """In milliseconds; None where there is nothing to measure."""

    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True)
class Latency:
    """How long answers took.

    Attributes:
        count: Predictions measured.
        inference: The time in the network.
        total: The time from the upload to the logged answer.
        is_exact: Whether these are the percentiles of the values themselves; else they come from
            bins and are good to 2 %.
    """

    count: int
    inference: Percentiles
    total: Percentiles
    is_exact: bool


@dataclass(frozen=True)
class LatencyInterval:
    begin: datetime
    latency: Latency


def answers(period: Period, version: str | None = None, *, person: str | None = None) -> Answers:
    """Predictions, and how many of them gave which answer.

    Query: count of predictions by `answer`, for `created_at` in the period.
    """
    counts = count_answers(Scope(period, version, person), "answer")
    return _answers({answer: totals.number for (answer,), totals in counts.items()})


def answers_over_time(period: Period, version: str | None = None) -> tuple[AnswersInterval, ...]:
    """The same for each interval of `period.step`; those without any are there too.

    Query: count of predictions by interval and `answer`.
    """
    counts: dict[datetime, dict[str, int]] = defaultdict(dict)
    totals = count_answers(Scope(period, version), "bucket", "answer", step=period.step)
    for (bucket, answer), (count, _) in totals.items():
        counts[Bucket.beginning(bucket)][answer] = count
    return tuple(AnswersInterval(begin, _answers(counts[begin])) for begin in period.intervals)


def _answers(by_answer: dict[str, int]) -> Answers:
    ordered = sorted(by_answer.items(), key=lambda pair: (-pair[1], pair[0]))
    return Answers(sum(by_answer.values()), dict(ordered))


def latency(period: Period, version: str | None = None, *, person: str | None = None) -> Latency:
    """Percentiles of `inference_ms` and `total_ms`.

    Query: `percentile_cont` over the predictions of the period; from its bins (`monitoring.bins`)
    where there are more than `EXACT_PERCENTILES`.
    """
    scope = Scope(period, version, person)
    count = sum(totals.number for totals in count_answers(scope).values())
    if count > EXACT_PERCENTILES and scope.is_summed:
        return _latency_of_bins(count_bins(scope, "inference_ms", "total_ms"))
    return _latency_of_row(count, *predictions_of(scope).aggregate(**_PERCENTILES).values())


def latency_over_time(period: Period, version: str | None = None) -> tuple[LatencyInterval, ...]:
    """The same for each interval of `period.step`; those without predictions are there too.

    Query: as for `latency`, by interval.
    """
    scope = Scope(period, version)
    count = sum(totals.number for totals in count_answers(scope).values())
    exact = count <= EXACT_PERCENTILES
    found = _exact_intervals(scope) if exact else _binned_intervals(scope)
    nothing = Percentiles(None, None, None)
    none = Latency(0, nothing, nothing, exact)
    return tuple(LatencyInterval(begin, found.get(begin, none)) for begin in period.intervals)


def _exact_intervals(scope: Scope) -> dict[datetime, Latency]:
    rows = predictions_of(scope).annotate(bucket=Bucket("created_at", scope.period.step))
    by_bucket = rows.order_by().values_list("bucket").annotate(n=Count("pk"), **_PERCENTILES)
    return {Bucket.beginning(bucket): _latency_of_row(*row) for bucket, *row in by_bucket}


def _binned_intervals(scope: Scope) -> dict[datetime, Latency]:
    counts = count_bins(scope, "inference_ms", "total_ms", step=scope.period.step)
    split: dict[int, dict[str, dict[int, int]]] = defaultdict(lambda: {m: {} for m in counts})
    for measure, of_measure in counts.items():
        for (bucket, bin), count in of_measure.items():
            split[bucket][measure][bin] = count
    return {Bucket.beginning(bucket): _latency_of_bins(bins) for bucket, bins in split.items()}


_PERCENTILES = {
    f"{field}_{share}": Percentile(field, share)
    for field in ("inference_ms", "total_ms")
    for share in _SHARES
}


def _latency_of_row(count: int, *milliseconds: float | None) -> Latency:
    middle = len(_SHARES)
    inference, total = Percentiles(*milliseconds[:middle]), Percentiles(*milliseconds[middle:])
    return Latency(count, inference, total, is_exact=True)


def _latency_of_bins(bins: dict[str, dict[int, int]]) -> Latency:
    inference, total = (
        Percentiles(*percentiles(bins[measure], measure, _SHARES))
        for measure in ("inference_ms", "total_ms")
    )
    return Latency(sum(bins["total_ms"].values()), inference, total, is_exact=False)
