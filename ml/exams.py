"""The answers of two versions to the same photos, marked one by one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ml.inference import NEITHER, Answer


@dataclass(frozen=True)
class Exam:
    """The answers of candidate and live version to the same photos.

    Attributes:
        labels: The versions'.
        targets: Index of each photo's label, -1 for none of them, shape `(n,)`.
        candidate: Answers, `n` of them.
        live: Likewise.
        slices: Name of a slice to the photos that belong, as a mask of shape `(n,)`.
    """

    labels: tuple[str, ...]
    targets: np.ndarray
    candidate: Sequence[Answer]
    live: Sequence[Answer]
    slices: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.targets)

    @cached_property
    def of_candidate(self) -> "Marks":
        """The candidate's marks."""
        return Marks.of(self.candidate, self.targets, self.labels)

    @cached_property
    def of_live(self) -> "Marks":
        """The live version's marks."""
        return Marks.of(self.live, self.targets, self.labels)


@dataclass(frozen=True)
class Marks:
    """How good each answer of a version is; arrays of shape `(n,)`.

    Attributes:
        right: Whether the most probable label is the true one.
        told: Whether what people are told is right, `neither` for photos of none of the labels.
        answered: Whether people are told a label.
        neither: Whether they are told `neither`.
        confidence: Probability of the most probable label.
        loss: Minus the log probability of the true label, in nats; not a number where none is true.
    """

    right: np.ndarray
    told: np.ndarray
    answered: np.ndarray
    neither: np.ndarray
    confidence: np.ndarray
    loss: np.ndarray

    @classmethod
    def of(cls, answers: Sequence[Answer], targets: np.ndarray, labels: Sequence[str]) -> "Marks":
        """Mark answers."""
        truth = [labels[target] if target >= 0 else NEITHER for target in targets]
        pairs = list(zip(answers, truth, strict=True))
        given = [a.probabilities.get(true, math.nan) for a, true in pairs]
        return cls(
            right=np.array([a.label == true for a, true in pairs], bool),
            told=np.array([a.answer == true for a, true in pairs], bool),
            answered=np.array([a.answer in labels for a in answers], bool),
            neither=np.array([a.answer == NEITHER for a in answers], bool),
            confidence=np.array([a.confidence for a in answers], float),
            loss=-np.log(np.maximum(np.array(given, float), 1e-15)),
        )
