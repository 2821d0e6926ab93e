"""Keep the sums by the hour: each hour once it is over, and again when it was touched later."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import repeat
from typing import Any

from django.db import transaction
from django.db.models import Count, F, QuerySet, Sum
from django.utils import timezone

from classifier.models import Prediction
from feedback.models import Feedback
from monitoring import holdout, waiting
from monitoring.bins import MEASURES
from monitoring.counting import HAVING_FEEDBACK, binned, opinions_binned
from monitoring.models import (
    Baseline,
    Hourly,
    HourlyAnswers,
    HourlyBins,
    HourlyOpinions,
    RollUp,
    TouchedHour,
)
from monitoring.periods import HOUR, floor
from monitoring.reach import Bucket, Stretch, within

# Three times as long as the database notes no change of a row: see `monitoring.watching`.
CLOSED_AFTER = timedelta(minutes=15)

# One transaction sums up at most so much: on SQLite nobody can write meanwhile.
_HOURS_AT_ONCE = 24
_NOTES_AT_ONCE = 10_000

# A version's first predictions, by which later ones are judged.
BASELINE_PREDICTIONS = 1000


def roll_up(
    now: datetime | None = None,
    say: Callable[[datetime], None] = lambda until: None,
    steps: int | None = None,
    learn: Callable[[], None] = holdout.learn_missing,
) -> int:
    """Sum up the hours that are over, and those that changed since. Doing it twice is fine.

    Several processes may do it at once: they take turns.

    Args:
        now: The time.
        say: Called with the time up to which all is summed up, after each step.
        steps: Stop after so many; each sums up a day at most. Who answers a request says 1, so that
            years of predictions that nobody summed up yet keep nobody waiting.
        learn: Gets what the live version says of its holdout, where that is missing.

    Returns:
        How many hours were summed up.
    """
    until = floor((now or timezone.now()) - CLOSED_AFTER, HOUR)
    hours = 0
    for _ in repeat(None) if steps is None else range(steps):
        done = _go_on(until, say) or _redo_touched()
        if not done:
            break
        hours += done
    if hours:
        _set_baselines()
    waiting.keep_up()
    learn()
    return hours


def _go_on(until: datetime, say: Callable[[datetime], None]) -> int:
    """Sum up the next hours, of which there may be none."""
    RollUp.objects.get_or_create(pk=1)
    with transaction.atomic():
        state = RollUp.objects.select_for_update().get(pk=1)
        begin = state.rolled_until or _first_hour()
        if state.rolled_until and state.rolled_until > until:
            # The clock was put back: what comes now in hours that seemed over is yet to be counted.
            state.rolled_until = until
            state.save(update_fields=["rolled_until"])
        if begin is None or begin >= until:
            return 0
        end = min(begin + _HOURS_AT_ONCE * HOUR, until)
        # What is noted on these hours so far is in what is counted now.
        notes = TouchedHour.objects.filter(hour__gte=begin, hour__lt=end)
        seen = list(notes.values_list("pk", flat=True)[:_NOTES_AT_ONCE])
        _sum_up([(begin, end)])
        TouchedHour.objects.filter(pk__in=seen).delete()
        state.rolled_until = end
        state.save()
    say(end)
    return (end - begin) // HOUR


def _redo_touched() -> int:
    """Sum up anew what the database noted."""
    with transaction.atomic():
        state = RollUp.objects.select_for_update().filter(pk=1).first()
        # The notes first: what is noted while we count is counted again next time.
        notes = list(TouchedHour.objects.order_by("pk").values_list("pk", "hour")[:_NOTES_AT_ONCE])
        hours = sorted({hour for _, hour in notes})
        if state is None or state.rolled_until is None:
            return 0
        hours = [hour for hour in hours if hour < state.rolled_until]  # later ones are yet to come
        for first in range(0, len(hours), _HOURS_AT_ONCE):
            _sum_up([(hour, hour + HOUR) for hour in hours[first : first + _HOURS_AT_ONCE]])
        TouchedHour.objects.filter(pk__in=[pk for pk, _ in notes]).delete()
    return len(hours)


def _first_hour() -> datetime | None:
    first = Prediction.objects.order_by("created_at").values_list("created_at", flat=True).first()
    return first and floor(first, HOUR)


def _sum_up(stretches: list[Stretch]) -> None:
    """Put the sums of some whole hours in the place of those that are there."""
    for sums in (HourlyAnswers, HourlyOpinions, HourlyBins):
        sums.objects.filter(within("hour", stretches)).delete()
    predictions = Prediction.objects.filter(within("created_at", stretches)).annotate(
        bucket=Bucket("created_at", HOUR)
    )
    _store(
        HourlyAnswers,
        predictions,
        ("bucket", "version_id", "answer", "label", "photo_format"),
        count=Count("pk"),
        confidence_sum=Sum("confidence"),
        with_feedback=HAVING_FEEDBACK,
    )
    for measure in MEASURES:
        keys = ("bucket", "version_id", "measure", "bin")
        _store(HourlyBins, binned(predictions, measure), keys, count=Count("pk"))
    opinions = Feedback.objects.filter(within("prediction__created_at", stretches)).annotate(
        bucket=Bucket("prediction__created_at", HOUR)
    )
    _store(
        HourlyOpinions,
        opinions_binned(opinions),
        ("bucket", "version_id", "answer", "bin", "agrees"),
        count=Count("pk"),
        confidence_sum=Sum("prediction__confidence"),
    )


def _store(sums: type[Hourly], rows: QuerySet[Any], keys: tuple[str, ...], **counted: Any) -> None:
    # Under names of their own: a sum may not be called like a field of what is summed up.
    aliases = {f"sum_{name}": aggregate for name, aggregate in counted.items()}
    names = [*("hour" if key == "bucket" else key for key in keys), *counted]
    sums._default_manager.bulk_create(
        (
            sums(**dict(zip(names, (Bucket.beginning(row[0]), *row[1:]), strict=True)))
            for row in rows.order_by().values_list(*keys).annotate(**aliases)
        ),
        batch_size=2000,
    )


def _set_baselines() -> None:
    """Keep what the first predictions of each version look like, once there are enough."""
    new = HourlyAnswers.objects.exclude(version__in=Baseline.objects.values("version"))
    totals = new.values_list("version").annotate(n=Sum("count"))
    for version, _ in totals.filter(n__gte=BASELINE_PREDICTIONS):
        _set_baseline(version)


def _set_baseline(version: str) -> None:
    hours = (
        HourlyAnswers.objects.filter(version=version)
        .values_list("hour")
        .annotate(n=Sum("count"))
        .order_by("hour")
    )
    begin, seen, end = None, 0, None
    for hour, count in hours:
        begin, end, seen = begin or hour, hour + HOUR, seen + count
        if seen >= BASELINE_PREDICTIONS:
            break
    first = Prediction.objects.filter(
        version=version, created_at__gte=begin, created_at__lt=end
    ).order_by("created_at", "pk")[:BASELINE_PREDICTIONS]
    bins = {name: _tally(first, measure.bin) for name, measure in MEASURES.items()}
    bins |= {name: _tally(first, F(name)) for name in ("answer", "photo_format")}
    last = max(first.values_list("created_at", flat=True), default=None)
    if last is not None:
        Baseline.objects.get_or_create(
            version_id=version,
            defaults={"until": last, "count": sum(bins["answer"].values()), "bins": bins},
        )


def _tally(predictions: QuerySet[Prediction], of: Any) -> dict[str, int]:
    """How many have each value; None is none."""
    values = predictions.annotate(value=of).values_list("value", flat=True)
    return dict(Counter(str(value) for value in values if value is not None))
