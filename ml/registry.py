"""Versions on disk: one folder each, written once, checked byte for byte before every load."""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from ml.marked import gettext_noop

CARD = "card.json"
# The networks: the one that every photo is shown to, and the one for a second look.
NETWORK, SECOND = "model.onnx", "second.onnx"
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")


# What is wrong with a version.
_CARD_UNREADABLE = gettext_noop("Version %(version)s: %(file)s cannot be read (%(reason)s).")
_OTHER_CARD = gettext_noop("Version %(version)s: its card is that of %(name)s.")
_NOT_LISTED = gettext_noop("Version %(version)s: its card does not list %(file)s.")
_NOT_OURS = gettext_noop("Version %(version)s: its card lists %(file)s, no file of ours.")
_UNREADABLE = gettext_noop("Version %(version)s: %(file)s cannot be read.")
_CHANGED = gettext_noop("Version %(version)s: %(file)s is not the file that was saved.")


class VersionError(Exception):
    """A version cannot be saved or loaded; the message says which and why."""


@dataclass(frozen=True)
class SecondLook:
    """A larger network that is asked about the photos the first one is not sure of.

    Attributes:
        architecture: `"efficientnet-lite2"`, …
        side: Side in pixels of what it takes in.
        below: Calibrated confidence of the first network under which this one is asked.
        temperature: Divides both networks' mean logits before the softmax.
        looks: The views of a photo that it is shown, by their names in `ml.views`.
        weight: How much it counts in that mean, where the first network counts 1.
    """

    architecture: str
    side: int
    below: float
    temperature: float = 1.0
    # What versions were trained for whose cards do not say.
    looks: tuple[str, ...] = ("closer", "whole")
    weight: float = 2.0


@dataclass(frozen=True)
class Card:
    """What a version is, how it was made and how good it is: the content of `card.json`.

    Attributes:
        version: Its name, also its folder's: `"2026-11-23.1"`.
        architecture: `"efficientnet-lite0"`, …
        labels: In the order of the network's outputs.
        preprocessing: `ml.photos.PREPROCESSING` at training time.
        side: Side in pixels of what the network takes in.
        temperature: Divides the logits before the softmax.
        second: The second look at photos that are hard; None: there is none.
        unsure_below: Calibrated confidence under which the answer is `unsure`; None: never.
        neither_above: Novelty over which the answer is `neither`; None: never.
        scores: Measured on the holdout: accuracy with its interval, log loss, …
        data: Digest of the data set and its counts.
        training: Configuration, seed, seconds, machine, package versions.
        code_revision: Of the code that trained it, where known.
        created: ISO 8601 date and time, UTC.
        files: Name to SHA-256 of each other file in the folder; `save_version` fills it in.
    """

    version: str
    architecture: str
    labels: tuple[str, ...]
    preprocessing: str
    side: int
    created: str
    temperature: float = 1.0
    second: SecondLook | None = None
    unsure_below: float | None = None
    neither_above: float | None = None
    scores: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    code_revision: str | None = None
    files: dict[str, str] = field(default_factory=dict)

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of the files that answer."""
        return (NETWORK, SECOND) if self.second else (NETWORK,)

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of the network that every photo is shown to."""
        return self.files[NETWORK]


def next_version(root: Path, today: date) -> str:
    """The first free name of a day: `"2026-11-23.1"`, `"2026-11-23.2"`, …"""
    number = 1
    while (root / f"{today.isoformat()}.{number}").exists():
        number += 1
    return f"{today.isoformat()}.{number}"


def save_version(root: Path, card: Card, files: Mapping[str, bytes]) -> Path:
    """Write a version's folder whole or not at all.

    Args:
        root: Where versions live; made if need be.
        card: Its card; `files` in it is filled in here.
        files: Name to content of each file beside the card; `model.onnx` among them.

    Returns:
        The folder, `root / card.version`.

    Raises:
        VersionError: if the name is unfit, taken, or a file is missing.
        OSError: if the disk refuses; nothing stays behind.
    """
    if not _NAME.fullmatch(card.version):
        raise VersionError(f"A version's name is letters, digits, '.', '_', '-'. {card.version=}")
    for name in card.networks:
        if name not in files:
            raise VersionError(f"A version like this needs {name}. Received: {sorted(files)}")
    root.mkdir(parents=True, exist_ok=True)
    card = replace(card, files={name: _sha256(files[name]) for name in sorted(files)})
    everything = {**files, CARD: _dump(card)}
    aside = Path(tempfile.mkdtemp(prefix=".saving-", dir=root))
    try:
        for name, content in everything.items():
            (aside / name).write_bytes(content)
        aside.chmod(0o755)  # mkdtemp's 0o700 would keep the server's user out
        return _move(aside, root / card.version)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def load_card(folder: Path) -> Card:
    """Read a version's card without checking its files: to list, never to answer.

    Raises:
        VersionError: if the card is missing or cannot be read.
    """
    try:
        content = json.loads((folder / CARD).read_text(encoding="utf-8"))
        labels, second = tuple(content["labels"]), content.get("second")
        look = None if second is None else _second_look(second)
        return Card(**{**content, "labels": labels, "second": look})
    except (OSError, ValueError, KeyError, TypeError) as error:
        # Anybody who sends a photo is told: not where the files lie.
        reason = error.strerror if isinstance(error, OSError) else error
        raise VersionError(
            _CARD_UNREADABLE % {"version": folder.name, "file": CARD, "reason": reason}
        ) from error


def load_version(folder: Path) -> Card:
    """Read a version's card and check every file of the folder against it.

    Raises:
        VersionError: if a file is missing or changed, or the card is another version's.
    """
    card = load_card(folder)
    if card.version != folder.name:
        raise VersionError(_OTHER_CARD % {"version": folder.name, "name": card.version})
    for name in card.networks:
        if name not in card.files:
            raise VersionError(_NOT_LISTED % {"version": folder.name, "file": name})
    for name, expected in card.files.items():
        if not _NAME.fullmatch(name):
            raise VersionError(_NOT_OURS % {"version": folder.name, "file": repr(name)})
        try:
            with (folder / name).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise VersionError(_UNREADABLE % {"version": folder.name, "file": name}) from error
        if digest != expected:
            raise VersionError(_CHANGED % {"version": folder.name, "file": name})
    return card


def list_versions(root: Path) -> list[str]:
    """Names of the versions under `root`, oldest first; folders without a card are none."""
    if not root.is_dir():
        return []
    cards = (path.parent.name for path in root.glob(f"*/{CARD}"))
    return sorted((name for name in cards if not name.startswith(".")), key=_natural)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sorts `2026-11-23.10` behind `2026-11-23.9`."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]


def _second_look(content: dict[str, Any]) -> SecondLook:
    look = SecondLook(**content)
    return replace(look, looks=tuple(look.looks))


def _move(aside: Path, folder: Path) -> Path:
    try:
        # rename() refuses a folder that is there and not empty: a version is never overwritten.
        os.rename(aside, folder)
    except OSError as error:
        if folder.exists():
            raise VersionError(f"Version {folder.name} is there already.") from error
        raise
    return folder


def _dump(card: Card) -> bytes:
    return (json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n").encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
