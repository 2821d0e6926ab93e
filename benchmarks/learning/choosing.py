"""Three rules that choose the confidence below which a version says "unsure"."""

import math

import numpy as np


def selective_risk(
    confidence: np.ndarray, is_right: np.ndarray, threshold: float
) -> tuple[float, float]:
    """Coverage and risk of a threshold: the share answered, and the share wrong among these.

    Returns:
        Both from 0 to 1; the risk of answering nothing is 0.
    """
    answered = confidence >= threshold
    wrong = float((~is_right[answered]).mean()) if answered.any() else 0.0
    return float(answered.mean()), wrong


def by_conformal_risk_control(
    confidence: np.ndarray, is_right: np.ndarray, max_error: float
) -> float:
    """The lowest threshold with `(wrong answers + 1) / (n + 1)` at most `max_error`.

    What it keeps, on average over calibration sets, is the share of *all* photos that are answered
    wrongly: this loss can only fall when the threshold rises, which the proof needs.

    Source:
        A. Angelopoulos, S. Bates, A. Fisch, L. Lei, T. Schuster, "Conformal Risk Control",
        ICLR 2024.
    """
    allowed = math.floor(max_error * (len(confidence) + 1)) - 1
    wrong = np.sort(confidence[~is_right])[::-1]
    if allowed < 0:
        return math.inf
    if len(wrong) <= allowed:
        return 0.0
    # Just above the first error that is one too many.
    return float(np.nextafter(wrong[allowed], np.inf))


def by_learn_then_test(
    confidence: np.ndarray,
    is_right: np.ndarray,
    max_error: float,
    grid: np.ndarray,
    delta: float = 0.1,
) -> float:
    """The lowest threshold down to which each one's error is proven to be at most `max_error`.

    With a probability of `1 - delta` over calibration sets, the share of errors among the
    *answered* photos of the world is then at most `max_error`. Thresholds are tested one by one,
    the strictest first, until one fails: then no allowance for many tests is needed.

    Args:
        confidence: Of the calibration photos, shape `(n,)`.
        is_right: Shape `(n,)`.
        max_error: Accepted share of errors among the answers.
        grid: Thresholds to test, fixed before the calibration photos were looked at.
        delta: Accepted probability that the promise does not hold.

    Returns:
        One of the grid; infinity, for never answering, if not even the strictest one passes.

    Source:
        A. Angelopoulos, S. Bates, E. Candès, M. Jordan, L. Lei, "Learn then Test: Calibrating
        Predictive Algorithms to Achieve Risk Control", Annals of Applied Statistics 19, 2025.
    """
    kept = math.inf
    for threshold in np.sort(grid)[::-1]:
        answered = confidence >= threshold
        wrong = int((~is_right[answered]).sum())
        if binomial_tail(wrong, int(answered.sum()), max_error) > delta:
            break
        kept = float(threshold)
    return kept


def binomial_tail(wrong: int, trials: int, share: float) -> float:
    """Probability of at most `wrong` errors in `trials`, if errors happen with `share`."""
    if wrong >= trials:
        return 1.0
    logs = [
        math.lgamma(trials + 1)
        - math.lgamma(k + 1)
        - math.lgamma(trials - k + 1)
        + k * math.log(share)
        + (trials - k) * math.log1p(-share)
        for k in range(wrong + 1)
    ]
    return min(1.0, math.fsum(map(math.exp, logs)))
