"""From a click to a kept opinion: what it means, whose it is, what it allows."""

from django.db import transaction
from django.utils.translation import gettext as _

from classifier import telemetry
from classifier.models import Prediction
from feedback.consent import allow, remember, remembered, take_back
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
    consent: bool | None = None,
) -> tuple[Feedback, bool]:
    """Keep a person's opinion in the place of what they said before.

    Args:
        prediction: What it is about.
        person: Whose it is, by `classifier.callers.person_of`.
        label: What the photo shows to them: one of the labels, or `neither`.
        correct: Whether the answer was right. Either this or `label`, not both.
        comment: In their words.
        consent: Whether we may train on the photo, which then loses its end date; None: what this
            person said in general, else no. Only whoever sent the photo can say so.

    Returns:
        The feedback, and whether it is this person's first on this prediction.

    Raises:
        FeedbackError: with the code `invalid` or `unknown_label`.
    """
    label, agrees = _meaning(prediction, label, correct)
    said = {"label": label, "agrees": agrees, "comment": comment}
    with transaction.atomic():
        feedback, is_first = Feedback.objects.update_or_create(
            prediction=prediction, person=person, defaults=said
        )
        _set_consent(feedback, prediction, consent)
    telemetry.count_feedback(feedback.agrees)
    return feedback, is_first


def withdraw_feedback(prediction: Prediction, person: str) -> None:
    """Forget a person's opinion, as if it had never been given; a second time changes nothing."""
    said = Feedback.objects.by(person).filter(prediction=prediction)
    with transaction.atomic():
        take_back(said)
        said.delete()


def answer_consent(feedback: Feedback, may_learn: bool) -> None:
    """A person's answer to the question under their feedback: for this photo and later ones."""
    with transaction.atomic():
        remember(feedback.person, may_learn)
        _set_consent(feedback, feedback.prediction, may_learn)


def _set_consent(feedback: Feedback, prediction: Prediction, consent: bool | None) -> None:
    if consent is None:
        consent = bool(remembered(feedback.person))
    is_theirs_to_give = feedback.person == prediction.person and prediction.photo_is_kept
    this = Feedback.objects.filter(pk=feedback.pk)
    (allow if consent and is_theirs_to_give else take_back)(this)
    feedback.refresh_from_db(fields=["consent"])
    prediction.refresh_from_db(fields=["keep_until"])


def _meaning(prediction: Prediction, label: str | None, correct: bool | None) -> tuple[str, bool]:
    """The label that was meant, empty if unknown, and whether it agrees with our answer."""
    # Who is told "unsure" and says "right" means the label that we named first.
    ours = prediction.label if prediction.is_unsure else prediction.answer
    if (label is None) == (correct is None):
        raise FeedbackError(_("Send either 'label' or 'correct'."), code="invalid", field=None)
    if label is None:
        return (ours, True) if correct else ("", False)
    known = [value for value, _text in prediction.choices]
    if label not in known:
        raise FeedbackError(
            _("%(label)s is not a label of this prediction: %(known)s.")
            % {"label": repr(label), "known": ", ".join(known)},
            code="unknown_label",
            field="label",
        )
    return label, label == ours
