"""Transfer: how few photos a head on frozen features needs, and what it is given to see."""

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure

from benchmarks.learning.found import Curves, Found, count, percent, plain
from benchmarks.learning.photos import TINY, Seen
from benchmarks.learning.style import BLUE, GREY, LABELS, in_percent_as_needed, panels
from ml.heads import fit_head

_SIZES = (20, 50, 150, 500, 1500, 3000)
_DRAWS = 3
# Photos on the map: more are a large file and no clearer. They come in the order of their SHA-256.
_DOTS = 800
# The head's penalty in the shipped version, see `ml.training.TrainConfig`.
_L2 = 0.03
_INPUTS = {
    "pixels": (f"pixels, {TINY} × {TINY}", GREY, "s--"),
    "features": ("frozen features", BLUE, "o-"),
}


def experiment(seen: Seen) -> Found:
    """Errors by the number of training photos, on features and on pixels; a map of both."""
    holdout = seen.splits == "holdout"
    inputs = {
        "features": (seen.train_features, seen.features[holdout]),
        "pixels": (_scaled(seen.train_tiny), _scaled(seen.tiny[holdout])),
    }
    sizes = [size for size in _SIZES if size <= len(seen.train_targets)]
    truth = seen.targets[holdout]
    curves: Curves = {"sizes": np.array(sizes), "targets": truth, "labels": seen.labels}
    numbers = {"train-photos": count(sizes[-1])}
    for name, (train, test) in inputs.items():
        errors = np.array(
            [
                [_error(train, seen.train_targets, test, truth, size, i) for i in range(_DRAWS)]
                for size in sizes
            ]
        )
        curves[f"errors-{name}"] = errors
        curves[f"map-{name}"] = two_components(test)
        for size, error in zip(sizes, errors.mean(axis=1), strict=True):
            numbers[f"{name}-{size}"] = percent(1 - error)
    light = np.corrcoef(curves["map-pixels"][:, 0], inputs["pixels"][1].mean(axis=1))[0, 1]
    numbers["light"] = plain(abs(light), 2)
    numbers["cut"] = percent(_cut(curves["map-features"][:, 0], truth))
    return Found(curves, numbers)


def figures(curves: Curves) -> Iterator[tuple[str, Figure]]:
    """The page's plots, by file name."""
    yield "transfer-photos", _draw_photos(curves)
    yield "transfer-map", _draw_map(curves)


def two_components(vectors: np.ndarray) -> np.ndarray:
    """Where photos lie along the two directions in which they differ most, shape `(n, 2)`.

    Source:
        Principal components: K. Pearson, "On lines and planes of closest fit to systems of points
        in space", Philosophical Magazine 2, 1901.
    """
    centred = (vectors - vectors.mean(axis=0)).astype(np.float64)
    directions = np.linalg.eigh(centred.T @ centred)[1]
    shadow = centred @ directions[:, :-3:-1]
    # The sign of an eigenvector is free: the longer tail points right and up on every machine.
    shadow *= np.where((shadow**3).sum(axis=0) < 0, -1, 1)
    return np.asarray(shadow / shadow.std(axis=0))


def _cut(along: np.ndarray, truth: np.ndarray) -> float:
    """Share of photos on the side of their label, if a cut at the mean were two labels' border."""
    agree = float(((along > 0) == (truth == 0)).mean())
    return max(agree, 1 - agree)


def _error(
    train: np.ndarray,
    targets: np.ndarray,
    test: np.ndarray,
    truth: np.ndarray,
    size: int,
    draw: int,
) -> float:
    """Share of wrong answers of a head that was fitted on some of the training photos."""
    chosen = np.random.default_rng(draw).permutation(len(train))[:size]
    num_labels = int(targets.max()) + 1
    head = fit_head(train[chosen], targets[chosen], num_labels, l2=_L2, max_iterations=100)
    return float((head.logits(test).argmax(axis=1) != truth).mean())


def _scaled(tiny: np.ndarray) -> np.ndarray:
    return tiny.astype(np.float32) / 255


def _draw_photos(curves: Curves) -> Figure:
    figure, [axes] = panels()
    sizes = curves["sizes"]
    for name, (words, colour, dashes) in _INPUTS.items():
        errors = curves[f"errors-{name}"]
        axes.fill_between(
            sizes, errors.min(axis=1), errors.max(axis=1), color=colour, alpha=0.2, linewidth=0
        )
        axes.plot(sizes, errors.mean(axis=1), dashes, color=colour, label=f"head on {words}")
    axes.set(xscale="log", yscale="log", xlabel="photos to learn from", ylabel="wrong answers")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.set_xticks([], minor=True)
    axes.set_yticks((0.01, 0.02, 0.05, 0.1, 0.2, 0.5))
    in_percent_as_needed(axes.yaxis)
    axes.set_ylim(0.008, 0.7)
    axes.legend(loc="center right", bbox_to_anchor=(1.0, 0.6))
    return figure


def _draw_map(curves: Curves) -> Figure:
    figure, both = panels(2, width=12, height=6)
    for axes, (name, (words, _, _)) in zip(both, _INPUTS.items(), strict=True):
        places = curves[f"map-{name}"][:_DOTS]
        for index, label in enumerate(curves["labels"]):
            here = places[curves["targets"][:_DOTS] == index]
            axes.scatter(*here.T, s=22, color=LABELS[index % len(LABELS)], alpha=0.45, label=label)
        axes.set_title(words[0].upper() + words[1:])
        axes.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), xticks=(), yticks=())
        axes.set_xlabel("direction in which photos differ most")
    both[0].set_ylabel("second such direction")
    both[1].legend(loc="upper right", markerscale=2.5)
    return figure
