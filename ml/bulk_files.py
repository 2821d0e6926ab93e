"""Where rows go: a file that grows by a row at a time and may be cut off anywhere, or a pipe."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from ml.bulk_forms import Form, json_line
from ml.rows import Row

if sys.platform != "win32":
    import fcntl

# A power cut takes at most so many rows that were written; a killed process none.
_SYNC_EVERY = 1_000
# In bytes. No row is longer: a path has at most 4096.
_LONGEST_ROW = 100_000
# Without what nobody reads, such as the time of the last change; macOS has only the whole.
_sync_file = getattr(os, "fdatasync", os.fsync)

# What to do about a file that holds something else.
INSTEAD = "Name another file, or replace it by --overwrite."


class SheetError(Exception):
    """Rows cannot be written where, or as, it was asked for; the message says why."""


class Sheet(Protocol):
    """Where rows go. Whatever the disk refuses is an OSError."""

    def begin(self, take: Callable[[Row], bool]) -> None:
        """Show the rows that are there already, before any is written.

        Args:
            take: Given each of them, says whether its path is new. They have `path`, and either
                `answer` and `version` or `code`, if not more.

        Raises:
            SheetError: if something else is there.
        """

    def write(self, row: Row) -> None:
        """Add a row."""

    def finish(self) -> None:
        """All rows are there. Once this returns, a power cut spares them."""

    def close(self) -> None:
        """Give the file up, finished or not: another run can go on with it."""


class Printed:
    """Rows as JSON lines for whoever reads them now.

    Args:
        say: Takes the text.
    """

    def __init__(self, say: Callable[[str], object]) -> None:
        self._say = say

    def begin(self, take: Callable[[Row], bool]) -> None:
        pass

    def write(self, row: Row) -> None:
        self._say(json_line(row))

    def finish(self) -> None:
        pass

    def close(self) -> None:
        pass


class Grown:
    """A file that rows are appended to.

    Each row is handed to the system as it comes, so a process that is killed has lost none. What
    is cut off in its middle, by a power cut or a full disk, is dropped when the next run begins.

    Args:
        path: Made if need be, and ours alone until it is closed.
        form: How rows are written.
        overwrite: Whether what is there is thrown away.

    Raises:
        SheetError: if another process is writing to it.
        OSError: if it cannot be written to.
    """

    def __init__(self, path: Path, form: Form, *, overwrite: bool = False) -> None:
        self.path = path
        self._form = form
        self._end = self._unsynced = 0
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            self._lock()
            if overwrite:
                os.ftruncate(self._file, 0)
        except BaseException:
            os.close(self._file)
            raise

    def begin(self, take: Callable[[Row], bool]) -> None:
        for row in self.rows():
            take(row)
        if not self._end:
            self.clear()

    def rows(self) -> Iterator[Row]:
        """The whole rows that are there; what lies behind them is cut off in the end."""
        end = 0
        with self.path.open("rb") as file:
            start = file.read(len(self._form.begins))
            file.seek(0)
            try:
                if not self._form.begins.startswith(start):
                    raise ValueError(f"it begins with {start!r}")
                for row, row_end in self._form.read(file):
                    yield row
                    end = row_end
            except ValueError as error:
                raise SheetError(
                    f"{self.path} holds something else than rows of ours: {error}. {INSTEAD}"
                ) from error
        self._cut(end)

    def clear(self) -> None:
        """Throw all rows away."""
        os.ftruncate(self._file, 0)
        self._end = 0
        self._append(self._form.header)
        sync_folder(self.path.parent)

    def write(self, row: Row) -> None:
        self._append(self._form.line(row))
        self._unsynced += 1
        if self._unsynced == _SYNC_EVERY:
            self.finish()

    def finish(self) -> None:
        _sync_file(self._file)
        self._unsynced = 0

    def close(self) -> None:
        os.close(self._file)

    def _append(self, data: bytes) -> None:
        try:
            rest = data
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            self._cut(self._end)
            raise
        self._end += len(data)

    def _cut(self, end: int) -> None:
        if os.fstat(self._file).st_size > end + _LONGEST_ROW:
            raise SheetError(
                f"{self.path} holds something else than rows of ours from byte {end:,} on. "
                f"{INSTEAD}"
            )
        os.ftruncate(self._file, end)
        self._end = end

    def _lock(self) -> None:
        if sys.platform == "win32":
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SheetError(f"Another process is writing to {self.path}.") from error


def sync_folder(folder: Path) -> None:
    """Let a power cut spare the names of the files in a folder."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
