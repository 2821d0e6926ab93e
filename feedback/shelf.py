"""What lies on disk of a version: its card, its size, and whether its files are those saved."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_noop

from ml.registry import Card, VersionError, load_card, load_version

# What a version's name can be, and a file's in its folder: nothing that leads out of a folder.
NAME = r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}"
MODEL_CARD = "MODEL_CARD.md"
_TEXT_MAX = 1_000_000  # characters of a model card that are shown

# Of a file: its name, size, times of change, and place on the disk.
_State = tuple[str, int, int, int, int]


@dataclass(frozen=True)
class Folder:
    """A version's folder as it is now.

    Attributes:
        card: What its `card.json` says; None: it cannot be read.
        size: Of all files together, in bytes.
        problem: Why the version could not be loaded from here; empty: it could.
    """

    card: Card | None
    size: int
    problem: str

    @property
    def figures(self) -> list[str]:
        """The names of its figures, as the card lists them."""
        return sorted(name for name in self._files if name.endswith(".svg"))

    @property
    def has_model_card(self) -> bool:
        return MODEL_CARD in self._files

    @property
    def _files(self) -> Mapping[str, str]:
        return self.card.files if self.card else {}


def look_into(version: str) -> Folder:
    """A version's folder, each file checked against the card.

    Files are read once: as long as none of them changes, the same is true of them.
    """
    folder = settings.MODELS_DIR / version
    try:
        state = tuple(sorted(_entry(entry) for entry in os.scandir(folder) if entry.is_file()))
    except OSError:
        return Folder(None, 0, gettext_noop("Its folder is missing."))
    return _checked(folder, state)


def read_saved(version: str, name: str) -> bytes | None:
    """A file of a version that its card lists, if it still is the one that was saved."""
    card = _card(settings.MODELS_DIR / version)
    if card is None or name not in card.files:
        return None
    try:
        content = (settings.MODELS_DIR / version / name).read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == card.files[name] else None


def read_model_card(version: str) -> str | None:
    """The text of a version's model card; None where it is missing or was changed."""
    content = read_saved(version, MODEL_CARD)
    return None if content is None else content.decode(errors="replace")[:_TEXT_MAX]


def _entry(entry: os.DirEntry[str]) -> _State:
    found = entry.stat()
    return entry.name, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


@lru_cache(maxsize=256)
def _checked(folder: Path, state: tuple[_State, ...]) -> Folder:
    size = sum(line[1] for line in state)
    card = _card(folder)
    if card is None:
        return Folder(None, size, gettext_noop("Its card.json cannot be read."))
    try:
        load_version(folder)
    except VersionError as error:
        return Folder(card, size, str(error))
    return Folder(card, size, "")


def _card(folder: Path) -> Card | None:
    """The card, unless it is broken in one of the ways that nobody thinks of."""
    try:
        card = load_card(folder)
        files = card.files.items()
    except (VersionError, AttributeError, RecursionError):
        return None
    if not all(isinstance(part, str) for pair in files for part in pair):
        return None
    parts = (card.scores, card.data, card.training)
    return card if all(isinstance(part, dict) for part in parts) else None
