"""Labelled photos, the split that no photo ever leaves, and the digest that names a data set."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Split = Literal["train", "calibration", "holdout"]
SPLITS: tuple[Split, ...] = ("train", "calibration", "holdout")

# Fixed for ever: a photo that changes sides would be scored by a network that has seen it.
_CALIBRATION_FROM, _HOLDOUT_FROM = 0.8, 0.9


@dataclass(frozen=True, order=True)
class Example:
    """A photo and the label that a person gave it.

    Attributes:
        path: Where the photo is.
        label: What it shows.
        sha256: Of the file's bytes: the photo's identity, wherever it lies.
        group: The smallest SHA-256 among its near duplicates and itself; empty where it has none,
            or where nobody has looked. See `ml.duplicates`.
    """

    path: Path
    label: str
    sha256: str
    group: str = ""

    @property
    def split(self) -> Split:
        """The split it belongs to, by content alone: its own, or its group's, which stays whole."""
        return split_of(self.group or self.sha256)


def split_of(sha256: str) -> Split:
    """The split of a photo: 80 % train, 10 % calibration, 10 % holdout.

    It depends on nothing but the photo's bytes, so neither a new name, nor another folder, nor
    more photos ever move one from a side to another.

    Args:
        sha256: Of the photo's bytes, hexadecimal.
    """
    # Eight digits of a SHA-256 are as good as a uniform draw from [0, 1).
    position = int(sha256[:8], 16) / 16**8
    if position < _CALIBRATION_FROM:
        return "train"
    return "calibration" if position < _HOLDOUT_FROM else "holdout"


def labels_of(examples: Iterable[Example]) -> tuple[str, ...]:
    """Labels that occur, in alphabetical order: the order of a network's outputs."""
    return tuple(sorted({example.label for example in examples}))


def in_split(examples: Iterable[Example], split: Split) -> list[Example]:
    """The examples of one split, in their order."""
    return [example for example in examples if example.split == split]


def counts(examples: Sequence[Example]) -> dict[str, dict[str, int]]:
    """How many photos each split has of each label."""
    found = Counter((example.split, example.label) for example in examples)
    labels = labels_of(examples)
    return {split: {label: found[split, label] for label in labels} for split in SPLITS}


def data_digest(examples: Iterable[Example]) -> str:
    """SHA-256 of a data set: of its photos and their labels, whatever their names and order.

    A photo that follows another one to its split is marked by that one, since on another side it
    would be another data set.
    """
    lines = sorted(f"{' '.join(_content(example))}\n" for example in examples)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _content(example: Example) -> tuple[str, ...]:
    follows = example.group not in ("", example.sha256)
    return (example.sha256, example.label, *([example.group] if follows else []))
