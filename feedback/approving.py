"""Many decisions at once: what people said is approved, or left out of training."""

from collections import Counter
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _

from classifier.models import Prediction
from feedback.models import Feedback, FeedbackQuerySet, Review
from feedback.review import choices


@dataclass(frozen=True)
class Approval:
    """How many photos were approved, and why others were not: reason -> how many."""

    approved: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)


def approve(feedback: FeedbackQuerySet, reviewer: User) -> Approval:
    """Decide that each photo shows what the person says. Decisions made before stay."""
    obstacles = _Obstacles(feedback)
    approved: set[str] = set()
    passed_over: Counter[str] = Counter()
    for each in feedback.select_related("prediction").order_by("id"):
        photo = each.prediction.photo_sha256
        if reason := obstacles.of(each):
            passed_over[reason] += 1
        elif photo not in approved:
            _decide(each.prediction, reviewer, each.label)
            approved.add(photo)
    return Approval(len(approved), passed_over)


def leave_out(feedback: FeedbackQuerySet, reviewer: User) -> int:
    """Decide that nothing is to be learnt from these photos, whatever was decided before.

    Returns:
        How many photos that were.
    """
    photos = {each.prediction.photo_sha256: each for each in feedback.select_related("prediction")}
    for each in photos.values():
        _decide(each.prediction, reviewer, "")
    return len(photos)


class _Obstacles:
    """What keeps feedback from being approved; asks the database once for all of it."""

    def __init__(self, feedback: FeedbackQuerySet) -> None:
        same_photos = Feedback.objects.filter(prediction__photo_sha256__in=feedback.photos())
        self._allowed = set(same_photos.to_learn_from().photos())
        within = Feedback.objects.to_learn_from().within_daily_limit()
        self._within_limit = set(within.filter(pk__in=same_photos.values("pk")).photos())
        reviews = Review.objects.decided().about_photos_of(feedback)
        self._decided = set(reviews.values_list("photo_sha256", flat=True))
        self._known = choices()
        said = feedback.naming_a_label().order_by()
        pairs = set(said.values_list("prediction__photo_sha256", "label"))
        self._labels = Counter(photo for photo, _label in pairs)

    def of(self, feedback: Feedback) -> str:
        """Why this one cannot be approved; empty if it can."""
        photo = feedback.prediction.photo_sha256
        reasons = {
            _("without a label"): not feedback.label,
            _("whose photo may not be learnt from, or is gone"): photo not in self._allowed,
            _("beyond what one person can teach on one day"): photo not in self._within_limit,
            _("decided already"): photo in self._decided,
            _("with a label that the live version does not have"): feedback.label
            not in self._known,
            _("on a photo of which others chosen here say something else"): self._labels[photo] > 1,
        }
        return next((reason for reason, holds in reasons.items() if holds), "")


def _decide(prediction: Prediction, reviewer: User, label: str) -> None:
    decision = {
        "prediction": prediction,
        "reviewer": reviewer,
        "decided_at": timezone.now(),
        "label": label,
    }
    Review.objects.update_or_create(photo_sha256=prediction.photo_sha256, defaults=decision)
