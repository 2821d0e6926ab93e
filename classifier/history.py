"""A person's own answers, newest first, in pages that stay right while new ones come in."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from classifier.models import Prediction, PredictionQuerySet

PAGE = 24
# What a person said of an answer: as it stands in addresses, and in words.
SAID = {
    "right": _("I said right"),
    "wrong": _("I said wrong"),
    "nothing": _("No feedback yet"),
}


@dataclass(frozen=True)
class Entry:
    """One answer and what the person said of it, if anything."""

    prediction: Prediction
    feedback: Any  # feedback.models.Feedback, which this app does not know


@dataclass(frozen=True)
class Page:
    """Some answers, and the one behind which older ones begin; none: these are the last."""

    entries: list[Entry]
    last: uuid.UUID | None


@dataclass(frozen=True)
class Wanted:
    """Which of a person's answers are to be shown.

    Attributes:
        answer: A label, `unsure`, `neither`; all if empty.
        said: A key of `SAID`; all if empty.
    """

    answer: str = ""
    said: str = ""

    @property
    def query(self) -> dict[str, str]:
        """As it stands in an address."""
        return {name: value for name, value in vars(self).items() if value}


class History:
    """What one person was answered.

    Args:
        person: By `classifier.callers.person_of`. Where only an address is known, there is nothing
            to show: many may share it.
    """

    def __init__(self, person: str) -> None:
        self.person = person
        self.own = Prediction.objects.of(person)
        if person.startswith("address:"):
            self.own = self.own.none()

    def answers(self) -> list[str]:
        """Every kind of answer the person got, in order."""
        return sorted(set(self.own.order_by().values_list("answer", flat=True).distinct()))

    def page(self, wanted: Wanted, before: uuid.UUID | None = None) -> Page:
        """The newest answers, or those older than one of them."""
        found = self._matching(wanted)
        if before:
            found = found.before(before)
        # One more than fits tells whether there are older ones.
        some = list(found.prefetch_related("feedback")[: PAGE + 1])
        entries = [Entry(prediction, self._said_of(prediction)) for prediction in some[:PAGE]]
        return Page(entries, entries[-1].prediction.pk if len(some) > PAGE else None)

    def _matching(self, wanted: Wanted) -> PredictionQuerySet:
        found = self.own
        if wanted.answer:
            found = found.answered(wanted.answer)
        match wanted.said:
            case "right" | "wrong":
                return found.judged_by(self.person, right=wanted.said == "right")
            case "nothing":
                return found.not_judged_by(self.person)
        return found

    def _said_of(self, prediction: Prediction) -> Any:
        opinions = prediction.feedback.all()
        return next((each for each in opinions if each.person == self.person), None)
