"""From a folder with one sub-folder per label to examples, and what is wrong with the folder."""

import csv
import hashlib
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ml.examples import SPLITS, Example, counts, labels_of
from ml.inference import NEITHER, UNSURE

# What `ml.preparing` writes and `read_source` reads: a line per photo, and where the photos lie.
MANIFEST, REPORT = "manifest.csv", "report.json"
MANIFEST_COLUMNS = ("path", "label", "sha256", "split", "group")

# Fewer leave a split of some label empty more often than not.
MIN_PHOTOS = 20

# What is logged of each answer keeps no longer ones.
_MAX_LABEL = 64

# Of files that are photos by their names.
ENDINGS = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".avif"),
    *(".heic", ".heif", ".hif"),
}


class DataError(Exception):
    """A data set cannot be trained on; the message says what it lacks."""


@dataclass(frozen=True)
class Source:
    """What a folder gave.

    Attributes:
        examples: Each photo once, in the order of label and path.
        duplicates: Paths of photos that are there already, byte for byte, under the same label.
        conflicting: Paths of photos that lie under two labels; all of them are left out.
        unreadable: Paths of files that could not be read, or are empty.
        ignored: Paths of files that are no photos by their names.
    """

    examples: tuple[Example, ...]
    duplicates: tuple[Path, ...] = ()
    conflicting: tuple[Path, ...] = ()
    unreadable: tuple[Path, ...] = ()
    ignored: tuple[Path, ...] = ()

    def report(self) -> list[str]:
        """One line for each kind of thing left out, naming the first few."""
        kinds = {
            "lie there twice; one of each is kept": self.duplicates,
            "lie under two labels; none is used": self.conflicting,
            "cannot be read": self.unreadable,
            "are no photos by their names": self.ignored,
        }
        return [line(paths, what) for what, paths in kinds.items() if paths]


@dataclass
class _Findings:
    by_content: dict[str, list[Example]] = field(default_factory=lambda: defaultdict(list))
    unreadable: list[Path] = field(default_factory=list)
    ignored: list[Path] = field(default_factory=list)


def line(paths: Sequence[Path], what: str) -> str:
    """`"3 files cannot be read: a.jpg, b.jpg, …"`, for a report to a person."""
    shown = ", ".join(f"{path.parent.name}/{path.name}" for path in paths[:3])
    more = ", …" if len(paths) > 3 else ""
    return f"{len(paths)} file{'s' if len(paths) > 1 else ''} {what}: {shown}{more}"


def read_source(place: Path, *, to_train: bool = True) -> Source:
    """Read labelled photos: a prepared folder or its manifest, or a folder of raw photos.

    Args:
        place: Where they are.
        to_train: Refuse what nothing could be learnt from; to score a version, few photos will do.

    Raises:
        DataError: if there are too few photos, or they have changed since they were prepared.
    """
    if place.name == MANIFEST:
        return _read_manifest(place, to_train)
    if (place / MANIFEST).is_file() and (place / REPORT).is_file():
        return _read_manifest(place / MANIFEST, to_train)
    return read_folder(place, to_train=to_train)


def read_folder(folder: Path, *, to_train: bool = True) -> Source:
    """Read a folder that has one sub-folder per label. Nothing in it is changed.

    Photos are told apart by their bytes. Whether they can be decoded shows only once they are;
    see `ml.features`.

    Raises:
        DataError: if the folder is missing, holds fewer than two labels, or a label has fewer
            than `MIN_PHOTOS` photos.
    """
    found = _Findings()
    for label in _label_folders(folder):
        for path in sorted(path for path in label.rglob("*") if path.is_file()):
            _look_at(path, label.name, found)
    source = _settle(found)
    if to_train:
        check_enough(source.examples, folder)
    elif not source.examples:
        raise DataError(f"{folder} needs a sub-folder of photos per label. Found none.")
    return source


def check_enough(examples: Sequence[Example], folder: Path) -> None:
    """Refuse a data set that nothing can be learnt from, or nothing measured on.

    Raises:
        DataError: if there are fewer than two labels, or one has too few photos or no fit name.
    """
    per_label = Counter(example.label for example in examples)
    for label in per_label:
        _check_name(label, folder)
    if len(per_label) < 2:
        raise DataError(
            f"{folder} needs at least two sub-folders with photos, one per label. "
            f"Found photos for: {', '.join(per_label) or 'none'}."
        )
    label, number = min(per_label.items(), key=lambda item: item[1])
    if number < MIN_PHOTOS:
        raise DataError(
            f"Label {label!r} has {number} photo{'s' if number > 1 else ''} that can be used; at "
            f"least {MIN_PHOTOS} are needed. Add photos to {folder / label}."
        )
    _check_splits(examples, folder)


def _check_name(label: str, folder: Path) -> None:
    if label in (NEITHER, UNSURE):
        raise DataError(
            f"No label can be called {label!r}, which is an answer of its own. "
            f"Rename {folder / label}, or take it out."
        )
    if len(label) > _MAX_LABEL:
        raise DataError(
            f"A label has at most {_MAX_LABEL} characters. Received: {label!r}, of {len(label)}."
        )


def _check_splits(examples: Sequence[Example], folder: Path) -> None:
    table = counts(examples)
    for split in SPLITS:
        for label in labels_of(examples):
            if not table[split][label]:
                raise DataError(
                    f"No photo of {label!r} falls into the {split} split, which is drawn by "
                    f"content. Add photos to {folder / label}."
                )


def _read_manifest(manifest: Path, to_train: bool) -> Source:
    raw = _raw_folder(manifest.with_name(REPORT))
    examples, changed = [], []
    for row in _rows(manifest):
        example = Example(raw / row["path"], row["label"], row["sha256"], row["group"])
        if row["split"] != example.split:
            raise DataError(
                f"{manifest} has {row['path']} in split {row['split']!r}; by its content it "
                f"belongs to {example.split!r}, for ever. Prepare the data again."
            )
        examples.append(example)
        if _sha256(example.path) != example.sha256:
            changed.append(example.path)
    if changed:
        what = "changed or went since they were prepared"
        raise DataError(f"{line(changed, what)}. Prepare the data again: prepare_data {raw}")
    if to_train:
        check_enough(examples, raw)
    return Source(tuple(examples))


def _raw_folder(report: Path) -> Path:
    try:
        source = json.loads(report.read_text(encoding="utf-8"))["source"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{report} should say where the photos of {MANIFEST} lie, and cannot be read. "
            "Prepare the data again."
        ) from error
    folder = Path(os.path.normpath(report.parent.resolve() / source))
    if not folder.is_dir():
        raise DataError(
            f"The photos of {report.with_name(MANIFEST)} should lie in {folder}, which is not "
            "there. Put them back, or prepare the data again."
        )
    return folder


def _rows(manifest: Path) -> list[dict[str, str]]:
    try:
        with manifest.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{manifest} cannot be read: {error}. Prepare the data again.") from error
    if tuple(reader.fieldnames or ()) != MANIFEST_COLUMNS:
        raise DataError(
            f"{manifest} should have the columns {', '.join(MANIFEST_COLUMNS)}. "
            f"Found: {', '.join(reader.fieldnames or ()) or 'none'}."
        )
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():  # how csv says too many, or too few
            raise DataError(
                f"Line {number} of {manifest} should have {len(MANIFEST_COLUMNS)} fields. "
                "Prepare the data again."
            )
    return rows


def _sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _label_folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}: it needs one sub-folder per label.")
    found = (path for path in folder.iterdir() if path.is_dir())
    return sorted(path for path in found if not path.name.startswith("."))


def _look_at(path: Path, label: str, found: _Findings) -> None:
    if path.suffix.lower() not in ENDINGS:
        found.ignored.append(path)
        return
    try:
        data = path.read_bytes()
    except OSError:
        data = b""
    if not data:
        found.unreadable.append(path)
        return
    sha256 = hashlib.sha256(data).hexdigest()
    found.by_content[sha256].append(Example(path, label, sha256))


def _settle(found: _Findings) -> Source:
    """Keep each photo once, and none whose label is in dispute."""
    examples, duplicates, conflicting = [], [], []
    for same in found.by_content.values():
        if len(labels_of(same)) > 1:
            conflicting.extend(_paths(same))
        else:
            examples.append(same[0])
            duplicates.extend(_paths(same[1:]))
    return Source(
        tuple(examples),
        tuple(duplicates),
        tuple(conflicting),
        tuple(found.unreadable),
        tuple(found.ignored),
    )


def _paths(examples: Iterable[Example]) -> list[Path]:
    return [example.path for example in examples]
