"""Leakage: how near duplicates are found, and what they do to a score."""

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure

from benchmarks.learning.found import Curves, Found, count, percent
from benchmarks.learning.photos import Seen
from benchmarks.learning.style import BLUE, GREY, ORANGE, in_percent, panels
from ml.duplicates import MAX_DISTANCE
from ml.heads import fit_head

_NUM_CLEAN = 1000
_SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
# Hardly any penalty: the head may learn its photos by heart.
_L2 = 1e-4


def experiment(seen: Seen) -> Found:
    """Hash distances of copies and of strangers; errors when copies leak into training."""
    copies = np.bitwise_count(seen.hashes ^ seen.copy_hashes).astype(int)
    strangers = _histogram_of_pairs(seen.hashes)
    errors = _errors(seen)
    numbers = {
        "copies-found": percent((copies <= MAX_DISTANCE).mean()),
        "max-distance": count(MAX_DISTANCE),
        "strangers-near": count(int(strangers[: MAX_DISTANCE + 1].sum())),
        "strangers": count(int(strangers.sum())),
        "clean-photos": count(_NUM_CLEAN),
        "neighbour-clean": percent(errors["neighbour"][0]),
        "neighbour-leaked": percent(errors["neighbour"][-1]),
        "neighbour-honest": percent(errors["neighbour-honest"][-1]),
        "head-clean": percent(errors["head"][0]),
        "head-leaked": percent(errors["head"][-1]),
        "head-honest": percent(errors["head-honest"][-1]),
    }
    distances = {"copies": np.bincount(copies, minlength=65), "strangers": strangers}
    return Found({**errors, **distances, "shares": np.array(_SHARES)}, numbers)


def figures(curves: Curves) -> Iterator[tuple[str, Figure]]:
    """The page's plots, by file name."""
    yield "leakage-distances", _draw_distances(curves)
    yield "leakage-scores", _draw_scores(curves)


def _errors(seen: Seen) -> Curves:
    """Errors of two learners by the share of the holdout that has a copy among their photos."""
    holdout, fresh = seen.splits == "holdout", seen.splits == "calibration"
    order = np.random.default_rng(0).permutation(np.flatnonzero(holdout))
    found: dict[str, list[float]] = {
        name: [] for name in ("neighbour", "neighbour-honest", "head", "head-honest")
    }
    for share in _SHARES:
        leaked = order[: round(share * len(order))]
        vectors = np.vstack([seen.train_features[:_NUM_CLEAN], seen.copy_features[leaked]])
        targets = np.concatenate([seen.train_targets[:_NUM_CLEAN], seen.targets[leaked]])
        head = fit_head(vectors, targets, len(seen.labels), l2=_L2, max_iterations=200)
        for suffix, where in (("", holdout), ("-honest", fresh)):
            truth, features = seen.targets[where], seen.features[where]
            by_head = head.logits(features).argmax(axis=1)
            by_neighbour = targets[_nearest(features, vectors)]
            found[f"head{suffix}"].append(float((by_head != truth).mean()))
            found[f"neighbour{suffix}"].append(float((by_neighbour != truth).mean()))
    return {name: np.array(values) for name, values in found.items()}


def _histogram_of_pairs(hashes: np.ndarray) -> np.ndarray:
    """How many pairs of different photos differ in each number of bits, shape `(65,)`."""
    found = np.zeros(65, dtype=np.int64)
    for i in range(len(hashes) - 1):
        found += np.bincount(np.bitwise_count(hashes[i] ^ hashes[i + 1 :]), minlength=65)
    return found


def _nearest(vectors: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Index of the nearest by angle, shape `(n,)`."""
    return np.asarray((_unit(vectors) @ _unit(among).T).argmax(axis=1))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _draw_distances(curves: Curves) -> Figure:
    figure, [axes] = panels()
    # Half of a hash's bits are ones, so two of them always differ in an even number.
    bits = np.arange(0, 65, 2)
    for name, colour, words in (
        ("copies", ORANGE, "a photo and a poorer copy of it"),
        ("strangers", BLUE, "two different photos"),
    ):
        shares = curves[name] / curves[name].sum()
        axes.bar(bits, shares[bits], width=1.9, color=colour, alpha=0.75, label=words)
    axes.axvline(MAX_DISTANCE + 0.5, color="black", linestyle="--", linewidth=2)
    axes.annotate(
        f"up to {MAX_DISTANCE} bits:\nkept on one side",
        (MAX_DISTANCE + 0.5, 0.6),
        (12.5, 0.55),
        xycoords=("data", "axes fraction"),
        textcoords=("data", "axes fraction"),
        arrowprops={"arrowstyle": "<-", "linewidth": 1.5},
    )
    axes.set(xlim=(-1, 52), xlabel="bits of 64 in which the perceptual hashes differ")
    axes.set_ylabel("share of pairs")
    in_percent(axes.yaxis)
    axes.legend(loc="upper right")
    return figure


def _draw_scores(curves: Curves) -> Figure:
    figure, both = panels(2, width=12)
    names = ("neighbour", "neighbour-honest", "head", "head-honest")
    highest = max(0.01, 1.15 * max(float(curves[name].max()) for name in names))
    for axes, name, title in zip(
        both, ("neighbour", "head"), ("Nearest neighbour", "Linear head"), strict=True
    ):
        honest, leaked = curves[f"{name}-honest"], curves[name]
        axes.plot(curves["shares"], honest, "s--", color=GREY, label="on photos without a copy")
        axes.plot(curves["shares"], leaked, "o-", color=ORANGE, label="on the leaky holdout")
        axes.fill_between(curves["shares"], leaked, honest, color=ORANGE, alpha=0.12, linewidth=0)
        axes.set(title=title, ylim=(0, highest), xlabel="holdout photos with a copy in training")
        in_percent(axes.xaxis)
        in_percent(axes.yaxis, 1)
    both[0].set_ylabel("wrong answers")
    both[0].legend(loc="lower left")
    return figure
