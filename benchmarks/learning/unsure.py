"""Unsure: the risk-coverage curve, and what three rules for the threshold promise and keep."""

import math
from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure

from benchmarks.learning.choosing import (
    by_conformal_risk_control,
    by_learn_then_test,
    selective_risk,
)
from benchmarks.learning.found import Curves, Found, count, percent
from benchmarks.learning.photos import Seen
from benchmarks.learning.style import BLUE, GREEN, GREY, ORANGE, in_percent, panels
from ml.calibration import choose_unsure_below
from ml.curves import risk_coverage

_CALIBRATION_SETS = 1000
_DELTA = 0.1
# Shares answered that "learn then test" walks through, fixed beforehand as its proof needs it.
_GRID = np.linspace(0.6, 1, 41)
_RULES = {
    "plain": ("the lowest that fits", ORANGE),
    "crc": ("conformal risk control", GREEN),
    "ltt": ("learn then test", BLUE),
}


def experiment(seen: Seen) -> Found:
    """Risk by coverage on both splits, the version's own threshold, and many chosen ones."""
    confidence = seen.probabilities.max(axis=1)
    is_right = seen.probabilities.argmax(axis=1) == seen.targets
    holdout = seen.splits == "holdout"
    curves: Curves = {}
    for split, mask in (("calibration", ~holdout), ("holdout", holdout)):
        curve = risk_coverage(confidence[mask], is_right[mask])
        curves[f"coverage-{split}"], curves[f"risk-{split}"] = curve.coverage, curve.risk
    threshold = 0.0 if np.isnan(seen.unsure_below) else float(seen.unsure_below)
    coverage, risk = selective_risk(confidence[holdout], is_right[holdout], threshold)
    # A third of the errors: strict enough that every rule must leave photos out.
    max_error = _one_digit(float((~is_right).mean()) / 3)
    chosen = _choose_often(confidence, is_right, max_error, int((~holdout).sum()))
    curves |= {f"rule-{name}": values for name, values in chosen.items()}
    curves |= {"point": np.array([coverage, risk]), "max-error": np.array(max_error)}
    numbers = {
        "unsure-below": percent(threshold),
        "coverage": percent(coverage),
        "risk": percent(risk, 2),
        "risk-all": percent((~is_right[holdout]).mean(), 2),
        "max-error": percent(max_error),
        "calibration-sets": count(_CALIBRATION_SETS),
        "delta": percent(_DELTA, 0),
        "crc-wrong-of-all": percent((chosen["crc"][0] * chosen["crc"][1]).mean(), 2),
    }
    for name, (risks, coverages) in chosen.items():
        numbers[f"{name}-broken"] = percent((risks > max_error).mean(), 0)
        numbers[f"{name}-coverage"] = percent(coverages.mean())
    return Found(curves, numbers)


def figures(curves: Curves) -> Iterator[tuple[str, Figure]]:
    """The page's plots, by file name."""
    yield "unsure-risk-coverage", _draw_risk_coverage(curves)
    yield "unsure-promises", _draw_promises(curves)


def _choose_often(
    confidence: np.ndarray, is_right: np.ndarray, max_error: float, size: int
) -> Curves:
    """True risks and coverages of what each rule chooses on many calibration sets.

    All photos together play the world; a calibration set is drawn from them with replacement, so
    that the true risk of any threshold is known exactly.

    Returns:
        Rule to risks and coverages, shape `(2, calibration sets)`.
    """
    chance = np.random.default_rng(0)
    grid = np.quantile(confidence, 1 - _GRID)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in _RULES}
    for _ in range(_CALIBRATION_SETS):
        drawn = chance.integers(0, len(confidence), size)
        sample = confidence[drawn], is_right[drawn]
        chosen = {
            "plain": choose_unsure_below(*sample, max_error) or 0.0,
            "crc": by_conformal_risk_control(*sample, max_error),
            "ltt": by_learn_then_test(*sample, max_error, grid, _DELTA),
        }
        for name, threshold in chosen.items():
            coverage, risk = selective_risk(confidence, is_right, threshold)
            found[name].append((risk, coverage))
    return {name: np.array(values).T for name, values in found.items()}


def _one_digit(share: float) -> float:
    """Rounded to one digit: 0.0047 is 0.005."""
    return round(share, -math.floor(math.log10(share))) if share > 0 else 0.001


def _draw_risk_coverage(curves: Curves) -> Figure:
    figure, [axes] = panels()
    highest = 0.001
    for split, colour, dashes in (("calibration", BLUE, "-"), ("holdout", GREY, "--")):
        coverage, risk = curves[f"coverage-{split}"], curves[f"risk-{split}"]
        shown = coverage >= 0.5
        axes.plot(coverage[shown], risk[shown], dashes, color=colour, label=f"{split} photos")
        highest = max(highest, float(risk[shown].max()))
    coverage, risk = curves["point"]
    axes.plot(coverage, risk, "o", color=ORANGE, markersize=13, zorder=3)
    axes.annotate(
        f"the version's threshold:\n{coverage:.1%} answered,\n{risk:.2%} of these wrong",
        (coverage, risk),
        (0.74, 0.62),
        textcoords=("data", "axes fraction"),
        color=ORANGE,
        arrowprops={"arrowstyle": "->", "linewidth": 1.5, "color": ORANGE},
    )
    axes.set(xlim=(0.5, 1.01), ylim=(0, 1.1 * highest))
    axes.set(xlabel="photos that are answered, surest first", ylabel="wrong among these")
    in_percent(axes.xaxis)
    in_percent(axes.yaxis, 1)
    axes.legend(loc="upper left")
    return figure


def _draw_promises(curves: Curves) -> Figure:
    figure = panels(height=7)[0]
    figure.clear()
    rows = figure.subplots(len(_RULES), 1, sharex=True, sharey=True)
    limit = float(curves["max-error"])
    highest = max(float(curves[f"rule-{name}"][0].max()) for name in _RULES)
    edges = np.linspace(0, max(1.05 * highest, 1.5 * limit), 46)
    for axes, (name, (words, colour)) in zip(rows, _RULES.items(), strict=True):
        risks, coverages = curves[f"rule-{name}"]
        weights = np.full(len(risks), 1 / len(risks))
        axes.hist(risks, edges, weights=weights, color=colour, alpha=0.8)
        axes.axvline(limit, color="black", linestyle="--", linewidth=2)
        axes.set_title(words)
        axes.annotate(
            f"{(risks > limit).mean():.0%} of the sets break the promise\n"
            f"{coverages.mean():.1%} answered on average",
            (0.99, 0.6),
            xycoords="axes fraction",
            ha="right",
        )
        in_percent(axes.yaxis)
    in_percent(rows[-1].xaxis, 2)
    rows[1].set_ylabel("calibration sets")
    rows[-1].set_xlabel(
        "true share of wrong answers among those given (dashed: what was asked for)"
    )
    return figure
