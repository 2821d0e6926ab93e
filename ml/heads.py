"""Fit a linear head on frozen features: a convex problem, so the same data gives the same head."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ml.marked import gettext_noop

# Pairs of steps and gradient changes that stand in for the second derivative.
_MEMORY = 20
# Sufficient decrease of a step, the customary value: Nocedal and Wright, chapter 3.1.
_ARMIJO = 1e-4
_SMALLEST_STEP = 1e-10


class TrainingError(Exception):
    """Training cannot go on; the message says why."""


@dataclass(frozen=True)
class Head:
    """A linear layer from features to logits.

    Attributes:
        kernel: `float32`, shape `(d, labels)`.
        bias: `float32`, shape `(labels,)`.
        history: The loss after each step of the fit.
    """

    kernel: np.ndarray
    bias: np.ndarray
    history: tuple[float, ...] = ()

    def logits(self, vectors: np.ndarray) -> np.ndarray:
        """Logits of features, shape `(n, d)`, as `(n, labels)`."""
        return np.asarray(vectors @ self.kernel + self.bias)

    @property
    def sha256(self) -> str:
        """Of its numbers: two heads with the same digest are the same head."""
        content = self.kernel.astype("<f4").tobytes() + self.bias.astype("<f4").tobytes()
        return hashlib.sha256(content).hexdigest()


def fit_head(
    vectors: np.ndarray,
    targets: np.ndarray,
    num_labels: int,
    *,
    l2: float,
    seed: int = 0,
    max_iterations: int = 500,
) -> Head:
    """Fit multinomial logistic regression with an L2 penalty.

    Minimises the mean log loss plus `l2 / 2` times the squared norm of the kernel, the features
    being scaled to mean 0 and deviation 1 first; the scaling is then folded into the head.

    Args:
        vectors: Features, `float32`, shape `(n, d)`.
        targets: Index of each photo's label, shape `(n,)`.
        num_labels: Labels there are.
        l2: Strength of the penalty, above 0, or the best kernel may be infinitely large.
        seed: Where the fit starts; the minimum being unique, it moves only the last digits.
        max_iterations: Where the fit stops at the latest.

    Raises:
        TrainingError: if a feature or the loss is not a finite number.
    """
    if not np.isfinite(vectors).all():
        raise TrainingError(
            gettext_noop("Some features are not finite numbers; remove the feature cache.")
        )
    mean, deviation = vectors.mean(axis=0), vectors.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1).astype(np.float32)
    scaled = (vectors - mean) / deviation
    start = np.random.default_rng(seed).normal(0, 0.01, (vectors.shape[1] + 1, num_labels))
    loss = _penalised_log_loss(scaled, np.eye(num_labels, dtype=np.float32)[targets], l2)
    best, history = minimise(loss, start, max_iterations)
    kernel = best[:-1] / deviation[:, None]
    bias = best[-1] - mean @ kernel
    return Head(kernel.astype(np.float32), bias.astype(np.float32), tuple(history))


def minimise(
    function: Callable[[np.ndarray], tuple[float, np.ndarray]],
    start: np.ndarray,
    max_iterations: int,
    tolerance: float = 1e-5,
) -> tuple[np.ndarray, list[float]]:
    """Minimise a smooth convex function by L-BFGS.

    Args:
        function: Gives the value and the gradient at a point.
        start: Where to start, of any shape.
        max_iterations: Steps at most.
        tolerance: Largest component of the gradient at which the fit is done.

    Returns:
        The minimum, and the value after each step.

    Raises:
        TrainingError: if the function's value is not a finite number.

    Source:
        D. Liu, J. Nocedal, "On the limited memory BFGS method for large scale optimization",
        Mathematical Programming 45, 1989.
    """
    point, (value, gradient) = start, function(start)
    history = [_finite(value)]
    pairs: list[tuple[np.ndarray, np.ndarray]] = []  # of a step and the change of the gradient
    while len(history) <= max_iterations and np.abs(gradient).max() > tolerance:
        direction = _direction(gradient, pairs)
        step = 1.0 if pairs else 1 / max(1.0, float(np.linalg.norm(gradient)))
        slope = float(np.vdot(direction, gradient))
        while True:
            candidate = point + step * direction
            new_value, new_gradient = function(candidate)
            if _finite(new_value) <= value + _ARMIJO * step * slope:
                break
            step /= 2
            if step < _SMALLEST_STEP:  # single precision tells no lower value apart: done
                return point, history
        moved, bent = candidate - point, new_gradient - gradient
        if np.vdot(moved, bent) > 0:
            pairs = [*pairs, (moved, bent)][-_MEMORY:]
        point, value, gradient = candidate, new_value, new_gradient
        history.append(value)
    return point, history


def _direction(gradient: np.ndarray, pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Minus the gradient times an estimate of the inverse second derivative: two loops."""
    direction, shares = -gradient, []
    for moved, bent in reversed(pairs):
        share = np.vdot(moved, direction) / np.vdot(moved, bent)
        direction = direction - share * bent
        shares.append(share)
    if pairs:
        moved, bent = pairs[-1]
        direction = direction * (np.vdot(moved, bent) / np.vdot(bent, bent))
    for (moved, bent), share in zip(pairs, reversed(shares), strict=True):
        direction = direction + (share - np.vdot(bent, direction) / np.vdot(moved, bent)) * moved
    return np.asarray(direction)


def _penalised_log_loss(
    vectors: np.ndarray, targets: np.ndarray, l2: float
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """The loss and its gradient as a function of kernel and bias, stacked, `(d + 1, labels)`."""

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        kernel, bias = point[:-1], point[-1]
        # The large product in single precision, what is summed up in double.
        logits = (vectors @ kernel.astype(np.float32)).astype(np.float64) + bias
        logits -= logits.max(axis=1, keepdims=True)
        log_total = np.log(np.exp(logits).sum(axis=1, keepdims=True))
        wrong = np.exp(logits - log_total) - targets  # (n, labels)
        value = float(((log_total - logits) * targets).sum(axis=1).mean())
        gradient = (vectors.T @ wrong.astype(np.float32)).astype(np.float64) / len(vectors)
        value += l2 / 2 * float(np.vdot(kernel, kernel))
        return value, np.vstack([gradient + l2 * kernel, wrong.mean(axis=0)])

    return loss


def _finite(value: float) -> float:
    if not np.isfinite(value):
        raise TrainingError(f"The loss became {value}. A smaller learning problem? Check the data.")
    return value
