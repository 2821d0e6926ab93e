"""How far what comes in, or is answered, has moved from a reference; and how far is too far."""

from functools import lru_cache

import numpy as np

# By chance alone, a limit is passed once in so many times.
_FALSE_ALARM = 1 / 1000
_REPEATS = 5_000
_SEED = 20_261_124


def population_stability_index(expected: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Population stability index of histograms over the same bins.

    Args:
        expected: Counts of the reference, shape `(…, num_bins)`.
        actual: Counts seen lately, likewise.

    Returns:
        At or above 0, in nats, shape `(…)`: 0 where the shares are equal.

    Raises:
        ValueError: if the histograms differ in their bins, or have none.

    Source:
        B. Yurdakul, "Statistical Properties of Population Stability Index", Western Michigan
        University, 2018.
    """
    if expected.shape[-1] != actual.shape[-1] or expected.shape[-1] == 0:
        raise ValueError(f"Expected the same bins, got {expected.shape} and {actual.shape}.")
    # Half a count in every bin keeps log() finite when a bin is empty.
    before, lately = _shares(expected + 0.5), _shares(actual + 0.5)
    return np.asarray(((lately - before) * np.log(lately / before)).sum(axis=-1))


def alarm_limit(expected: np.ndarray, photos: int) -> float:
    """The index that so many photos of an unchanged world pass once in a thousand times.

    Both histograms are drawn anew from the reference's shares, each with its own size, thousands of
    times: a small reference is uncertain too. Of the number of photos the first two digits count:
    fewer photos make a slightly higher limit, and a number that grows needs no new draw each time.

    Args:
        expected: Counts of the reference, shape `(num_bins,)`.
        photos: How many were seen lately.

    Returns:
        The 99.9 % quantile of the index; the same one for the same arguments.

    Source:
        The parametric bootstrap: B. Efron, R. Tibshirani, "An Introduction to the Bootstrap",
        Chapman & Hall, 1993, chapter 6.
    """
    unit = 10 ** max(len(str(photos)) - 2, 0)
    return _limit(tuple(int(count) for count in expected), photos // unit * unit)


@lru_cache(maxsize=4096)
def _limit(expected: tuple[int, ...], photos: int) -> float:
    generator = np.random.default_rng(_SEED)
    lately = generator.multinomial(photos, _smoothed(expected), size=_REPEATS)
    index = population_stability_index(_drawn_anew(expected), lately)
    return float(np.quantile(index, 1 - _FALSE_ALARM))


@lru_cache(maxsize=64)
def _drawn_anew(expected: tuple[int, ...]) -> np.ndarray:
    generator = np.random.default_rng(_SEED + 1)
    return generator.multinomial(sum(expected), _smoothed(expected), size=_REPEATS)


def _smoothed(expected: tuple[int, ...]) -> np.ndarray:
    return _shares(np.array(expected) + 0.5)


def even_groups(expected: np.ndarray, num_groups: int = 10) -> np.ndarray:
    """Neighbouring bins put together, so that each group holds about as much of the reference.

    Args:
        expected: Counts of the reference over bins in their order, shape `(num_bins,)`.
        num_groups: At most so many; fewer where one bin holds much.

    Returns:
        Each bin's group, from 0 without gaps, shape `(num_bins,)`.
    """
    total = expected.sum()
    # The share below the middle of each bin tells which group it is nearest to.
    middle = (np.cumsum(expected) - expected / 2) / max(total, 1)
    group = np.minimum((middle * num_groups).astype(int), num_groups - 1)
    return np.unique(group, return_inverse=True)[1]


def _shares(counts: np.ndarray) -> np.ndarray:
    return np.asarray(counts / counts.sum(axis=-1, keepdims=True))
