"""Make probabilities mean what they say: of answers given 90 %, nine in ten are right."""

import math

import numpy as np

# Fitted on fewer photos, a temperature follows these photos and not the world.
MIN_PHOTOS = 100

_COOLEST, _HOTTEST = 0.2, 5.0
_GOLDEN = (math.sqrt(5) - 1) / 2


def log_loss(logits: np.ndarray, targets: np.ndarray, temperature: float = 1.0) -> float:
    """Mean negative log of the probability that was given to the right label, in nats.

    Args:
        logits: Shape `(n, labels)`.
        targets: Index of each photo's label, shape `(n,)`.
        temperature: Divides the logits before the softmax.
    """
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(scaled).sum(axis=1))
    return float((log_total - scaled[np.arange(len(targets)), targets]).mean())


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """The temperature with the lowest log loss on photos that nothing was fitted to.

    It moves no answer, only how sure it is. Over `1 / temperature` the log loss is convex, so
    golden-section search finds the one minimum.

    Args:
        logits: Of the calibration split, shape `(n, labels)`.
        targets: Index of each photo's label, shape `(n,)`.

    Returns:
        A temperature between 0.2 and 5; 1, which changes nothing, for fewer than `MIN_PHOTOS`.

    Source:
        C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On Calibration of Modern Neural Networks",
        ICML 2017.
    """
    if len(targets) < MIN_PHOTOS:
        return 1.0
    low, high = 1 / _HOTTEST, 1 / _COOLEST
    while high - low > 1e-4:
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if log_loss(logits, targets, 1 / left) < log_loss(logits, targets, 1 / right):
            high = right
        else:
            low = left
    return round(2 / (low + high), 4)


def choose_unsure_below(
    confidence: np.ndarray, is_right: np.ndarray, max_error: float
) -> float | None:
    """The confidence below which it is better to say "unsure".

    Args:
        confidence: Calibrated, of each calibration photo's most probable label, shape `(n,)`.
        is_right: Whether that label is the true one, shape `(n,)`.
        max_error: Accepted share of errors among the answers that remain.

    Returns:
        The lowest threshold that keeps it, so the one that answers most photos; None, for never
        unsure, with fewer than `MIN_PHOTOS` photos.

    Source:
        Y. Geifman, R. El-Yaniv, "Selective Classification for Deep Neural Networks", NeurIPS 2017.
    """
    if len(confidence) < MIN_PHOTOS:
        return None
    order = np.argsort(-confidence, kind="stable")
    errors = np.cumsum(~is_right[order]) / np.arange(1, len(order) + 1)
    kept = np.flatnonzero(errors <= max_error)
    # Surest first: where even the surest are wrong, one more than all of them is asked for.
    return float(confidence[order[kept[-1]]]) if len(kept) else 1.0
