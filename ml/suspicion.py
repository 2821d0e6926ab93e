"""Find labels that a network which never saw the photo holds for wrong, by ten to one."""

import itertools
from collections.abc import Sequence

import numpy as np

from ml.heads import fit_head
from ml.inference import softmax
from ml.progress import progress

# How many times more probable than its own label another must be.
ODDS = 10

# Measured on 22,495 cat and dog photos: by one repeat over five folds, two lists of some 90 photos
# share 70; by three repeats, 83 of 86 and 88.
NUM_FOLDS, NUM_REPEATS = 5, 3
# As strong as in training.
_L2 = 1e-2


def cross_validate(
    vectors: np.ndarray,
    targets: np.ndarray,
    groups: Sequence[str],
    num_labels: int,
    num_repeats: int = NUM_REPEATS,
) -> np.ndarray:
    """Probabilities of each photo's labels by heads that were fitted without the photo.

    The geometric mean of `num_repeats` heads, each of which left out another fifth of the photos.

    Args:
        vectors: Features, `float32`, shape `(n, d)`.
        targets: Index of each photo's label, shape `(n,)`.
        groups: A SHA-256 per photo. It decides the fold, so that photos of one group share it:
            a head that has seen the near duplicate of a photo would repeat its label.
        num_labels: Labels there are.
        num_repeats: Heads a photo is judged by.

    Returns:
        Shape `(n, num_labels)`; rows sum to 1.

    Raises:
        TrainingError: if a feature or the loss is not a finite number.

    Source:
        Out-of-sample probabilities as in C. Northcutt, L. Jiang, I. Chuang, "Confident Learning:
        Estimating Uncertainty in Dataset Labels", JAIR 70, 2021.
    """
    logits = np.zeros((len(targets), num_labels))
    every = list(itertools.product(range(num_repeats), range(NUM_FOLDS)))
    for repeat, left_out in progress(every, len(every), "Doubting labels", unit=" folds"):
        fold = _folds(groups, repeat)
        inside, outside = fold != left_out, fold == left_out
        if inside.any() and outside.any():
            head = fit_head(vectors[inside], targets[inside], num_labels, l2=_L2)
            logits[outside] += head.logits(vectors[outside]) / num_repeats
    return softmax(logits)  # of mean logits: the geometric mean of probabilities


def _folds(groups: Sequence[str], repeat: int) -> np.ndarray:
    """The fold of each photo, shape `(n,)`, other ones at each repeat."""
    # Not the first eight digits: they decide the split.
    start = 8 * (1 + repeat)
    return np.array([int(group[start : start + 8], 16) % NUM_FOLDS for group in groups])


def suspicious(probabilities: np.ndarray, targets: np.ndarray, odds: float = ODDS) -> list[int]:
    """Indices of photos whose label is doubted, the most doubtful first.

    Args:
        probabilities: From `cross_validate`, shape `(n, num_labels)`.
        targets: Index of each photo's label, shape `(n,)`.
        odds: How many times more probable than its own label another must be.
    """
    own = probabilities[np.arange(len(targets)), targets]
    doubted = np.flatnonzero(probabilities.max(axis=1) > odds * own)
    return [int(i) for i in doubted[np.argsort(own[doubted], kind="stable")]]
