"""Curves of answers and the areas under them: ROC, risk over coverage, reliability."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ml.scores import NUM_BINS, bins_of, wilson_interval


@dataclass(frozen=True)
class Roc:
    """How well a score tells some photos, the positive ones, from the others.

    Attributes:
        false_positives: Share of the others at or above each threshold, rising from 0 to 1.
        true_positives: Share of the positive ones at or above it, likewise and as many.
        area: Under the curve: the chance that a positive photo scores above another one.
    """

    false_positives: np.ndarray
    true_positives: np.ndarray
    area: float

    def false_positives_at(self, true_positives: float) -> float:
        """The lowest share of false positives that finds this share of the positive photos."""
        return float(self.false_positives[self.true_positives >= true_positives][0])


@dataclass(frozen=True)
class RiskCoverage:
    """What share is wrong of the answers given, when only the surest are given.

    Attributes:
        coverage: Share of the photos answered, rising to 1.
        risk: Share of these answers that is wrong.
        thresholds: Confidence from which an answer is given.
        area: Under the curve; nought were every error surer to be unsure of than any right answer.
    """

    coverage: np.ndarray
    risk: np.ndarray
    thresholds: np.ndarray
    area: float


@dataclass(frozen=True)
class Bin:
    """Answers about equally sure.

    Attributes:
        count: Of them.
        confidence: Their mean.
        accuracy: Share of them that is right.
        interval: 95 % interval of it.
    """

    count: int
    confidence: float
    accuracy: float
    interval: tuple[float, float]


def roc(scores: np.ndarray, positive: np.ndarray) -> Roc:
    """The ROC curve of a score; photos that score the same come in together.

    Args:
        scores: Higher the more positive, shape `(n,)`.
        positive: Which photos are, `bool`, shape `(n,)`.

    Raises:
        ValueError: if all of them are, or none.

    Source:
        T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006.
    """
    if positive.all() or not positive.any():
        raise ValueError("A ROC curve needs positive photos and others.")
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # of each threshold
    found = np.append(0, np.cumsum(positive[order])[last])
    mistaken = np.append(0, last + 1) - found
    true_positives, false_positives = found / found[-1], mistaken / mistaken[-1]
    area = float(np.trapezoid(true_positives, false_positives))
    return Roc(false_positives, true_positives, area)


def rocs(
    probabilities: np.ndarray, targets: np.ndarray, labels: Sequence[str]
) -> Iterator[tuple[str, Roc]]:
    """A curve for each label against the rest; of two labels one says all.

    Labels that all photos show, or none, have no curve.

    Args:
        probabilities: Shape `(n, labels)`.
        targets: Index of each photo's true label, shape `(n,)`.
        labels: In the order of `probabilities`.
    """
    for index in range(1 if len(labels) == 2 else 0, len(labels)):
        positive = targets == index
        if positive.any() and not positive.all():
            yield labels[index], roc(probabilities[:, index], positive)


def roc_area(probabilities: np.ndarray, targets: np.ndarray, labels: Sequence[str]) -> float | None:
    """Area under the ROC curve, the mean over all labels for more than two; None without any."""
    areas = [each.area for _, each in rocs(probabilities, targets, labels)]
    return float(np.mean(areas)) if areas else None


def risk_coverage(confidences: np.ndarray, right: np.ndarray) -> RiskCoverage:
    """Errors among the answers given, over the share of photos answered.

    Args:
        confidences: Probability of each answer, shape `(n,)`.
        right: Whether it is right, `bool`, shape `(n,)`.

    Source:
        Y. Geifman, R. El-Yaniv, "Selective Classification for Deep Neural Networks", NeurIPS 2017.
    """
    order = np.argsort(-confidences, kind="stable")
    answered = np.arange(1, len(order) + 1)
    risk = np.cumsum(~right[order]) / answered
    last = np.flatnonzero(np.append(np.diff(confidences[order]) != 0, True))
    # Over all photos, not over thresholds, so that ties weigh as much as what they are.
    return RiskCoverage(
        coverage=answered[last] / len(order),
        risk=risk[last],
        thresholds=confidences[order][last],
        area=float(np.repeat(risk[last], np.diff(np.append(-1, last))).mean()),
    )


def reliability(confidences: np.ndarray, right: np.ndarray, num_bins: int = NUM_BINS) -> list[Bin]:
    """The bins that are not empty, least sure first.

    Args:
        confidences: Probability of each answer, shape `(n,)`.
        right: Whether it is right, `bool`, shape `(n,)`.
        num_bins: Bins of equal width from 0 to 1.
    """
    bins = bins_of(confidences, num_bins)
    return [
        Bin(
            count=int(chosen.sum()),
            confidence=float(confidences[chosen].mean()),
            accuracy=float(right[chosen].mean()),
            interval=wilson_interval(int(right[chosen].sum()), int(chosen.sum())),
        )
        for number in range(num_bins)
        if (chosen := bins == number).any()
    ]
