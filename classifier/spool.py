"""Lines that must outlive their process and a power cut: append-only files, one per process.

A process holds a lock on the file that it appends to, its *segment*. A segment without a lock is
finished, or its process is dead: anyone may take it, and it is theirs to remove. A line ends with a
line feed; what does not was cut off by a crash, and nobody was ever told that it was kept.
"""

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from classifier.ids import uuid7

_SUFFIX, _REJECTED = ".jsonl", ".rejected"
# A segment is inserted in one transaction: so many rows take some tenths of a second.
_MOST_LINES = 1000
# Without what nobody reads, such as the time of the last change; macOS has only the whole.
_sync_file = getattr(os, "fdatasync", os.fsync)
# Size and number of lines of files that were counted lately.
_counted: dict[Path, tuple[int, int]] = {}
_MOST_COUNTED = 10_000


class _Segment:
    """The file that this process appends to. Whoever writes holds the writer's lock."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{uuid7()}{_SUFFIX}"
        # Locked under another name: an unlocked one would be anybody's.
        aside = folder / f".{name}"
        self._file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            aside.rename(folder / name)
            sync_folder(folder)
        except BaseException:
            os.close(self._file)
            aside.unlink(missing_ok=True)
            raise
        self.folder = folder
        self.lines = 0
        self._written = 0
        self._synced = 0
        self._syncing = threading.Lock()
        self.is_broken = False

    def write(self, line: bytes) -> int:
        """Append a line, all of it or nothing.

        Returns:
            Up to where the file must be synced for the line to be safe.
        """
        try:
            rest = line
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            self._cut(self._written)
            raise
        self._written += len(line)
        self.lines += 1
        return self._written

    def sync(self, end: int) -> None:
        """Wait until the disk has the file up to `end`; who comes meanwhile shares the next one."""
        with self._syncing:
            if end <= self._synced:
                return
            if self.is_broken:
                raise OSError(f"{self.folder} could not be written to.")
            written = self._written
            try:
                _sync_file(self._file)
            except OSError:
                # What the disk has of these lines is unknown, and stays so if it is tried again.
                self.is_broken = True
                self._cut(self._synced)
                raise
            self._synced = written

    def close(self) -> None:
        """Leave it to whoever takes it; what others still want to be safe is made so first."""
        with contextlib.suppress(OSError):  # they will be told
            self.sync(self._written)
        with self._syncing:
            self.is_broken = True
            os.close(self._file)

    def _cut(self, end: int) -> None:
        try:
            os.ftruncate(self._file, end)
        except OSError:
            self.is_broken = True


class Writer:
    """Appends lines for this process, from any of its threads.

    Args:
        folder: Where segments lie; asked each time.
    """

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._segment: _Segment | None = None
        self._lock = threading.Lock()

    def append(self, line: bytes) -> None:
        """Append a line that ends with a line feed; when this returns, a power cut spares it.

        Raises:
            OSError: if it cannot be written; then nothing of it is there.
        """
        with self._lock:
            segment = self._current()
            end = segment.write(line)
        segment.sync(end)

    def seal(self) -> None:
        """Leave what was written so far to whoever takes it."""
        with self._lock:
            self._close()

    def _current(self) -> _Segment:
        segment, folder = self._segment, self._folder()
        if segment is None or segment.is_broken or self._is_over(segment, folder):
            self._close()
            segment = self._segment = _Segment(folder)
        return segment

    def _close(self) -> None:
        if self._segment:
            self._segment.close()
        self._segment = None

    @staticmethod
    def _is_over(segment: _Segment, folder: Path) -> bool:
        return segment.lines >= _MOST_LINES or segment.folder != folder


def segments(folder: Path) -> list[Path]:
    """All segments, oldest first: those of all processes, and whether or not they are written."""
    return sorted(_files(folder, _SUFFIX))


def rejected(folder: Path) -> list[Path]:
    """Where lines lie that can never be inserted: see `set_aside`."""
    return sorted(_files(folder, _REJECTED))


def begun_at(segment: Path) -> datetime:
    """When a segment got its first line, by its name."""
    milliseconds = UUID(segment.stem).int >> 80  # of a version 7 UUID
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def read(segment: Path) -> bytes:
    """All of a segment; nothing, if it is gone."""
    try:
        return segment.read_bytes()
    except FileNotFoundError:
        return b""


def count_lines(segment: Path) -> int:
    """How many lines a file has; what was counted once is not read again."""
    try:
        size = segment.stat().st_size
    except FileNotFoundError:
        _counted.pop(segment, None)
        return 0
    if _counted.get(segment, (-1, 0))[0] != size:
        if len(_counted) > _MOST_COUNTED:
            _counted.clear()
        _counted[segment] = size, read(segment).count(b"\n")
    return _counted[segment][1]


@contextlib.contextmanager
def taken(segment: Path) -> Iterator[list[bytes] | None]:
    """The whole lines of a segment, which is ours meanwhile; None: another one has it, or had."""
    try:
        file = segment.open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        if os.fstat(file.fileno()).st_nlink == 0:
            yield None
            return
        yield file.read().split(b"\n")[:-1]


def set_aside(segment: Path, lines: list[bytes]) -> Path:
    """Write lines beside their segment, to be looked at by a person. Doing it twice is fine."""
    # Under the next id: renamed back into a segment, it is not one that has arrived already.
    following = UUID(int=UUID(segment.stem).int + 1)
    path = segment.with_name(f"{following}{_REJECTED}")
    aside = segment.with_name(f".{path.name}")
    with aside.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(b"".join(line + b"\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    sync_folder(path.parent)
    return path


def sync_folder(folder: Path) -> None:
    """Let a power cut spare the names of the files in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _files(folder: Path, suffix: str) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except FileNotFoundError:
        return []
    return [folder / name for name in names if name.endswith(suffix) and _is_ours(name)]


def _is_ours(name: str) -> bool:
    try:
        UUID(Path(name).stem)
    except ValueError:  # being made, or somebody else's
        return False
    return True
