"""Whether we may learn from a person's photos: remembered, given for all of them, taken back."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from classifier import journal, unlearning
from classifier.classify import erase_prediction
from classifier.models import Prediction, PredictionQuerySet
from feedback.models import Consent, Feedback, FeedbackQuerySet

_AT_ONCE = 100  # predictions held in memory while all of a person's are erased


@dataclass(frozen=True)
class Kept:
    """How much we keep of a person: answers logged, photos still there, photos to learn from."""

    answers: int
    photos: int
    to_learn_from: int


def kept_of(person: str) -> Kept:
    own = Prediction.objects.of(person)
    photos = own.filter(photo_is_kept=True).order_by().values("photo_sha256").distinct()
    return Kept(
        answers=own.count(),
        photos=photos.count(),
        to_learn_from=Feedback.objects.by(person).to_learn_from().photos().count(),
    )


def remembered(person: str) -> bool | None:
    """What a person said in general; None if they were never asked, or did not answer."""
    return Consent.objects.filter(person=person).values_list("may_learn", flat=True).first()


def remember(person: str, may_learn: bool) -> None:
    """Keep a person's answer for the feedback that they give from now on."""
    Consent.objects.update_or_create(person=person, defaults={"may_learn": may_learn})


def consent_to_all(person: str) -> None:
    """We may learn from the photos that a person tells us about, and from those so far."""
    with transaction.atomic():
        remember(person, True)
        allow(Feedback.objects.by(person).on_their_own_photo())


def take_back_all(person: str) -> None:
    """We may learn from none of a person's photos any more."""
    with transaction.atomic():
        remember(person, False)
        take_back(Feedback.objects.by(person))


def allow(feedback: FeedbackQuerySet) -> None:
    """Let us learn from the photos that this feedback is about: they lose their end date."""
    with transaction.atomic():
        _predictions_of(feedback).update(keep_until=None)
        feedback.update(consent=True)


def take_back(feedback: FeedbackQuerySet) -> None:
    """Learn no more from the photos that this feedback is about: their end date comes back.

    All or nothing: consent is not gone until versions that learnt from the photos are marked.
    """
    feedback = feedback.consented()
    keep_for = timedelta(days=settings.PHOTO_KEEP_DAYS)
    with transaction.atomic():
        photos = list(feedback.photos())
        _predictions_of(feedback).update(keep_until=F("created_at") + keep_for)
        feedback.update(consent=False)
        for sha256 in photos:
            unlearning.unlearn_unless_allowed(sha256)


def erase_all(person: str) -> None:
    """Remove all that we keep of a person: photos, answers, feedback, what they consented to.

    Cut short, it has erased some of it; a second time erases the rest.

    Raises:
        Waiting: if an answer of theirs is still on its way to the database.
    """
    journal.settle(person)
    while some := list(Prediction.objects.of(person)[:_AT_ONCE]):
        for prediction in some:
            erase_prediction(prediction)
    Feedback.objects.by(person).delete()  # on other people's photos: staff give some
    Consent.objects.filter(person=person).delete()


def _predictions_of(feedback: FeedbackQuerySet) -> PredictionQuerySet:
    return Prediction.objects.filter(pk__in=feedback.order_by().values("prediction"))
