"""Find the photos in files, folders and lists: one after another, in order, each once."""

import hashlib
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

from ml.rows import written
from ml.sources import ENDINGS

# What `Photos.left_out` counts.
HIDDEN = "hidden"
NO_PHOTO = "no photo by its name"
VISITED = "a folder that was looked through already"


class Seen:
    """Paths, to ask which of them are new; for millions of them.

    They lie in a file in the system's folder for temporary files, some 25 bytes each, which is gone
    with this object; in memory is never more than a part of it.

    Raises:
        OSError: from each method, if there is no room for it.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)  # "": a file without a name
        for step in (
            "PRAGMA cache_size = -32000",  # kibibytes
            "PRAGMA journal_mode = OFF",
            "PRAGMA synchronous = OFF",
            "CREATE TABLE seen (path BLOB PRIMARY KEY) WITHOUT ROWID",
            "BEGIN",
        ):
            self._database.execute(step)

    def add(self, path: str) -> bool:
        """Note a path as it is `written`, and say whether it is new."""
        # As good as the path: two of millions share 16 bytes with a chance of 1 to 10^24.
        digest = hashlib.blake2b(path.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        try:
            added = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?)", (digest,))
        except sqlite3.Error as error:
            raise OSError(f"Which photos were seen cannot be kept: {error}.") from error
        return added.rowcount == 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()


class Photos:
    """The photos in some places, to be gone through once.

    A place that is a file is one of them whatever its name. In a folder, and in the folders in it,
    those count that are photos by their names; they come in the order of their names, which are
    held in memory for the folders that are open: about 100 bytes each. Links are followed, and no
    folder is looked through twice. A folder that cannot be read is among the photos itself, so that
    whoever reads it says why.

    Args:
        places: Files and folders.
        listed: Lines of a list that names more of them.
        seen: Those to pass by; what is found is added to them.

    Attributes:
        left_out: How many files and folders were, by reason.
    """

    def __init__(self, places: Sequence[Path], listed: Iterable[bytes], seen: Seen) -> None:
        self.left_out: Counter[str] = Counter()
        self._places = chain(map(str, places), filter(None, map(_path, listed)))
        self._seen = seen
        self._folders: set[tuple[int, int]] = set()

    def __iter__(self) -> Iterator[str]:
        for place in self._places:
            found = self._walk(place) if os.path.isdir(place) else [place]
            yield from (path for path in found if self._seen.add(written(path)))

    def _walk(self, top: str) -> Iterator[str]:
        open_folders = [(top, self._names(top))]
        while open_folders:
            folder, names = open_folders[-1]
            name = next(names, None)
            if name is None:
                open_folders.pop()
                continue
            path = os.path.join(folder, name)
            if name.endswith(os.sep):
                open_folders.append((path, self._names(path)))
            else:
                yield path

    def _names(self, folder: str) -> Iterator[str]:
        """Names in a folder, sorted as whole paths are; those of folders end with a slash."""
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in self._folders:
                self.left_out[VISITED] += 1
                return iter(())
            self._folders.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                return iter(sorted(filter(None, map(self._name, entries))))
        except OSError:
            return iter(("",))  # the folder itself

    def _name(self, entry: os.DirEntry[str]) -> str:
        if entry.name.startswith("."):
            self.left_out[HIDDEN] += 1
        elif _is_folder(entry):
            return entry.name + os.sep
        elif os.path.splitext(entry.name)[1].lower() in ENDINGS:
            return entry.name
        else:
            self.left_out[NO_PHOTO] += 1
        return ""


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # such as a link to itself
        return False


def _path(line: bytes) -> str:
    """A line of a list as a path; a list may come from a system that ends lines with CR LF."""
    name = os.fsdecode(line.rstrip(b"\r\n"))
    return str(Path(name)) if name else ""
