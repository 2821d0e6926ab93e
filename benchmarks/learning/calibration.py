"""Calibration: the temperature, the reliability diagram, and what its error is worth."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.learning.found import Curves, Found, percent, plain
from benchmarks.learning.photos import Seen
from benchmarks.learning.style import (
    BLUE,
    GREY,
    ORANGE,
    in_percent,
    in_percent_as_needed,
    panels,
)
from ml.calibration import fit_temperature, log_loss
from ml.curves import reliability
from ml.inference import softmax
from ml.scores import expected_calibration_error

_SIZES = (50, 100, 200, 500, 1000, 2000, 5000)
_REPEATS = 200


def experiment(seen: Seen) -> Found:
    """Log loss against temperature, reliability before and after, ECE of a perfect version."""
    # What the version says is calibrated; its own temperature takes that back.
    logits = np.log(np.maximum(seen.probabilities, 1e-300)) * float(seen.temperature)
    holdout = seen.splits == "holdout"
    best = fit_temperature(logits[~holdout], seen.targets[~holdout])
    temperatures = np.geomspace(0.4, 2.5, 61)
    curves: Curves = {"temperatures": temperatures, "best": np.array(best)}
    for split, mask in (("calibration", ~holdout), ("holdout", holdout)):
        losses = [log_loss(logits[mask], seen.targets[mask], t) for t in temperatures]
        curves[f"loss-{split}"] = np.array(losses)
    numbers = {"temperature": plain(best, 2)}
    for name, temperature in (("before", 1.0), ("after", best)):
        probabilities = softmax(logits[holdout] / temperature)
        confidence = probabilities.max(axis=1)
        right = probabilities.argmax(axis=1) == seen.targets[holdout]
        curves[f"bins-{name}"] = _bins(confidence, right)
        loss = log_loss(logits[holdout], seen.targets[holdout], temperature)
        numbers[f"loss-{name}"] = plain(loss, 4)
        numbers[f"ece-{name}"] = percent(expected_calibration_error(confidence, right), 2)
    perfect = _ece_of_the_perfect(confidence)
    measured = expected_calibration_error(confidence, right)
    curves |= {"sizes": np.array(_SIZES), "perfect": perfect}
    curves["measured"] = np.array([len(right), measured])
    numbers["ece-perfect-200"] = percent(perfect[1, _SIZES.index(200)], 1)
    numbers["ece-perfect-2000"] = percent(perfect[1, _SIZES.index(2000)], 2)
    numbers["above-99"] = percent((confidence > 0.99).mean(), 0)
    return Found(curves, numbers)


def figures(curves: Curves) -> Iterator[tuple[str, Figure]]:
    """The page's plots, by file name."""
    yield "calibration-temperature", _draw_temperature(curves)
    yield "calibration-reliability", _draw_reliability(curves)
    yield "calibration-ece", _draw_ece(curves)


def _bins(confidence: np.ndarray, right: np.ndarray) -> np.ndarray:
    """A row per bin that is not empty: confidence, accuracy, its interval, photos."""
    bins = reliability(confidence, right)
    return np.array([(b.confidence, b.accuracy, *b.interval, b.count) for b in bins])


def _ece_of_the_perfect(confidence: np.ndarray) -> np.ndarray:
    """ECE of a version whose confidences are exactly true, by the number of photos.

    Returns:
        5 % quantile, median and 95 % quantile, shape `(3, sizes)`.
    """
    chance = np.random.default_rng(0)
    bands = []
    for size in _SIZES:
        drawn = chance.choice(confidence, (_REPEATS, size))
        right = chance.random(drawn.shape) < drawn
        errors = [expected_calibration_error(*pair) for pair in zip(drawn, right, strict=True)]
        bands.append(np.quantile(errors, (0.05, 0.5, 0.95)))
    return np.array(bands).T


def _draw_temperature(curves: Curves) -> Figure:
    figure, [axes] = panels()
    for split, colour, dashes in (("calibration", BLUE, "-"), ("holdout", GREY, "--")):
        losses = curves[f"loss-{split}"]
        axes.plot(curves["temperatures"], losses, dashes, color=colour, label=f"{split} photos")
    best = float(curves["best"])
    lowest = np.interp(best, curves["temperatures"], curves["loss-calibration"])
    axes.plot(best, lowest, "o", color=BLUE, markersize=12)
    axes.annotate(f"T = {best:.2f}", (best, lowest), (0, -26), textcoords="offset points")
    axes.axvline(1, color="black", linewidth=1.5, linestyle=":")
    axes.annotate("as trained", (1.02, 0.93), xycoords=("data", "axes fraction"))
    axes.set_xscale("log")
    ticks = (0.4, 0.6, 0.8, 1, 1.5, 2, 2.5)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.margins(y=0.15)
    axes.set(xlabel="temperature (below 1: surer, above 1: less sure)", ylabel="log loss, nats")
    axes.legend(loc="upper left")
    return figure


def _draw_reliability(curves: Curves) -> Figure:
    figure, both = panels(2, width=12, height=6)
    for axes, name, title in zip(
        both, ("before", "after"), ("As trained", "After the temperature"), strict=True
    ):
        _draw_bins(axes, curves[f"bins-{name}"])
        axes.set_title(title)
    both[0].set_ylabel("how often they are right")
    return figure


def _draw_bins(axes: Axes, bins: np.ndarray) -> None:
    confidence, accuracy, low, high, photos = bins.T
    axes.plot([0.5, 1], [0.5, 1], color="black", linewidth=1.5, linestyle=":")
    spread = np.clip([accuracy - low, high - accuracy], 0, None)
    axes.errorbar(confidence, accuracy, spread, fmt="none", ecolor=BLUE, elinewidth=2, capsize=4)
    axes.plot(confidence, accuracy, "o", color=BLUE, markersize=9, markeredgecolor="white")
    for x, y, number in zip(confidence, low, photos, strict=True):
        axes.annotate(
            f"{number:,.0f}", (x, y), (0, -18), textcoords="offset points", ha="center", fontsize=12
        )
    axes.set(xlim=(0.48, 1.05), ylim=(0.0, 1.04), xlabel="how sure answers are")
    in_percent(axes.xaxis)
    in_percent(axes.yaxis)


def _draw_ece(curves: Curves) -> Figure:
    figure, [axes] = panels()
    low, middle, high = curves["perfect"]
    axes.fill_between(curves["sizes"], low, high, color=GREY, alpha=0.25, linewidth=0)
    axes.plot(curves["sizes"], middle, "o-", color=GREY)
    axes.annotate(
        "a version that is calibrated perfectly\n(median, and 90 % of all samples)",
        (curves["sizes"][2], middle[2]),
        (40, 40),
        textcoords="offset points",
        arrowprops={"arrowstyle": "->", "linewidth": 1.5},
    )
    number, measured = curves["measured"]
    axes.plot(number, measured, "D", color=ORANGE, markersize=11)
    axes.annotate(
        "this version, on its holdout",
        (number, measured),
        (-14, -34),
        textcoords="offset points",
        color=ORANGE,
        ha="right",
        arrowprops={"arrowstyle": "->", "linewidth": 1.5, "color": ORANGE},
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(curves["sizes"], [f"{size:,}" for size in curves["sizes"]])
    axes.set_xticks([], minor=True)
    in_percent_as_needed(axes.yaxis)
    ticks = [tick for tick in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05) if tick > 0.6 * low.min()]
    axes.set_yticks(ticks)
    axes.set(xlabel="photos it was measured on", ylabel="measured ECE")
    return figure
