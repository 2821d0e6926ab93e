"""Which photos wait for a reviewer: written down, for they are few among very many that do not.

Whether one waits depends on three tables, and ten million predictions make the question slow. The
database notes each photo of which it may have changed (`monitoring.watching`); these few are looked
at anew, all others are counted as they were written down. So the count is exact at any time.
"""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Exists, Min, OuterRef, QuerySet

from feedback.models import Feedback, Review
from monitoring.models import RollUp, TouchedPhoto, WaitingPhoto

# So many notes are worked off in one transaction: on SQLite nobody can write meanwhile.
_NOTES_AT_ONCE = 5_000
# With more photos touched since, they are all counted anew, which needs no list of them.
_FEW = 1_000


def count() -> int:
    """How many photos wait: with feedback that may be learnt from, and no reviewer's decision."""
    touched = list(
        TouchedPhoto.objects.values_list("photo_sha256", flat=True).distinct()[: _FEW + 1]
    )
    if len(touched) > _FEW or not RollUp.objects.filter(waiting_is_known=True).exists():
        # In PostgreSQL much faster than COUNT(DISTINCT …), which sorts.
        return _photos(_waiting()).count()
    written_down = WaitingPhoto.objects.exclude(pk__in=touched).count()
    return written_down + (_photos(_waiting(touched)).count() if touched else 0)


def keep_up() -> int:
    """Look anew at the photos that were touched; the first time, at all. Twice is no harm.

    Several processes may do it at once: they take turns.

    Returns:
        How many photos were looked at.
    """
    if not RollUp.objects.filter(waiting_is_known=True).exists():
        _write_all_down()
    seen = 0
    while photos := _look_again():
        seen += photos
    return seen


def _write_all_down() -> None:
    RollUp.objects.get_or_create(pk=1)
    with transaction.atomic():
        state = RollUp.objects.select_for_update().get(pk=1)
        WaitingPhoto.objects.all().delete()
        _write_down(_waiting())
        # What is noted meanwhile, or was before, is looked at again.
        state.waiting_is_known = True
        state.save(update_fields=["waiting_is_known"])


def _look_again() -> int:
    if not TouchedPhoto.objects.exists():
        return 0
    with transaction.atomic():
        RollUp.objects.select_for_update().get(pk=1)
        # The notes first: what is noted while we look is looked at again next time.
        notes = dict(TouchedPhoto.objects.values_list("pk", "photo_sha256")[:_NOTES_AT_ONCE])
        touched = set(notes.values())
        WaitingPhoto.objects.filter(pk__in=touched).delete()
        _write_down(_waiting(touched))
        TouchedPhoto.objects.filter(pk__in=notes).delete()
    return len(touched)


def _waiting(among: Iterable[str] | None = None) -> QuerySet[Feedback]:
    """Feedback that lets us learn from a photo that nobody has decided on."""
    teaching = Feedback.objects.to_learn_from()
    if among is not None:
        teaching = teaching.filter(prediction__photo_sha256__in=among)
    same_photo = OuterRef("prediction__photo_sha256")
    return teaching.exclude(Exists(Review.objects.decided().filter(photo_sha256=same_photo)))


def _photos(feedback: QuerySet[Feedback]) -> QuerySet[Feedback, Any]:
    return feedback.order_by().values("prediction__photo_sha256").distinct()


def _write_down(feedback: QuerySet[Feedback]) -> None:
    photos = (
        feedback.order_by().values("prediction__photo_sha256").annotate(since=Min("created_at"))
    )
    WaitingPhoto.objects.bulk_create(
        (WaitingPhoto(each["prediction__photo_sha256"], each["since"]) for each in photos),
        batch_size=2000,
    )
