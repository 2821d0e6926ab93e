"""The arithmetic of scores: how good probabilities are, with intervals, what people are told."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.inference import NEITHER, UNSURE, Answer

NUM_BINS = 15

# Of the normal distribution, for an interval that holds the truth 95 times in 100.
_Z95 = 1.959964


@dataclass(frozen=True)
class Scores:
    """How good answers to some photos are.

    Attributes:
        count: Photos scored.
        accuracy: Share of them whose most probable label is right.
        accuracy_interval: 95 % interval of it.
        log_loss: Mean negative log probability of the right label, in nats.
        brier: Mean squared distance of the probabilities from the truth, from 0 to 2.
        ece: Expected calibration error, from 0 to 1.
        confusion: True label to answered label to count.
    """

    count: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    log_loss: float
    brier: float
    ece: float
    confusion: dict[str, dict[str, int]]


@dataclass(frozen=True)
class Told:
    """What people would have been told of some photos that show one of the labels.

    Attributes:
        answered: Share of the photos that got a label for an answer.
        right: Share of these whose answer is right; None if there are none.
        unsure: Share that was told `unsure`.
        neither: Share that was told `neither`.
    """

    answered: float
    right: float | None
    unsure: float
    neither: float


def score_answers(probabilities: np.ndarray, targets: np.ndarray, labels: Sequence[str]) -> Scores:
    """Score answers to one set of photos, not empty.

    Args:
        probabilities: Shape `(n, labels)`.
        targets: Index of each photo's true label, shape `(n,)`.
        labels: The version's, in the order of `probabilities`.

    Source:
        Brier score in its first form, the sum over all labels: G. Brier, "Verification of
        forecasts expressed in terms of probability", Monthly Weather Review 78, 1950.
    """
    answers = probabilities.argmax(axis=1)
    right = answers == targets
    given = probabilities[np.arange(len(targets)), targets]
    truth = np.eye(len(labels))[targets]
    return Scores(
        count=len(targets),
        accuracy=float(right.mean()),
        accuracy_interval=wilson_interval(int(right.sum()), len(targets)),
        # A probability that was rounded to 0 would cost infinitely much.
        log_loss=float(-np.log(np.maximum(given, 1e-15)).mean()),
        brier=float(((probabilities - truth) ** 2).sum(axis=1).mean()),
        ece=expected_calibration_error(probabilities.max(axis=1), right),
        confusion=_confusion(targets, answers, labels),
    )


def count_told(answers: Sequence[Answer], labels: Sequence[str]) -> Told:
    """What people were told of `n` photos, not none, and how often it was right.

    Args:
        answers: Of a version, `n` of them.
        labels: What each photo truly shows, likewise.
    """
    said = np.array([answer.answer for answer in answers])
    unsure, neither = said == UNSURE, said == NEITHER
    answered = ~(unsure | neither)
    right = (said == np.array(labels))[answered]
    return Told(
        answered=float(answered.mean()),
        right=float(right.mean()) if len(right) else None,
        unsure=float(unsure.mean()),
        neither=float(neither.mean()),
    )


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95 % interval of a share; unlike the textbook one it stays sound near 0 and 1.

    Raises:
        ValueError: if there are no trials, or more successes than trials.

    Source:
        E. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
        Journal of the American Statistical Association 22, 1927.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"Expected 0 ≤ successes ≤ trials, trials > 0: {successes=}, {trials=}")
    share = successes / trials
    middle = share + _Z95**2 / (2 * trials)
    spread = _Z95 * math.sqrt(share * (1 - share) / trials + _Z95**2 / (4 * trials**2))
    whole = 1 + _Z95**2 / trials
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


def expected_calibration_error(
    confidences: np.ndarray, right: np.ndarray, num_bins: int = NUM_BINS
) -> float:
    """Mean distance between how sure answers are and how often they are right.

    Args:
        confidences: Probability of each answer, shape `(n,)`.
        right: Whether it is right, `bool`, shape `(n,)`.
        num_bins: Bins of equal width from 0 to 1.

    Source:
        M. Naeini, G. Cooper, M. Hauskrecht, "Obtaining Well Calibrated Probabilities Using
        Bayesian Binning", AAAI 2015.
    """
    surplus = np.bincount(
        bins_of(confidences, num_bins), weights=confidences - right, minlength=num_bins
    )
    return float(np.abs(surplus).sum() / len(confidences))


def bins_of(confidences: np.ndarray, num_bins: int = NUM_BINS) -> np.ndarray:
    """Which of `num_bins` bins of equal width from 0 to 1 each confidence falls into; `(n,)`."""
    return np.minimum((confidences * num_bins).astype(int), num_bins - 1)


def _confusion(
    targets: np.ndarray, answers: np.ndarray, labels: Sequence[str]
) -> dict[str, dict[str, int]]:
    return {
        true: {
            answered: int(((targets == i) & (answers == j)).sum())
            for j, answered in enumerate(labels)
        }
        for i, true in enumerate(labels)
    }
