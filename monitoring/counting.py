"""Count predictions and feedback: whole past hours from the sums, all else from the rows.

So a count is right at any moment, however long ago the sums were kept, and fast once they are.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    Count,
    Exists,
    F,
    Func,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
)

from classifier.models import Prediction
from feedback.models import Feedback
from ml.scores import NUM_BINS
from monitoring.bins import MEASURES, confidence_bin
from monitoring.models import HourlyAnswers, HourlyBins, HourlyOpinions, RollUp, TouchedHour
from monitoring.periods import HOUR, Period, ceil, floor

# More separate stretches than this are read in one go: a query has its limits too.
_MAX_STRETCHES = 50

Stretch = tuple[datetime, datetime]
_Rows = TypeVar("_Rows", bound=QuerySet[Any])


@dataclass(frozen=True)
class Scope:
    """Which predictions are meant: of a period; of one version, or one person, if named."""

    period: Period
    version: str | None = None
    person: str | None = None

    @property
    def is_summed(self) -> bool:
        return self.person is None  # nobody's own predictions are summed up


class Totals(NamedTuple):
    """So many, and the sum of the confidence of the predictions concerned."""

    number: int = 0
    confidence_sum: float = 0.0

    def plus(self, number: int, confidence_sum: float) -> "Totals":
        return Totals(self.number + number, self.confidence_sum + confidence_sum)


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
    rolled_until, touched = _state(since, until)
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


def count_answers(
    scope: Scope, *by: str, step: timedelta = HOUR, of: Reach | None = None
) -> dict[tuple[Any, ...], Totals]:
    """Predictions and the sum of their confidence.

    Args:
        scope: Which ones.
        by: What they are told apart by: `bucket`, `version_id`, `answer`, `label`, `photo_format`.
        step: How long a bucket is.
        of: Where from, if that is known already.
    """
    of = of or reach(scope, step)
    keys = by or ("version_id",)
    sums = _bucketed(_of_version(HourlyAnswers.objects.filter(of.hours), scope), "hour", step)
    rows = _bucketed(_predictions(scope, of), "created_at", step)
    union = _unordered(sums, keys, n=Sum("count"), c=Sum("confidence_sum")).union(
        _unordered(rows, keys, n=Count("pk"), c=Sum("confidence")), all=True
    )
    return _add_up(union, len(by), len(keys))


def count_opinions(scope: Scope, *by: str, step: timedelta = HOUR) -> dict[tuple[Any, ...], Totals]:
    """Feedback on the predictions of a scope, and the sum of these predictions' confidence.

    Args:
        scope: Which predictions; their feedback counts whenever it was given.
        by: What it is told apart by: `bucket`, `version_id`, `answer`, `bin` (of the confidence,
            as in `ml.scores`), `agrees`.
        step: How long a bucket is.
    """
    of = reach(scope, step)
    sums = _bucketed(_of_version(HourlyOpinions.objects.filter(of.hours), scope), "hour", step)
    rows = _feedback(scope, of).annotate(bucket=Bucket("prediction__created_at", step))
    union = _unordered(sums, by, n=Sum("count"), c=Sum("confidence_sum")).union(
        _unordered(rows, by, n=Count("pk"), c=Sum("prediction__confidence")), all=True
    )
    return _add_up(union, len(by), len(by))


def count_bins(
    scope: Scope, *measures: str, step: timedelta | None = None
) -> dict[str, dict[Any, int]]:
    """Measure to bin to predictions; with a step, measure to (bucket, bin) to predictions."""
    of = reach(scope, step or HOUR)
    keys = ("measure", "bin") if step is None else ("measure", "bucket", "bin")
    step = step or HOUR
    sums = _of_version(HourlyBins.objects.filter(of.hours, measure__in=measures), scope)
    parts = [_unordered(_bucketed(sums, "hour", step), keys, n=Sum("count"))]
    for measure in measures:
        rows = binned(_bucketed(_predictions(scope, of), "created_at", step), measure)
        parts.append(_unordered(rows, keys, n=Count("pk")))
    counts: dict[str, dict[Any, int]] = {measure: defaultdict(int) for measure in measures}
    for measure, *key, count in parts[0].union(*parts[1:], all=True):
        counts[measure][key[0] if len(key) == 1 else tuple(key)] += count
    return counts


def count_with_feedback(scope: Scope) -> tuple[int, int]:
    """Predictions that have feedback, and all."""
    of = reach(scope)
    sums = _of_version(HourlyAnswers.objects.filter(of.hours), scope)
    union = _unordered(sums, ("version_id",), n=Sum("with_feedback"), c=Sum("count")).union(
        _unordered(_predictions(scope, of), ("version_id",), n=HAVING_FEEDBACK, c=Count("pk")),
        all=True,
    )
    rows = list(union)
    return sum(with_feedback for _, with_feedback, _ in rows), sum(count for _, _, count in rows)


# Correlated: per prediction one look into an index.
HAVING_FEEDBACK = Count("pk", filter=Exists(Feedback.objects.filter(prediction=OuterRef("pk"))))


def binned(predictions: QuerySet[Prediction], measure: str) -> QuerySet[Prediction]:
    """Predictions with their `measure` and its `bin`; those without the measure are left out."""
    known = predictions.exclude(novelty=None) if measure == "novelty" else predictions
    return known.annotate(measure=Value(measure), bin=MEASURES[measure].bin)


def opinions_binned(feedback: QuerySet[Feedback]) -> QuerySet[Feedback]:
    """Feedback with what its sums are told apart by, under the names of `HourlyOpinions`."""
    return feedback.annotate(
        version_id=F("prediction__version_id"),
        answer=F("prediction__answer"),
        bin=confidence_bin("prediction__confidence", NUM_BINS),
    )


def predictions_of(scope: Scope) -> QuerySet[Prediction]:
    """The rows themselves, whatever is summed up."""
    return _predictions(scope, Reach(Q(), ((scope.period.since, scope.period.until),)))


def _predictions(scope: Scope, of: Reach) -> QuerySet[Prediction]:
    rows = _of_version(Prediction.objects.filter(of.rows()), scope)
    return rows.of(scope.person) if scope.person else rows


def _feedback(scope: Scope, of: Reach) -> QuerySet[Feedback]:
    rows = opinions_binned(Feedback.objects.filter(of.rows("prediction__")))
    rows = _of_version(rows, scope)
    return rows.filter(prediction__person=scope.person) if scope.person else rows


def _of_version(rows: _Rows, scope: Scope) -> _Rows:
    return rows.filter(version_id=scope.version) if scope.version else rows


def _bucketed(rows: _Rows, field: str, step: timedelta) -> _Rows:
    return rows.annotate(bucket=Bucket(field, step))


def _unordered(rows: QuerySet[Any], keys: Iterable[str], **sums: Any) -> QuerySet[Any, Any]:
    counted: QuerySet[Any, Any] = rows.order_by().values_list(*keys).annotate(**sums)
    return counted


def _add_up(
    rows: Iterable[tuple[Any, ...]], num_keys: int, num_columns: int
) -> dict[tuple[Any, ...], Totals]:
    totals: dict[tuple[Any, ...], Totals] = defaultdict(Totals)
    for row in rows:
        key, (number, confidence_sum) = row[:num_keys], row[num_columns:]
        totals[key] = totals[key].plus(number, confidence_sum)
    return totals
