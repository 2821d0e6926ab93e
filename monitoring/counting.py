"""Count predictions and feedback: whole past hours from the sums, all else from the rows.

So a count is right at any moment, however long ago the sums were kept, and fast once they are.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum, Value

from classifier.models import Prediction
from feedback.models import Feedback
from ml.scores import NUM_BINS
from monitoring import once
from monitoring.bins import MEASURES, confidence_bin
from monitoring.models import HourlyAnswers, HourlyBins, HourlyOpinions
from monitoring.periods import HOUR
from monitoring.reach import Bucket, Reach, Scope, reach

_Rows = TypeVar("_Rows", bound=QuerySet[Any])

# What a page tells apart all in all, so that each of its figures is a sum of what was counted once.
_ANSWERS = ("bucket", "version_id", "answer", "photo_format")
_OPINIONS = ("bucket", "version_id", "answer", "bin", "agrees")
# These are shown over time, too.
_LATENCIES = ("inference_ms", "total_ms")


class Totals(NamedTuple):
    """So many, and the sum of the confidence of the predictions concerned."""

    number: int = 0
    confidence_sum: float = 0.0

    def plus(self, number: int, confidence_sum: float) -> "Totals":
        return Totals(self.number + number, self.confidence_sum + confidence_sum)


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
    if of is None and (page := once.page(scope, by, step)):
        asked = page.known("answers", lambda: _count_answers(page.scope, _ANSWERS, page.step))
        return _folded(asked, _ANSWERS, by, scope.version)
    return _count_answers(scope, by, step, of)


def _count_answers(
    scope: Scope, by: tuple[str, ...], step: timedelta, of: Reach | None = None
) -> dict[tuple[Any, ...], Totals]:
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
    if page := once.page(scope, by, step):
        asked = page.known("opinions", lambda: _count_opinions(page.scope, _OPINIONS, page.step))
        return _folded(asked, _OPINIONS, by, scope.version)
    return _count_opinions(scope, by, step)


def _count_opinions(
    scope: Scope, by: tuple[str, ...], step: timedelta
) -> dict[tuple[Any, ...], Totals]:
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
    page = once.page(scope, () if step is None else ("bucket",), step or HOUR)
    if page is None or measures != _LATENCIES or scope != page.scope:
        return _count_bins(scope, measures, step)
    counts = page.known("latencies", lambda: _count_bins(scope, measures, page.step))
    if step:
        return counts
    together: dict[str, dict[Any, int]] = {measure: defaultdict(int) for measure in measures}
    for measure, of_measure in counts.items():
        for (_, bin), count in of_measure.items():
            together[measure][bin] += count
    return together


def _count_bins(
    scope: Scope, measures: tuple[str, ...], step: timedelta | None
) -> dict[str, dict[Any, int]]:
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


def _folded(
    asked: dict[tuple[Any, ...], Totals],
    keys: tuple[str, ...],
    by: tuple[str, ...],
    version: str | None,
) -> dict[tuple[Any, ...], Totals]:
    """The sums over what is not told apart, of one version if one is named."""
    places, place_of_version = [keys.index(key) for key in by], keys.index("version_id")
    totals: dict[tuple[Any, ...], Totals] = defaultdict(Totals)
    for key, each in asked.items():
        if version in (None, key[place_of_version]):
            wanted = tuple(key[place] for place in places)
            totals[wanted] = totals[wanted].plus(*each)
    return totals
