"""From a click to a kept opinion: what it means, whose it is, what it allows."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction

from classifier import telemetry
from classifier.models import Prediction
from feedback.models import Feedback


class FeedbackError(Exception):
    """Why an opinion cannot be kept; `code` and `field` are the API's."""

    def __init__(self, message: str, *, code: str, field: str | None) -> None:
        super().__init__(message)
        self.code = code
        self.field = field


def give_feedback(
    prediction: Prediction,
    *,
    person: str,
    label: str | None = None,
    correct: bool | None = None,
    comment: str = "",
    consent: bool = False,
) -> tuple[Feedback, bool]:
    """Keep a person's opinion in the place of what they said before.

    Args:
        prediction: What it is about.
        person: Whose it is, by `classifier.callers.person_of`.
        label: What the photo shows to them: one of the labels, or `neither`.
        correct: Whether the answer was right. Either this or `label`, not both.
        comment: In their words.
        consent: Whether we may train on the photo, which then loses its end date. Only whoever
            sent the photo can say so.

    Returns:
        The feedback, and whether it is this person's first on this prediction.

    Raises:
        FeedbackError: with the code `invalid` or `unknown_label`.
    """
    label, agrees = _meaning(prediction, label, correct)
    is_owner = person == prediction.person
    said = {
        "label": label,
        "agrees": agrees,
        "comment": comment,
        "consent": consent and is_owner,
    }
    with transaction.atomic():
        feedback, is_first = Feedback.objects.update_or_create(
            prediction=prediction, person=person, defaults=said
        )
        if is_owner:
            _set_end_date(prediction, consent)
    telemetry.count_feedback(feedback.agrees)
    return feedback, is_first


def _meaning(prediction: Prediction, label: str | None, correct: bool | None) -> tuple[str, bool]:
    """The label that was meant, empty if unknown, and whether it agrees with our answer."""
    # Who is told "unsure" and says "right" means the label that we named first.
    ours = prediction.label if prediction.is_unsure else prediction.answer
    if (label is None) == (correct is None):
        raise FeedbackError("Send either 'label' or 'correct'.", code="invalid", field=None)
    if label is None:
        return (ours, True) if correct else ("", False)
    known = [value for value, _ in prediction.choices]
    if label not in known:
        raise FeedbackError(
            f"{label!r} is not a label of this prediction: {', '.join(known)}.",
            code="unknown_label",
            field="label",
        )
    return label, label == ours


def _set_end_date(prediction: Prediction, consent: bool) -> None:
    keep_for = timedelta(days=settings.PHOTO_KEEP_DAYS)
    prediction.keep_until = None if consent else prediction.created_at + keep_for
    prediction.save(update_fields=["keep_until"])
