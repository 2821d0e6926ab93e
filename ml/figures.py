"""Figures of an evaluation and of a training run, as SVG: no photo is in any of them.

Only this module imports Matplotlib, and only who wants figures imports this module.
"""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from ml.curves import RiskCoverage, Roc, reliability, risk_coverage, roc, rocs
from ml.evaluation import Asked, Evaluation
from ml.registry import Card
from ml.robustness import Tried
from ml.scores import Scores
from ml.strangers import Strangers, novelties_of

# A training run's history: the loss after each step, or figures by name after each epoch.
History = Sequence[float] | Sequence[Mapping[str, float]]

# Told apart by people who cannot tell red from green: M. Okabe, K. Ito, "Color Universal Design",
# 2008.
_BLUE, _ORANGE, _GREEN, _GREY = "#0072B2", "#D55E00", "#009E73", "#8A8A8A"
_COLOURS = (_BLUE, _ORANGE, _GREEN, "#CC79A7", "#E69F00", "#56B4E9")
_PALE = "#C9C9C9"

_STYLE = {
    "svg.fonttype": "none",  # text stays text: small, searchable, read aloud
    "svg.hashsalt": "catsdogs",  # names of clip paths are random otherwise
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "legend.frameon": False,
    "legend.fontsize": 8,
}
# Points of a curve: more are not seen, and make a file large.
_MAX_POINTS = 400
# Shares of fewer answers jump about.
_MIN_ANSWERED = 50
# The corner of a ROC curve in which good classifiers differ.
_CORNER = 0.1
_ROW = 0.28  # height of one in a figure of rows, in inches


def figures_of(
    evaluation: Evaluation,
    card: Card,
    *,
    history: History = (),
    strangers: Strangers | None = None,
    tried: Sequence[Tried] = (),
) -> dict[str, bytes]:
    """Every figure there is something to draw for.

    Args:
        evaluation: Of the version, on photos it never saw.
        card: Of the version: its thresholds are marked.
        history: The loss after each step, or figures by name after each epoch; see `training`.
        strangers: What it says of photos of something else.
        tried: What became of its answers when photos were changed.

    Returns:
        File name to SVG. The same numbers give the same bytes.
    """
    asked = evaluation.asked
    drawn = {
        "confusion.svg": _draw(confusion, evaluation.all),
        "reliability.svg": _draw(reliability_diagram, asked, evaluation.all.ece),
        "risk_coverage.svg": _draw(risk_coverage_curve, evaluation, card),
        "slices.svg": _draw(slices, evaluation),
    }
    if evaluation.roc_area is not None:
        drawn["roc.svg"] = _draw(roc_curve, asked, evaluation.roc_area)
    if (known := novelties_of(asked.answers)) is not None:
        strange = None if strangers is None else strangers.novelties
        drawn["novelty.svg"] = _draw(novelty, known, strange, card.neither_above)
    if tried:
        drawn["robustness.svg"] = _draw(robustness, tried)
    if len(history) > 1:
        drawn["training.svg"] = _draw(training, history)
    return dict(sorted(drawn.items()))


def roc_curve(figure: Figure, asked: Asked, area: float) -> None:
    """Each label against the rest, whole and the corner close up; their mean for several."""
    figure.set_size_inches(7.2, 3.7)
    curves = list(rocs(asked.probabilities, asked.targets, asked.labels))
    whole, corner = figure.subplots(1, 2)
    for axes in (whole, corner):
        for (label, curve), colour in zip(curves, _cycle(len(curves)), strict=True):
            axes.plot(*_thinned(curve), color=colour, label=f"{label}: area {curve.area:.5f}")
        if len(curves) > 1:
            axes.plot(*_mean_curve([curve for _, curve in curves]), color="black", label="mean")
        axes.set_xlabel("false positives, share of the others")
    whole.plot([0, 1], [0, 1], ":", color=_GREY)
    whole.set(ylabel="true positives, share", title=f"ROC, area {area:.5f}")
    corner.set(xlim=(0, _CORNER), ylim=(1 - _CORNER, 1.001), title="its corner, ten times larger")
    corner.legend(loc="lower right")


def reliability_diagram(figure: Figure, asked: Asked, ece: float) -> None:
    """How often answers are right against how sure they are, and how many of each there are."""
    figure.set_size_inches(4.8, 4.6)
    bins = reliability(asked.confidences, asked.is_right)
    sure, right, count = np.array([[b.confidence, b.accuracy, b.count] for b in bins]).T
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    above.plot([0, 1], [0, 1], ":", color=_GREY, label="as sure as right")
    above.errorbar(
        sure, right, _spread([b.interval for b in bins], right), fmt="o-", color=_BLUE,
        markersize=4, elinewidth=1, label="a bin, 95 % interval",
    )  # fmt: skip
    lowest = np.floor(10 / len(asked.labels)) / 10
    above.set(xlim=(lowest, 1.01), ylim=(0, 1.02), ylabel="share right")
    above.set_title(f"Reliability of {len(asked.answers)} answers, ECE {ece:.2%}")
    above.legend(loc="lower right")
    below.vlines(sure, 0.8, count, color=_BLUE, linewidth=5)
    below.set(yscale="log", ylim=(0.8, None), ylabel="answers", xlabel="confidence")


def risk_coverage_curve(figure: Figure, evaluation: Evaluation, card: Card) -> None:
    """Errors among the answers over the share answered, with what the version does marked."""
    figure.set_size_inches(5.6, 3.6)
    axes = figure.subplots()
    curve, count = _risk(evaluation.asked), len(evaluation.asked.answers)
    shown = curve.coverage * count >= min(_MIN_ANSWERED, count)
    axes.plot(*_fewer(100 * curve.coverage[shown], 100 * curve.risk[shown]), color=_BLUE)
    marks = list(_what_it_does(evaluation, card))
    for mark, text, coverage, risk in marks:
        axes.plot(100 * coverage, 100 * risk, mark, color=_ORANGE, label=text, fillstyle="none")
    # Where the surest answers are all right there is nothing to see.
    first = curve.coverage[shown & (curve.risk > 0)][:1].sum()
    start = min([first, *(coverage for _, _, coverage, _ in marks)])
    axes.set(xlabel="photos answered, surest first, %", ylabel="answers that are wrong, %")
    axes.set(ylim=(0, None), xlim=(10 * max(0, int(10 * start) - 1), 100.5))
    axes.set_title(f"Risk and coverage, area {curve.area:.5f}")
    axes.legend(loc="upper left")


def confusion(figure: Figure, scores: Scores) -> None:
    """How many photos of each label were taken for which."""
    labels = list(scores.confusion)
    counts = np.array([list(row.values()) for row in scores.confusion.values()])
    side = 1.8 + 0.55 * len(labels)
    figure.set_size_inches(side + 0.6, side)
    axes = figure.subplots()
    axes.grid(visible=False)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1.3, edgecolor="white", linewidth=2)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.6 else "black"
        axes.text(column + 0.5, row + 0.5, str(count), color=colour, ha="center", va="center")
    middles = np.arange(len(labels)) + 0.5
    turned = 0 if len(labels) < 4 else 45
    axes.set_xticks(middles, labels, rotation=turned)
    axes.set_yticks(middles, labels)
    axes.set(xlabel="most probable label", ylabel="true label", aspect="equal")
    axes.set_title(f"{scores.accuracy:.2%} of {scores.count} right")
    axes.invert_yaxis()


def slices(figure: Figure, evaluation: Evaluation) -> None:
    """Accuracy of each slice with its interval, and how many photos it is of."""
    rows = {"all": evaluation.all, **evaluation.slices}
    figure.set_size_inches(6.4, 1.1 + _ROW * len(rows))
    axes, places = _rows(figure, list(rows))
    shares = np.array([100 * scores.accuracy for scores in rows.values()])
    intervals = [scores.accuracy_interval for scores in rows.values()]
    axes.axvline(shares[0], color=_PALE, zorder=0)
    spread = _spread([(100 * low, 100 * high) for low, high in intervals], shares)
    axes.errorbar(shares, places, xerr=spread, fmt="o", color=_BLUE, markersize=4, elinewidth=1)
    _beside(axes, [f"{scores.count}" for scores in rows.values()], "photos")
    axes.set(xlabel="accuracy, %", title="Accuracy by slice, 95 % intervals")


def robustness(figure: Figure, tried: Sequence[Tried]) -> None:
    """What people would be told of the same photos, changed in each way."""
    figure.set_size_inches(6.8, 1.4 + _ROW * len(tried))
    axes, places = _rows(figure, [each.change for each in tried])
    told = [each.told for each in tried]
    right = np.array([each.answered * (each.right or 0) for each in told])
    parts = {
        "right": (right, _BLUE),
        "unsure": (np.array([each.unsure for each in told]), _PALE),
        "neither": (np.array([each.neither for each in told]), _GREY),
        "wrong": (np.array([each.answered for each in told]) - right, _ORANGE),
    }
    start = np.zeros(len(tried))
    for name, (share, colour) in parts.items():
        axes.barh(places, 100 * share, 0.72, 100 * start, color=colour, label=name)
        start = start + share
    accuracy = [100 * each.accuracy for each in tried]
    axes.plot(accuracy, places, "|", color="black", markersize=10, label="accuracy, unsure or not")
    _beside(axes, [f"{each.moved:.1%}" for each in tried], "told something else")
    axes.set(xlim=(0, 100), xlabel="photos, %")
    axes.set_title(f"What people are told of {tried[0].count} photos, changed")
    figure.legend(loc="outside lower center", ncols=5)


def novelty(
    figure: Figure, known: np.ndarray, strange: np.ndarray | None, limit: float | None
) -> None:
    """How novel photos of the labels are, and photos of something else if there are any."""
    figure.set_size_inches(7.2 if strange is not None else 4.4, 3.4)
    axes = figure.subplots(1, 1 if strange is None else 2, squeeze=False)[0]
    bins = np.linspace(0, 1, 41)
    groups = [("of its labels", known, _BLUE)]
    if strange is not None:
        groups.append(("of something else", strange, _ORANGE))
        _novelty_roc(axes[1], known, strange, limit)
    for label, values, colour in groups:
        weights = np.full(len(values), 100 / len(values))
        axes[0].hist(
            values,
            bins,
            weights=weights,
            histtype="stepfilled",
            color=colour,
            alpha=0.6,
            label=f"{len(values)} photos {label}",
        )
    if limit is not None:
        axes[0].axvline(limit, color="black", linewidth=1, label=f"neither above {limit:g}")
    axes[0].set(xlabel="novelty", ylabel="share of the photos, %", yscale="log")
    axes[0].set(title="Novelty", xlim=(0, 1), ylim=(0.01, 120))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)


def training(figure: Figure, history: History) -> None:
    """Losses, and accuracies where there are any, over steps or epochs.

    Names that hold `loss` or `accuracy` are drawn; so is one that begins with `val_`.
    """
    steps, when = _by_name(history)
    panels = [part for part in ("loss", "accuracy") if any(part in name for name in steps)]
    figure.set_size_inches(0.6 + 3.8 * len(panels), 3.2)
    for axes, part in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        named = {name: values for name, values in steps.items() if part in name}
        for (name, (places, values)), colour in zip(named.items(), _cycle(len(named)), strict=True):
            axes.plot(*_fewer(places, values), color=colour, label=name.replace("_", " "))
        axes.set(xlabel=when, title=part.capitalize())
        if part == "loss":
            axes.set_yscale("log")
        if len(named) > 1:
            axes.legend()


def _draw(drawing: Callable[..., None], *of: object) -> bytes:
    """The figure that `drawing` draws, as SVG."""
    target = io.BytesIO()
    # Whatever a user's own matplotlibrc says, and back to that afterwards.
    with matplotlib.style.context(["default", _STYLE]):
        figure = Figure(layout="constrained")
        FigureCanvasSVG(figure)
        drawing(figure, *of)
        # No date and no version: only numbers may change a figure.
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": None})
    return target.getvalue()


def _risk(asked: Asked) -> RiskCoverage:
    return risk_coverage(asked.confidences, asked.is_right)


def _what_it_does(evaluation: Evaluation, card: Card) -> Iterator[tuple[str, str, float, float]]:
    """How to mark it, in words, and the coverage and risk: by confidence alone, and as it is."""
    curve, told = _risk(evaluation.asked), evaluation.told
    kept = np.flatnonzero(curve.thresholds >= (card.unsure_below or 0))
    if card.unsure_below is not None and len(kept):
        text = f"sure at {card.unsure_below:.3f} and above"
        yield "o", text, float(curve.coverage[kept[-1]]), float(curve.risk[kept[-1]])
    if told.right is not None:
        wrong = 1 - told.right
        text = f"as it answers: {told.answered:.1%} answered, {wrong:.2%} of these wrong"
        yield "D", text, told.answered, wrong


def _rows(figure: Figure, names: Sequence[str]) -> tuple[Axes, np.ndarray]:
    """Axes with a named row for each, the first on top, and where the rows are."""
    axes = figure.subplots()
    places = np.arange(len(names))
    axes.set_yticks(places, names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    return axes, places


def _beside(axes: Axes, texts: Sequence[str], head: str) -> None:
    """A column of texts at the right of the rows."""
    beside = axes.secondary_yaxis("right")
    beside.set_yticks(np.arange(len(texts)), texts)
    beside.tick_params(length=0)
    beside.spines["right"].set_visible(False)
    beside.set_ylabel(head)


def _novelty_roc(axes: Axes, known: np.ndarray, strange: np.ndarray, limit: float | None) -> None:
    curve = roc(np.append(known, strange), np.repeat([False, True], [len(known), len(strange)]))
    axes.plot(*(100 * each for each in _thinned(curve)), color=_BLUE)
    if limit is not None:
        at = 100 * (known > limit).mean(), 100 * (strange > limit).mean()
        axes.plot(*at, "o", color="black", label=f"{at[1]:.1f} % found, {at[0]:.1f} % refused")
        axes.legend(loc="lower right")
    lost = curve.false_positives_at(0.95)
    axes.set_title(f"Area {curve.area:.4f}; {lost:.2%} refused to find 95 %")
    axes.set(xlim=(0, 20), ylim=(50, 100.5))
    axes.set(xlabel="of its labels, refused, %", ylabel="of something else, found, %")


def _spread(intervals: Sequence[tuple[float, float]], middles: np.ndarray) -> np.ndarray:
    """What error bars are drawn from: distances below and above, shape `(2, n)`."""
    low, high = np.array(intervals).T
    return np.maximum([middles - low, high - middles], 0)


def _thinned(curve: Roc) -> tuple[np.ndarray, np.ndarray]:
    """A ROC curve's corners: between them it is straight."""
    x, y = curve.false_positives, curve.true_positives
    along = np.diff(x)[:-1] * np.diff(y)[1:] - np.diff(x)[1:] * np.diff(y)[:-1]
    kept = np.concatenate([[True], np.abs(along) > 1e-12, [True]])
    return x[kept], y[kept]


def _mean_curve(curves: Sequence[Roc]) -> tuple[np.ndarray, np.ndarray]:
    """Mean of several ROC curves, taken upwards: Fawcett 2006, algorithm 4."""
    x = np.unique(np.concatenate([_thinned(curve)[0] for curve in curves]))
    y = [np.interp(x, curve.false_positives, curve.true_positives) for curve in curves]
    return _fewer(x, np.mean(y, axis=0))


def _fewer(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most `_MAX_POINTS` of a curve's points, spread evenly, first and last among them."""
    chosen = np.unique(np.linspace(0, len(x) - 1, _MAX_POINTS).round().astype(int))
    return x[chosen], y[chosen]


def _by_name(history: History) -> tuple[dict[str, tuple[np.ndarray, np.ndarray]], str]:
    """Name to where and what was measured, and what the places are: steps or epochs."""
    if not isinstance(history[0], Mapping):
        return {"loss": (np.arange(len(history)), np.array(history, float))}, "step of the fit"
    rows = [row for row in history if isinstance(row, Mapping)]
    names = dict.fromkeys(name for row in rows for name in row if name != "epoch")
    epochs = [row.get("epoch", number) for number, row in enumerate(rows, 1)]
    found = {}
    for name in names:
        pairs = [(e, row[name]) for e, row in zip(epochs, rows, strict=True) if name in row]
        found[name] = tuple(np.array(pairs, float).T)
    return {name: (pair[0], pair[1]) for name, pair in found.items()}, "epoch"


def _cycle(count: int) -> list[str]:
    return [_COLOURS[number % len(_COLOURS)] for number in range(count)]
