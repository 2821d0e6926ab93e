"""What a version costs to serve, measured beside another one so that both meet the same machine."""

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ml.inference import OnnxEngine
from ml.photos import fit
from ml.promotion import Costs

# Enough that a neighbour's burst of work moves no median.
_NUM_RUNS = 15


def compare_costs(
    folders: tuple[Path, Path], looked_again: tuple[float, float], photos: Sequence[np.ndarray]
) -> tuple[Costs, Costs]:
    """What two versions cost.

    The time of an answer is that of the first network, and that of the second one as often as it is
    asked: so it does not hang on which photos happen to be at hand.

    Args:
        folders: Of the versions.
        looked_again: Share of photos that each one looks at again.
        photos: Pixels of some photos, not none.

    Raises:
        VersionError: if a version cannot be loaded.
        FloatingPointError: if one answers with what is not a number.
    """
    first, second = (OnnxEngine(folder) for folder in folders)
    for engine in (first, second):
        engine.warm_up()
    times = _interleaved((first, second), photos)
    one, other = (
        Costs(
            milliseconds=1000 * (plain + share * again),
            looked_again=share,
            num_bytes=sum(path.stat().st_size for path in folder.iterdir()),
        )
        for folder, share, (plain, again) in zip(folders, looked_again, times, strict=True)
    )
    return one, other


def _interleaved(
    engines: Sequence[OnnxEngine], photos: Sequence[np.ndarray]
) -> list[tuple[float, float]]:
    """Median seconds of each engine's first and second look."""
    runs: list[tuple[list[float], list[float]]] = [([], []) for _ in engines]
    for number in range(_NUM_RUNS):
        pixels = photos[number % len(photos)]
        for engine, (plain, again) in zip(engines, runs, strict=True):
            batch = fit(pixels, engine.card.side)[np.newaxis]
            plain.append(_seconds(partial(engine.run, batch)))
            again.append(_seconds(partial(engine.look_again, pixels)))
    return [(statistics.median(plain), statistics.median(again)) for plain, again in runs]


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
