"""A small world with known answers: some days of predictions, feedback, refusals, reviews, runs."""

from datetime import timedelta

from classifier.models import ModelVersion, Prediction, RefusalCount
from feedback.models import Feedback, Review, TrainingRun
from monitoring.models import Baseline, Holdout
from monitoring.periods import Period
from monitoring.rollup import roll_up
from tests.monitoring.rows import NEW, NOW, OLD, some_rows, store

SCORES = {
    "accuracy": 0.96,
    "count": 1000,
    "told": {"answered": 0.9, "right": 0.98, "unsure": 0.08, "neither": 0.02},
    "confusion": {"cat": {"cat": 480, "dog": 20}, "dog": {"cat": 30, "dog": 470}},
}


def seed(count=300):
    """Store it all; returns a period that holds all predictions but the first and the last ones."""
    rows = some_rows(count)
    predictions = store(rows)
    ModelVersion.objects.get(pk=OLD).promote("a person")
    ModelVersion.objects.get(pk=NEW).promote("another")
    ModelVersion.objects.filter(pk=NEW).update(scores=SCORES, withdrawn_photos=3)
    ModelVersion.objects.update(promoted_at=NOW - timedelta(hours=40))
    for promotion in ModelVersion.objects.get(pk=NEW).promotions.all():
        promotion.at = NOW - timedelta(hours=40)
        promotion.save()
    Feedback.objects.update(created_at=NOW - timedelta(hours=1))
    _refusals()
    _loop(predictions)
    roll_up(NOW)
    _baseline()
    times = sorted(row.at for row in rows)
    return Period(times[2], times[-2])


def _refusals():
    for hours, code, number in ((1, "broken_image", 5), (1, "too_large", 2), (30, "too_large", 4)):
        minute = (NOW - timedelta(hours=hours)).replace(second=0)
        RefusalCount.objects.create(minute=minute, code=code, count=number)


def _loop(predictions):
    """Of four judged photos that may be learnt from, two are decided; two runs, one failed."""
    judged = [p for p in predictions if p.feedback.exists()][:4]
    chosen = [p.pk for p in judged]
    Prediction.objects.filter(pk__in=chosen).update(keep_until=None)
    Feedback.objects.filter(prediction__in=chosen).update(consent=True)
    for prediction, label in zip(judged[:2], ("cat", ""), strict=True):
        Review.objects.create(
            photo_sha256=prediction.photo_sha256,
            prediction=prediction,
            decided_at=NOW - timedelta(hours=3),
            label=label,
        )
    for state, hours in (("done", 20), ("failed", 2)):
        begun = NOW - timedelta(hours=hours)
        TrainingRun.objects.create(
            state=state,
            created_at=begun,
            started_at=begun,
            finished_at=begun + timedelta(seconds=90),
            num_photos=7,
            log="a secret",
        )


def _baseline():
    bins = {
        "answer": {"cat": 600, "dog": 300, "unsure": 100},
        "photo_format": {"JPEG": 1000},
        "confidence": {str(bin): 20 for bin in range(55, 105)},
        "novelty": {str(bin): 20 for bin in range(50, 100)},
        "pixels": {str(bin): 50 for bin in range(70, 90)},
        "bytes": {str(bin): 50 for bin in range(60, 80)},
    }
    on_holdout = {
        "confidence": {str(bin): 18 for bin in range(52, 102)},
        "novelty": {str(bin): 15 for bin in range(10, 70)},
    }
    Holdout.objects.create(version_id=NEW, count=900, bins=on_holdout)
    Baseline.objects.create(version_id=NEW, until=NOW - timedelta(days=9), count=1000, bins=bins)
