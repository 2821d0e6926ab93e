"""What is dear to make, kept in files that may be lost: each is checked, and made anew if need be.

Nothing depends on a file being there. One that was cut off, changed or removed is made again; where
none can be written, for a full disk, what was made is used all the same.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

# Where exported networks are kept, in the folder of the features.
NETWORKS = "networks"
# What names a file that says something of single photos.
_OF_PHOTOS = ".photos"
# Two networks take seven files; room for what three trainings on other data would leave.
_MOST = 28
_DIGEST = 32  # bytes that a file begins with


class Kept:
    """Files in a folder, by what decides their content.

    Args:
        folder: Where they lie; made when the first one is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str, make: Callable[[], bytes], *, of_photos: bool = False) -> bytes:
        """The content that belongs to a key: kept, or else made and kept.

        Args:
            key: What decides the content.
            make: Gives the content.
            of_photos: It says something of single photos: see `forget_photos`.
        """
        name = hashlib.sha256(key.encode()).hexdigest()
        path = self._folder / (name + _OF_PHOTOS if of_photos else name)
        content = _read(path, key)
        if content is None:
            content = make()
            # A training need not fail for what only spares the next one some time.
            with suppress(OSError):
                self._write(path, _digest(key, content) + content)
        return content

    def forget_photos(self) -> None:
        """Remove what says something of single photos; whoever erases one cannot tell which."""
        for path in self._folder.glob(f"*{_OF_PHOTOS}"):
            with suppress(FileNotFoundError):
                os.remove(path)

    def _write(self, path: Path, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(name, path)
        except BaseException:  # Ctrl-C too
            Path(name).unlink(missing_ok=True)
            raise
        self._forget_the_oldest()

    def _forget_the_oldest(self) -> None:
        """Also what a run that was killed left half-written, in time."""
        files = sorted(self._folder.iterdir(), key=lambda path: path.stat().st_mtime)
        for path in files[:-_MOST]:
            path.unlink(missing_ok=True)


def _read(path: Path, key: str) -> bytes | None:
    """The content of a file; None where it is missing, or not what was written for the key."""
    try:
        whole = path.read_bytes()
        digest, content = whole[:_DIGEST], whole[_DIGEST:]
        if digest != _digest(key, content):
            return None
        path.touch()  # the oldest are those not asked for lately
    except OSError:
        return None
    return content


def _digest(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\0" + content).digest()
