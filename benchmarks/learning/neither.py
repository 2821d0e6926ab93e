"""Neither: how well each measure tells photos of something else from known ones."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from benchmarks.learning.found import Curves, Found, Numbers, count, percent, plain
from benchmarks.learning.photos import Seen
from benchmarks.learning.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    in_percent,
    in_percent_as_needed,
    panels,
)
from ml.curves import roc
from ml.novelty import fit_novelty
from ml.scores import wilson_interval

_MEASURES = {
    "confidence": ("the head's confidence", GREY, ":"),
    "mass": ("ImageNet's familiar classes", GREEN, "--"),
    "distance": ("nearest training photos", BLUE, "-."),
    "both": ("both added up", ORANGE, "-"),
}
# Divides one of the two parts of the measure until nothing is left of it.
_SILENT = 1e6
_TINY = 1e-12


def experiment(seen: Seen) -> Found:
    """Each measure on holdout photos and on photos of something else; the version's answers."""
    holdout = seen.splits == "holdout"
    curves, numbers = {}, _shares(seen, holdout)
    for name, (known, other) in _measured(seen, holdout).items():
        curves[f"known-{name}"], curves[f"other-{name}"] = known, other
        numbers[f"auroc-{name}"] = plain(auroc(known, other), 3)
        numbers[f"passed-95-{name}"] = percent(passed(known, other, 0.95))
        numbers[f"passed-99-{name}"] = percent(passed(known, other, 0.99))
    answered = _answered(seen)
    kinds = sorted(set(seen.kinds.tolist()))
    rows = []
    for kind in kinds:
        here = answered[seen.kinds == kind]
        rows.append((here.mean(), *wilson_interval(int(here.sum()), len(here)), len(here)))
    curves |= {"kinds": np.array(kinds), "kind-rows": np.array(rows)}
    return Found(curves, numbers)


def figures(curves: Curves) -> Iterator[tuple[str, Figure]]:
    """The page's plots, by file name."""
    yield "neither-measures", _draw_measures(curves)
    yield "neither-trade", _draw_trade(curves)
    yield "neither-kinds", _draw_kinds(curves)


def auroc(known: np.ndarray, other: np.ndarray) -> float:
    """Probability that a photo of something else is more novel than a known one, ties half."""
    is_other = np.repeat([False, True], [len(known), len(other)])
    return roc(np.append(known, other), is_other).area


def passed(known: np.ndarray, other: np.ndarray, kept: float) -> float:
    """Share of the others under the limit that keeps a share of the known photos."""
    return float((other <= np.quantile(known, kept)).mean())


def _measured(seen: Seen, holdout: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Measure to its values on known and on other photos; more is more novel."""
    imagenet = (seen.imagenet_kernel, seen.imagenet_bias)
    both = fit_novelty(seen.train_features, seen.features[~holdout], imagenet)
    found = {"confidence": _doubt(seen, holdout)}
    for name, silenced in (("mass", (1, _SILENT)), ("distance", (_SILENT, 1)), ("both", (1, 1))):
        part = replace(both, limit=0.0, deviations=both.deviations * np.array(silenced))
        values = [part(features) for features in (seen.features[holdout], seen.other_features)]
        # From 0..1 back to deviations above the mean of the known photos.
        found[name] = tuple(np.log(v + _TINY) - np.log(1 - v + _TINY) for v in values)
    return found


def _doubt(seen: Seen, holdout: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return (
        -seen.probabilities[holdout].max(axis=1),
        -seen.other_probabilities.max(axis=1),
    )


def _answered(seen: Seen) -> np.ndarray:
    """Which photos of something else the version answers with one of its labels."""
    above = np.inf if np.isnan(seen.neither_above) else float(seen.neither_above)
    below = 0.0 if np.isnan(seen.unsure_below) else float(seen.unsure_below)
    return ~(seen.other_novelty > above) & (seen.other_probabilities.max(axis=1) >= below)


def _shares(seen: Seen, holdout: np.ndarray) -> Numbers:
    above = np.inf if np.isnan(seen.neither_above) else float(seen.neither_above)
    return {
        "others": count(len(seen.kinds)),
        "others-answered": percent(_answered(seen).mean()),
        "known-refused": percent((seen.novelty[holdout] > above).mean()),
        "others-sure": percent((seen.other_probabilities.max(axis=1) > 0.9).mean(), 0),
    }


def _draw_measures(curves: Curves) -> Figure:
    figure = panels(width=12, height=8)[0]
    figure.clear()
    grid = figure.subplots(2, 2).ravel()
    for axes, (name, (words, _, _)) in zip(grid, _MEASURES.items(), strict=True):
        known, other = curves[f"known-{name}"], curves[f"other-{name}"]
        if name == "confidence":
            known, other = -known, -other
        edges = np.linspace(*np.quantile(np.concatenate([known, other]), (0, 1)), 41)
        for values, colour, label in ((known, BLUE, "cats and dogs"), (other, ORANGE, "neither")):
            weights = np.full(len(values), 1 / len(values))
            axes.hist(values, edges, weights=weights, color=colour, alpha=0.65, label=label)
        axes.set(title=words[0].upper() + words[1:], yscale="log", ylim=(3e-4, 1.3))
        in_percent_as_needed(axes.yaxis)
        axes.set_xlabel(
            "how sure the more probable label is"
            if name == "confidence"
            else "deviations above the mean of known photos"
        )
        if name == "confidence":
            in_percent(axes.xaxis)
    for axes in grid[::2]:
        axes.set_ylabel("share of photos")
    grid[1].legend(loc="upper right")
    return figure


def _draw_trade(curves: Curves) -> Figure:
    figure, [axes] = panels(height=6)
    refused = np.geomspace(2e-3, 0.5, 200)
    for name, (words, colour, dashes) in _MEASURES.items():
        known, other = curves[f"known-{name}"], curves[f"other-{name}"]
        through = [passed(known, other, 1 - share) for share in refused]
        axes.plot(refused, through, dashes, color=colour, label=words)
    axes.axvline(0.01, color="black", linestyle="--", linewidth=1.5)
    axes.annotate("what this project\nallows", (0.0105, 0.02), xycoords=("data", "axes fraction"))
    axes.set(xscale="log", yscale="log", xlim=(refused[0], refused[-1]), ylim=(8e-4, 1.1))
    axes.set(xlabel="cats and dogs called neither", ylabel="others that get through")
    for axis in (axes.xaxis, axes.yaxis):
        in_percent_as_needed(axis)
    axes.set_xticks((0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5))
    axes.legend(loc="upper right", bbox_to_anchor=(1.03, 1.05), handlelength=1.6)
    return figure


def _draw_kinds(curves: Curves) -> Figure:
    kinds, rows = curves["kinds"], curves["kind-rows"]
    figure, [axes] = panels(height=1.6 + 0.7 * len(kinds))
    share, low, high, photos = rows.T
    places = np.arange(len(kinds))[::-1]
    axes.barh(places, share, height=0.5, color=ORANGE, alpha=0.85)
    spread = np.clip([share - low, high - share], 0, None)
    axes.errorbar(share, places, xerr=spread, fmt="none", ecolor="black", capsize=5)
    names = [
        f"{kind.replace('_', ' ')} ({number:.0f})"
        for kind, number in zip(kinds, photos, strict=True)
    ]
    axes.set_yticks(places, names)
    axes.grid(visible=False, axis="y")
    axes.set(xlim=(0, None), xlabel="answered all the same (line: 95 % interval)")
    in_percent(axes.xaxis, 1)
    return figure
