"""Feedback as a file, and the photos that may be learnt from as a folder to train on."""

import csv
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from feedback.examples import approved_examples
from feedback.models import Feedback, Review
from ml.folders import holds_something_else
from ml.inference import NEITHER
from ml.spreadsheets import harmless

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

COLUMNS = (
    *("id", "created_at", "prediction", "version", "answer", "confidence"),
    *("label", "right", "comment", "may_learn", "reviewed", "photo_sha256"),
)
# In a folder of ours, which may be replaced.
_MARK = ".exported-feedback"
# Rows held in memory at a time.
_CHUNK = 2000


def write_feedback(to: "SupportsWrite[str]") -> int:
    """Write all feedback as CSV, oldest first, and return how much there was.

    Nobody's name is in it; comments are people's own words.
    """
    writer = csv.writer(to)
    writer.writerow(COLUMNS)
    return sum(1 for row in _rows() if writer.writerow(row))


def write_photos(folder: Path) -> dict[str, int]:
    """Copy the photos that reviewers approved, as training wants them.

    Those of a label go to `labels/LABEL/`, those of neither to `neither/`.

    Args:
        folder: Is made, and replaced as a whole where an earlier export made it.

    Returns:
        Label to number of photos.

    Raises:
        FileExistsError: if the folder holds something else.
        OSError: for instance if the disk is full; what was there before is then still there.
    """
    if holds_something_else(folder, lambda names: _MARK in names):
        raise FileExistsError(f"{folder} holds something else. Name a folder that is not there.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as place:
        new = Path(place, "new")
        counts = _copy(new)
        if folder.exists():
            os.rename(folder, Path(place, "old"))
        os.rename(new, folder)
    return counts


def _copy(folder: Path) -> dict[str, int]:
    folder.mkdir()
    (folder / _MARK).touch()
    counts: dict[str, int] = {}
    for example in approved_examples():
        is_neither = example.label == NEITHER
        place = folder / NEITHER if is_neither else folder / "labels" / example.label
        place.mkdir(parents=True, exist_ok=True)
        # Any ending of a photo will do: formats are told by content.
        shutil.copyfile(example.path, place / f"{example.sha256}.jpg")
        counts[example.label] = counts.get(example.label, 0) + 1
    return counts


def _rows() -> Iterator[Sequence[object]]:
    decided = dict(Review.objects.decided().values_list("photo_sha256", "label"))
    feedback = Feedback.objects.select_related("prediction").order_by("id")
    for each in feedback.iterator(chunk_size=_CHUNK):
        told = each.prediction
        review = decided.get(told.photo_sha256)
        yield (
            *(each.pk, each.created_at.isoformat(), told.pk, told.version_id),
            *(told.answer, told.confidence, each.label, each.agrees, harmless(each.comment)),
            *(each.consent, "left out" if review == "" else review or "", told.photo_sha256),
        )
