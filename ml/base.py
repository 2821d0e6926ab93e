"""What heads are refitted on without a data set: features of some of its photos, in one file.

A base holds no photo. One base serves a version and all that were refitted from it, so that each of
these begins where the first one did, and a photo that is taken back leaves no trace.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.heads import Head
from ml.registry import Card
from ml.slices import Traits

# Hexadecimal digits of a photo's SHA-256 that are kept: 128 bits.
NUM_DIGITS = 32


class BaseError(Exception):
    """A base is missing or cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Rehearsal:
    """What a head was fitted to, in small: rows that stand for the whole train split.

    Attributes:
        head: What was fitted.
        mean: Of each feature over the train split, shape `(d,)`.
        deviation: Likewise, above 0.
        vectors: Features, `float32`, shape `(m, d)`.
        targets: Index of each row's label, shape `(m,)`.
        weights: How many rows of the train split each one stands for, shape `(m,)`.
    """

    head: Head
    mean: np.ndarray
    deviation: np.ndarray
    vectors: np.ndarray
    targets: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Seen:
    """Photos as the networks of a version see them.

    Attributes:
        photos: SHA-256 of each of `n`, or its first `NUM_DIGITS` digits.
        targets: Index of each one's label, -1 for none of them, shape `(n,)`.
        plain: Features of the first network, `float32`, shape `(n, d)`.
        looks: Those of the second one, shape `(n, looks, e)`, not a number where it never looked;
            None where there is no second network.
    """

    photos: tuple[str, ...]
    targets: np.ndarray
    plain: np.ndarray
    looks: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.photos)

    def only(self, chosen: np.ndarray) -> "Seen":
        """Those of a mask or of indices."""
        rows = np.arange(len(self))[chosen]
        return Seen(
            tuple(self.photos[i] for i in rows),
            self.targets[rows],
            self.plain[rows],
            None if self.looks is None else self.looks[rows],
        )

    def and_(self, more: "Seen") -> "Seen":
        """These and others."""
        looks = None
        if self.looks is not None and more.looks is not None:
            looks = np.concatenate([self.looks, more.looks])
        return Seen(
            self.photos + more.photos,
            np.concatenate([self.targets, more.targets]),
            np.concatenate([self.plain, more.plain]),
            looks,
        )


@dataclass(frozen=True)
class Base:
    """All of it.

    Attributes:
        sha256: Of the file; empty before it is saved.
        about: Labels, preprocessing, backbones, data, settings: what JSON can hold.
        first: Of the network that every photo is shown to.
        second: Of the one for a second look; None where there is none.
        calibration: The calibration split.
        holdout: The holdout.
        traits: Of each photo of the holdout.
        strangers: Photos of something else; possibly none.
        kinds: Of what, a word for each.
        hashes: Perceptual hash of each photo of calibration split and holdout, `uint64`.
        familiar: See `NoveltyMeasure`; None where novelty is not measured.
    """

    sha256: str
    about: dict[str, Any]
    first: Rehearsal
    second: Rehearsal | None
    calibration: Seen
    holdout: Seen
    traits: tuple[Traits, ...]
    strangers: Seen
    kinds: tuple[str, ...]
    hashes: np.ndarray
    familiar: np.ndarray | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the outputs."""
        return tuple(self.about["labels"])

    def judges(self, sha256: str) -> bool:
        """Whether a photo is one of those that this base calibrates or judges by."""
        return sha256[:NUM_DIGITS] in {*self.calibration.photos, *self.holdout.photos}


def describe_backbones(card: Card) -> dict[str, str | None]:
    """What decides whether a base's features are those of a version."""
    second = card.training.get("second") or {}
    return {
        "first": card.training.get("backbone_sha256"),
        "second": second.get("backbone_sha256") if card.second else None,
    }
