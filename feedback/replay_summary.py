"""What a replay shows: where two versions differ, which is right more often, which is faster."""

from array import array
from collections import Counter
from statistics import median
from typing import Any

from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf

from feedback.models import Feedback, Replay, ReplayedAnswer, Review
from ml.promotion import chance_of_loss


def summary_of(replay: Replay) -> dict[str, Any]:
    """All but what only the run itself knows.

    Returns:
        Of JSON's types: `photos`, `matrix` (logged answer to new answer to count), `changed`,
        `paired` (see `paired_test`) and `logged_ms`, `version_ms`, medians, None without photos.
    """
    matrix = _matrix(replay)
    photos = sum(sum(row.values()) for row in matrix.values())
    same = sum(row.get(answer, 0) for answer, row in matrix.items())
    times = array("d"), array("d")
    pairs = replay.answers.values_list("prediction__inference_ms", "inference_ms")
    for logged, new in pairs.iterator():
        times[0].append(logged)
        times[1].append(new)
    return {
        "photos": photos,
        "matrix": matrix,
        "changed": photos - same,
        "paired": _paired(replay),
        "logged_ms": round(median(times[0]), 3) if photos else None,
        "version_ms": round(median(times[1]), 3) if photos else None,
    }


def changed(replay: Replay, old: str = "", new: str = "") -> QuerySet[ReplayedAnswer]:
    """The photos about which the two say different things, newest first.

    Args:
        replay: Whose.
        old: Only where the logged answer is this one.
        new: Only where the new answer is this one.
    """
    answers = replay.answers.exclude(answer=F("prediction__answer"))
    if old:
        answers = answers.filter(prediction__answer=old)
    if new:
        answers = answers.filter(answer=new)
    return with_truth(answers).select_related("prediction").order_by("-prediction_id")


def with_truth(answers: QuerySet[ReplayedAnswer]) -> QuerySet[Any]:
    """With what each photo shows, as `truth`: to a reviewer, else to who sent it, else empty."""
    reviews = Review.objects.approved().filter(photo_sha256=OuterRef("prediction__photo_sha256"))
    senders = Feedback.objects.filter(
        prediction=OuterRef("prediction"), person=OuterRef("prediction__person")
    )
    said = NullIf(Subquery(senders.values("label")[:1]), Value(""))
    return answers.annotate(truth=Coalesce(Subquery(reviews.values("label")[:1]), said, Value("")))


def paired_test(only_old: int, only_new: int) -> float:
    """How often chance alone would tell two equally good versions so far apart, or further.

    Args:
        only_old: Photos that only the old one is right about.
        only_new: Photos that only the new one is right about.

    Returns:
        The two-sided exact McNemar p-value, from 0 to 1.
    """
    return min(1.0, 2 * chance_of_loss(max(only_old, only_new), min(only_old, only_new)))


def _matrix(replay: Replay) -> dict[str, dict[str, int]]:
    cells = replay.answers.values_list("prediction__answer", "answer").annotate(Count("pk"))
    matrix: dict[str, dict[str, int]] = {}
    for old, new, count in cells.order_by("prediction__answer", "answer"):
        matrix.setdefault(old, {})[new] = count
    return matrix


def _paired(replay: Replay) -> dict[str, Any]:
    """Who is right about the photos of which somebody said what they show.

    Right is who says just that: `unsure` is not.
    """
    known = with_truth(replay.answers.all()).exclude(truth="")
    right = Counter(
        (old == truth, new == truth)
        for old, new, truth in known.values_list("prediction__answer", "answer", "truth").iterator()
    )
    only_old, only_new = right[True, False], right[False, True]
    return {
        "photos": right.total(),
        "both": right[True, True],
        "only_old": only_old,
        "only_new": only_new,
        "neither": right[False, False],
        "p": paired_test(only_old, only_new),
    }
