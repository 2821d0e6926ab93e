"""A version asked about labelled photos: its scores over all of them and over slices."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ml.curves import risk_coverage, roc_area
from ml.examples import Example
from ml.features import each_photo
from ml.inference import Answer, Engine
from ml.photos import Photo, PhotoError
from ml.scores import Scores, Told, count_told, score_answers
from ml.slices import Traits, slices_of, traits_of

# Errors that are shown one by one.
NUM_ERRORS = 20


@dataclass(frozen=True)
class Asked:
    """Photos, and what a version says of each.

    Attributes:
        labels: The version's.
        examples: `n` photos.
        answers: As many.
    """

    labels: tuple[str, ...]
    examples: tuple[Example, ...]
    answers: tuple[Answer, ...]

    @cached_property
    def probabilities(self) -> np.ndarray:
        """Shape `(n, labels)`."""
        rows = [[answer.probabilities[label] for label in self.labels] for answer in self.answers]
        return np.array(rows)

    @cached_property
    def targets(self) -> np.ndarray:
        """Index of each photo's true label, shape `(n,)`."""
        return np.array([self.labels.index(example.label) for example in self.examples])

    @property
    def confidences(self) -> np.ndarray:
        """Probability of each photo's most probable label, shape `(n,)`."""
        return np.asarray(self.probabilities.max(axis=1))

    @property
    def is_right(self) -> np.ndarray:
        """Whether that label is the true one, `bool`, shape `(n,)`."""
        return np.asarray(self.probabilities.argmax(axis=1) == self.targets)

    def errors(self) -> list[tuple[Example, Answer]]:
        """The photos whose most probable label is wrong, surest first."""
        found = [(self.examples[i], self.answers[i]) for i in np.flatnonzero(~self.is_right)]
        return sorted(found, key=lambda error: -error[1].confidence)


@dataclass(frozen=True)
class Evaluation:
    """Scores of a version on a data set.

    Attributes:
        all: Over all photos.
        told: What people would have been told.
        slices: Name of a slice to its scores.
        roc_area: Area under the ROC curve, the mean over labels for more than two; None where all
            photos have one label.
        risk_area: Area under the risk–coverage curve, from 0 to 1, the lower the better.
        asked: The photos and the answers.
        broken: The photos that could not be decoded, and why.
    """

    all: Scores
    told: Told
    slices: dict[str, Scores]
    roc_area: float | None
    risk_area: float
    asked: Asked
    broken: tuple[tuple[Example, str], ...] = ()

    def for_card(self) -> dict[str, Any]:
        """As a version's card keeps it."""
        areas = {"roc_area": self.roc_area, "risk_area": self.risk_area}
        return {
            **rounded(asdict(self.all)),
            **rounded(areas),
            "told": rounded(asdict(self.told)),
            "slices": {name: rounded(asdict(scores)) for name, scores in self.slices.items()},
        }


def evaluate(engine: Engine, examples: Sequence[Example]) -> Evaluation:
    """Ask a version about photos and score its answers.

    Args:
        engine: The version, running exactly as it serves.
        examples: Photos whose labels it knows.

    Raises:
        ValueError: if no photo can be decoded, or a label is not one of the version's.
    """
    labels = engine.card.labels
    unknown = sorted({example.label for example in examples} - set(labels))
    if unknown:
        raise ValueError(f"The version knows {', '.join(labels)}. Received: {', '.join(unknown)}")

    def ask(photo: Photo, _: Example) -> tuple[Answer, Traits]:
        return engine.predict(photo.pixels), traits_of(photo)

    answered, broken = [], []
    for example, answer in each_photo(examples, ask, "Asking the version"):
        if isinstance(answer, PhotoError):
            broken.append((example, str(answer)))
        else:
            answered.append((example, *answer))
    if not answered:
        raise ValueError(f"None of {len(examples)} photos can be decoded.")
    shown, answers, traits = zip(*answered, strict=True)
    return score(shown, answers, traits, labels, tuple(broken))


def score(
    examples: Sequence[Example],
    answers: Sequence[Answer],
    traits: Sequence[Traits],
    labels: Sequence[str],
    broken: tuple[tuple[Example, str], ...] = (),
) -> Evaluation:
    """Score answers, over all photos and over slices.

    Args:
        examples: The photos, `n` of them.
        answers: What a version says of each.
        traits: Of each photo; where only its size is known, it is in no slice by the others.
        labels: The version's.
        broken: Passed on.
    """
    asked = Asked(tuple(labels), tuple(examples), tuple(answers))
    probabilities, targets = asked.probabilities, asked.targets
    return Evaluation(
        all=score_answers(probabilities, targets, labels),
        told=count_told(answers, [example.label for example in examples]),
        slices={
            name: score_answers(probabilities[chosen], targets[chosen], labels)
            for name, chosen in slices_of(traits, targets, labels).items()
        },
        roc_area=roc_area(probabilities, targets, labels),
        risk_area=risk_coverage(asked.confidences, asked.is_right).area,
        asked=asked,
        broken=broken,
    )


def describe(evaluation: Evaluation) -> str:
    """The scores that matter most, in one line."""
    scores = evaluation.all
    low, high = scores.accuracy_interval
    return (
        f"{scores.accuracy:.2%} of {scores.count} photos right "
        f"(95 % interval {low:.2%} to {high:.2%}), "
        f"log loss {scores.log_loss:.4f}, ECE {scores.ece:.4f}; {_describe_told(evaluation.told)}"
    )


def detail(evaluation: Evaluation) -> list[str]:
    """Slices, the surest errors and the broken photos, a line each."""
    slices = [
        f"{name:24} {scores.accuracy:8.2%} of {scores.count:6}, log loss {scores.log_loss:.4f}"
        for name, scores in evaluation.slices.items()
    ]
    errors = [
        f"{example.path} is a {example.label}; answered {answer.label}, "
        f"{answer.confidence:.1%} sure"
        for example, answer in evaluation.asked.errors()[:NUM_ERRORS]
    ]
    broken = [f"{example.path}: {why}" for example, why in evaluation.broken]
    return [*slices, *errors, *broken]


def rounded(values: dict[str, Any]) -> dict[str, Any]:
    """Figures to eight decimals: rounded once more to be shown, they show the same as unrounded."""

    def each(value: Any) -> Any:
        if isinstance(value, tuple):
            return [each(item) for item in value]
        return round(value, 8) if isinstance(value, float) else value

    return {name: each(value) for name, value in values.items()}


def _describe_told(told: Told) -> str:
    right = "" if told.right is None else f", {told.right:.2%} of these rightly"
    return (
        f"{told.answered:.2%} answered{right}, {told.unsure:.2%} unsure, {told.neither:.2%} neither"
    )
