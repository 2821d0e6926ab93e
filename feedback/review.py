"""Which photo a reviewer looks at next, whose it is meanwhile, and what they decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, Subquery, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from classifier import storage
from classifier.models import ModelVersion, Prediction, PredictionQuerySet
from feedback.models import Feedback, Review
from ml.inference import NEITHER, UNSURE

# We say "neither" at a half (see ml.novelty); from half as much on, a photo is worth a look.
_NOVEL = 0.25
# Where photo after photo turns out to be lost or taken, give up for now.
_TRIES = 20


class ReviewError(Exception):
    """A decision that cannot be kept; the message says why, for the reviewer."""


class UnknownLabel(ReviewError):
    """The label is none of the choices."""


@dataclass(frozen=True)
class Opinion:
    """What a person said of a photo."""

    label: str
    agrees: bool
    comment: str
    is_senders: bool


def choices() -> list[str]:
    """What a photo may be said to show: the live version's labels, and `neither`."""
    live = ModelVersion.objects.live().first()
    return [*live.labels, NEITHER] if live else []


def left_to(reviewer: User) -> int:
    """How many photos wait for this reviewer, the one they hold included."""
    waiting = _waiting_for(reviewer, timezone.now())
    return waiting.order_by().values("photo_sha256").distinct().count()


def opinions_on(prediction: Prediction) -> list[Opinion]:
    """What people said of a photo, whoever sent it, the latest last."""
    said = Feedback.objects.about_photo(prediction.photo_sha256).select_related("prediction")
    return [
        Opinion(each.label, each.agrees, each.comment, each.person == each.prediction.person)
        for each in said.order_by("id")
    ]


def claim_next(reviewer: User, skipped: Sequence[str] = ()) -> Review | None:
    """The photo that this reviewer looks at next, theirs alone for five minutes.

    Args:
        reviewer: Who looks. What they hold already is held on to.
        skipped: SHA-256 of the photos that they want to see after all others, in this order.

    Returns:
        The claim; None where nothing waits for them.
    """
    if held := _renew(reviewer):
        return held
    lost: list[str] = []
    for _try in range(_TRIES):
        waiting = _waiting_for(reviewer, timezone.now()).exclude(photo_sha256__in=lost)
        prediction = _first(waiting, skipped)
        if prediction is None:
            return None
        if storage.path_of(prediction.photo_sha256) is None:
            lost.append(prediction.photo_sha256)
        elif claim := _claim(prediction, reviewer):
            return claim
    return None


def decide(prediction: Prediction, reviewer: User, label: str) -> str:
    """Keep what a reviewer says a photo shows. Once decided, a second time changes nothing.

    Args:
        prediction: Whose photo it is.
        reviewer: Who says so.
        label: One of `choices()`; empty: nothing is to be learnt from the photo.

    Returns:
        The label that is kept: where this reviewer had decided before, the earlier one.

    Raises:
        UnknownLabel: if it is none of these.
        ReviewError: if someone else has the photo, or has decided, or it may no longer be used.
    """
    if label not in ("", *choices()):
        raise UnknownLabel(
            _("“%(label)s” is no choice. There are: %(choices)s.")
            % {"label": label, "choices": ", ".join(choices())}
        )
    if not Prediction.objects.sharing_photo(prediction.photo_sha256).to_learn_from().exists():
        raise ReviewError(_("That photo may no longer be learnt from. On to the next one."))
    _claim(prediction, reviewer)
    reviews = Review.objects.filter(photo_sha256=prediction.photo_sha256)
    now = timezone.now()
    reviews.open_to(reviewer, now).update(reviewer=reviewer, decided_at=now, label=label)
    if decided := reviews.decided().by(reviewer).first():
        return decided.label
    raise ReviewError(_("Someone else has taken that photo meanwhile. On to the next one."))


def release(prediction: Prediction, reviewer: User) -> None:
    """Let go of a photo without a decision."""
    claims = Review.objects.undecided().by(reviewer)
    claims.filter(photo_sha256=prediction.photo_sha256).delete()


def last_decision(reviewer: User) -> Review | None:
    """What `undo` would undo."""
    decided = Review.objects.by(reviewer).decided().to_learn_from()
    return decided.order_by("-decided_at", "-pk").first()


def undo(reviewer: User) -> Review | None:
    """Make a reviewer's last decision their claim again, in the place of what they hold.

    Returns:
        The claim; None where they have decided nothing that could be undone.
    """
    last = last_decision(reviewer)
    if last is None:
        return None
    with transaction.atomic():
        Review.objects.undecided().by(reviewer).delete()
        still = Review.objects.filter(pk=last.pk).by(reviewer).decided()
        still.update(decided_at=None, label="", claimed_at=timezone.now())
    return last


def _waiting_for(reviewer: User, now: datetime) -> PredictionQuerySet:
    """Predictions whose photo may be learnt from, and is neither decided nor another's."""
    teaching = Feedback.objects.to_learn_from().within_daily_limit()
    gone = Review.objects.decided() | Review.objects.held_by_others(reviewer, now)
    return Prediction.objects.filter(pk__in=teaching.values("prediction")).exclude(
        photo_sha256__in=gone.values("photo_sha256")
    )


def _first(waiting: PredictionQuerySet, skipped: Sequence[str]) -> Prediction | None:
    """The most useful one; of those that were skipped, the one skipped first."""
    if useful := _most_useful_first(waiting.exclude(photo_sha256__in=skipped)).first():
        return useful
    order = [When(photo_sha256=sha256, then=place) for place, sha256 in enumerate(skipped)]
    if not order:
        return None
    again = waiting.filter(photo_sha256__in=skipped)
    return again.order_by(Case(*order, output_field=IntegerField()), "id").first()


def _most_useful_first(waiting: PredictionQuerySet) -> PredictionQuerySet:
    """Contradicted photos, then those that people disagree on, then what we were unsure of."""
    same_photo = Feedback.objects.about_photo(OuterRef("photo_sha256")).order_by()
    labels = same_photo.naming_a_label().values("prediction__photo_sha256")
    return waiting.annotate(
        contradicted=Exists(same_photo.filter(agrees=False)),
        num_labels=Coalesce(
            Subquery(labels.annotate(n=Count("label", distinct=True)).values("n")), 0
        ),
        disputed=Q(num_labels__gt=1),
        unsure=Q(answer=UNSURE),
        novel=Q(answer=NEITHER) | Q(novelty__gte=_NOVEL, novelty__isnull=False),
    ).order_by("-contradicted", "-disputed", "-unsure", "-novel", "confidence", "id")


def _renew(reviewer: User) -> Review | None:
    """What the reviewer holds, for another five minutes; if it may still be learnt from."""
    held = Review.objects.undecided().by(reviewer).to_learn_from()
    for claim in held.select_related("prediction"):
        mine = Review.objects.undecided().by(reviewer).filter(pk=claim.pk)
        if storage.path_of(claim.photo_sha256) and mine.update(claimed_at=timezone.now()):
            return claim
    return None


def _claim(prediction: Prediction, reviewer: User) -> Review | None:
    """Take a photo that nobody holds; None if somebody was faster.

    No lock: the database lets one of two insertions through, and one of two updates find its row.
    """
    now = timezone.now()
    sha256 = prediction.photo_sha256
    free = Review.objects.filter(photo_sha256=sha256).open_to(reviewer, now)
    if free.update(reviewer=reviewer, claimed_at=now, prediction=prediction):
        return Review.objects.select_related("prediction").get(photo_sha256=sha256)
    try:
        with transaction.atomic():
            return Review.objects.create(
                photo_sha256=sha256, prediction=prediction, reviewer=reviewer, claimed_at=now
            )
    except IntegrityError:
        return None
