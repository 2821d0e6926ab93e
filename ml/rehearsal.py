"""Fit a head again on a few photos of before and some new ones, without forgetting the rest.

What was learnt before is rehearsed on a coreset: rows drawn by how much they pull on the head, each
standing for as many of the train split as its chance to be drawn says. A coreset alone would move
the head even if nothing new was there. So the pull that it has at the old head is taken off: the
old head is then the exact optimum where there is nothing to learn, and new photos move it only as
far as the old ones give way.

Sources:
    R. Johnson, T. Zhang, "Accelerating Stochastic Gradient Descent using Predictive Variance
    Reduction", NeurIPS 2013 (the pull that is taken off: a control variate).
    C.-E. Särndal, B. Swensson, J. Wretman, "Model Assisted Survey Sampling", 1992, section 3.6
    (systematic sampling with unequal chances).
"""

from collections.abc import Callable

import numpy as np

from ml.base import Rehearsal
from ml.halves import round_to_half
from ml.heads import Head, TrainingError, minimise
from ml.inference import softmax

# Share of the chances that every row gets alike: rows the head is sure of keep it from drifting.
_ALIKE = 0.3
# No feature counts as if it hardly varied, or a new kind of photo that excites it would shout.
_LEAST_DEVIATION = 0.05
_MAX_STEPS = 300
_TOLERANCE = 1e-6


def draw_coreset(
    head: Head, vectors: np.ndarray, targets: np.ndarray, size: int, seed: int = 0
) -> Rehearsal:
    """Choose rows of a train split that stand for all of it.

    Args:
        head: What was fitted to the split.
        vectors: Its features, `float32`, shape `(n, d)`.
        targets: Index of each row's label, shape `(n,)`.
        size: Rows to keep; fewer where there are fewer.
        seed: Of the draw.
    """
    probabilities = softmax(head.logits(vectors))
    pull = 1 - probabilities[np.arange(len(targets)), targets]
    chances = _chances(pull, min(size, len(targets)))
    chosen = _draw(chances, seed)
    deviation = vectors.std(axis=0)
    return Rehearsal(
        head=Head(head.kernel, head.bias),
        mean=vectors.mean(axis=0),
        deviation=np.maximum(deviation, max(_LEAST_DEVIATION * float(np.median(deviation)), 1e-6)),
        vectors=vectors[chosen],
        targets=targets[chosen],
        weights=1 / chances[chosen],
    )


def refit_head(
    old: Rehearsal, vectors: np.ndarray, targets: np.ndarray, *, weight: float, l2: float
) -> Head:
    """Fit a head on what was learnt before and on new photos.

    Args:
        old: What was learnt before.
        vectors: Features of the new photos, `float32`, shape `(n, d)`.
        targets: Index of each one's label, shape `(n,)`.
        weight: How many rows of the old train split a new row counts for.
        l2: Strength of the penalty, as when the old head was fitted.

    Returns:
        The head, rounded to half precision; without new photos the old one, to the last digit.

    Raises:
        TrainingError: if a feature or the loss is not a finite number.
    """
    if not np.isfinite(vectors).all():
        raise TrainingError("Some features are not finite numbers; remove the feature cache.")
    total = float(old.weights.sum())
    known = _pull(old, old.vectors, old.targets, old.weights / total, l2)
    new = _pull(old, vectors, targets, np.full(len(targets), weight / total), 0.0)
    start = np.zeros((len(old.mean) + 1, len(old.head.bias)))
    _, taken_off = known(start)

    def loss(moved: np.ndarray) -> tuple[float, np.ndarray]:
        (value, gradient), (more, steeper) = known(moved), new(moved)
        value += more - float(np.vdot(taken_off, moved))
        return value, gradient - taken_off + steeper

    moved, history = minimise(loss, start, _MAX_STEPS, _TOLERANCE)
    if not moved.any():  # adding 0 would still make 0 of -0, which is another digest
        return Head(old.head.kernel, old.head.bias, tuple(history))
    change = moved[:-1] / old.deviation[:, None]  # (d, labels), for features as they are
    kernel = old.head.kernel + change
    bias = old.head.bias + moved[-1] - old.mean @ change
    return Head(round_to_half(kernel), round_to_half(bias), tuple(history))


def _chances(pull: np.ndarray, size: int) -> np.ndarray:
    """Each row's chance to be drawn, shape `(n,)`; they sum to `size`, none is above 1."""
    share = pull / max(float(pull.sum()), 1e-12)
    wanted = (1 - _ALIKE) * share + _ALIKE / len(pull)
    certain = np.zeros(len(pull), bool)
    while True:
        rest = wanted * ~certain
        chances = np.where(certain, 1.0, rest * (size - certain.sum()) / max(rest.sum(), 1e-300))
        if not (chances > 1).any():
            return chances
        certain |= chances >= 1


def _draw(chances: np.ndarray, seed: int) -> np.ndarray:
    """Indices of rows, each drawn by its chance: every whole step along their sum."""
    order = np.random.default_rng(seed).permutation(len(chances))
    reached = np.cumsum(chances[order])
    steps = np.arange(round(float(reached[-1]))) + np.random.default_rng(seed).uniform()
    found = np.searchsorted(reached, steps, side="right")
    return np.sort(order[np.unique(np.minimum(found, len(chances) - 1))])


def _pull(
    old: Rehearsal, vectors: np.ndarray, targets: np.ndarray, weights: np.ndarray, l2: float
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Weighted log loss with its penalty, over how far the head moved, `(d + 1, labels)`."""
    scaled = ((vectors - old.mean) / old.deviation).astype(np.float32)  # (n, d)
    at_start = old.head.logits(vectors).astype(np.float64)  # (n, labels)
    kernel = old.head.kernel.astype(np.float64) * old.deviation[:, None]
    truth = np.eye(len(old.head.bias))[targets]

    def loss(moved: np.ndarray) -> tuple[float, np.ndarray]:
        logits = at_start + scaled @ moved[:-1].astype(np.float32) + moved[-1]
        logits -= logits.max(axis=1, keepdims=True)
        log_total = np.log(np.exp(logits).sum(axis=1, keepdims=True))
        wrong = (np.exp(logits - log_total) - truth) * weights[:, None]
        value = float((((log_total - logits) * truth).sum(axis=1) * weights).sum())
        gradient = (scaled.T @ wrong.astype(np.float32)).astype(np.float64)
        now = kernel + moved[:-1]
        value += l2 / 2 * float(np.vdot(now, now))
        return value, np.vstack([gradient + l2 * now, wrong.sum(axis=0)])

    return loss
