"""Bases beside the versions, in `bases/`, each called by its own SHA-256: saved, found, read."""

import hashlib
import os
import tempfile
from pathlib import Path

from ml.base import Base, BaseError, describe_backbones
from ml.base_file import from_bytes, peek, to_bytes
from ml.marked import gettext_noop
from ml.registry import Card

BASES = "bases"


def save_base(root: Path, base: Base) -> Path:
    """Write a base beside the versions under `root`, whole or not at all.

    Returns:
        Its path.

    Raises:
        OSError: if the disk refuses; nothing stays behind.
    """
    content = to_bytes(base)
    folder = root / BASES
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(content).hexdigest()[:16]}.npz"
    handle, aside = tempfile.mkstemp(prefix=".saving-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(aside).chmod(0o644)  # mkstemp's 0o600 would keep the server's user out
        os.replace(aside, path)
    finally:
        Path(aside).unlink(missing_ok=True)
    return path


def find_base(root: Path, card: Card) -> Base:
    """The base of a version: the one it was refitted from, or the one that was made of it.

    Args:
        root: Where versions live.
        card: The version's.

    Raises:
        BaseError: if there is none, or it is not the file that was saved.
    """
    return load_base(_path_for(root, card))


def base_digest(root: Path, card: Card) -> str:
    """The name of a version's base, which says what is in it.

    Raises:
        BaseError: if there is none.
    """
    return _path_for(root, card).stem


def load_base(path: Path) -> Base:
    """Read a base and check it against its name.

    Raises:
        BaseError: if it cannot be read or is not the file that was saved.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BaseError(
            gettext_noop("The base %(name)s cannot be read: %(reason)s.")
            % {"name": path.name, "reason": error.strerror}
        ) from error
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256[:16] != path.stem:
        raise BaseError(
            gettext_noop(
                "The base %(name)s is not the file that was saved. Get it anew, or make another "
                "one: python -m ml base --version VERSION --data DIR"
            )
            % {"name": path.name}
        )
    return from_bytes(content, sha256)


def _path_for(root: Path, card: Card) -> Path:
    """The base that a version was refitted from, or else one that was made of it, the newest."""
    backbones, found = describe_backbones(card), []
    for path in sorted((root / BASES).glob("*.npz")):
        about = peek(path)
        fits = about.get("backbones") == backbones and about.get("labels") == list(card.labels)
        origin = card.training.get("base", {}).get("sha256", "")[:16] == path.stem
        made_of_it = about.get("head_sha256") == card.training.get("head_sha256")
        if fits and about.get("preprocessing") == card.preprocessing and (origin or made_of_it):
            found.append((origin, str(about.get("created")), path))
    if not found:
        where = {"version": card.version, "folder": root / BASES}
        raise BaseError(
            gettext_noop("There is no base for version %(version)s in %(folder)s. %(advice)s")
            % {**where, "advice": _how_to_get_one(card)}
        )
    return max(found)[-1]


def _how_to_get_one(card: Card) -> str:
    origin = card.training.get("base")
    if origin:
        return gettext_noop("It was refitted from %(name)s; put that file there.") % {
            "name": f"{origin['sha256'][:16]}.npz"
        }
    return gettext_noop("Make one: python -m ml base --version %(version)s --data DIR") % {
        "version": card.version
    }
