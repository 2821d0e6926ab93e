"""How often somebody asks, counted by all workers in one small file, without the database.

The generic cell rate algorithm: of each name only the time is kept at which all that it has asked
for would be paid off, at so much a minute. Source: ITU-T I.371, annex A.
"""

import fcntl
import hashlib
import logging
import mmap
import os
import struct
import threading
from pathlib import Path

# A name falls into one bucket; where that is full of others, the one longest paid off gives way.
_BUCKETS, _PLACES = 4096, 8
_PLACE = struct.Struct("<Qd")  # what is left of the name, and the time
_BUCKET_BYTES = _PLACES * _PLACE.size
_BYTES = _BUCKETS * _BUCKET_BYTES
# So many seconds' worth may be asked for at once.
_BURST_SECONDS = 60.0

logger = logging.getLogger(__name__)


class Arrivals:
    """A table of who asked for how much. Safe to share between threads and processes.

    Args:
        path: Its file, made where there is none. Where that is not possible, the table is in memory
            and this process counts alone.
        key: Makes it impossible to choose names that get in each other's way.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self._key = hashlib.sha256(key).digest()
        self._lock = threading.Lock()
        self._file: int | None = None
        try:
            self._file = _open(path)
            self._table = mmap.mmap(self._file, _BYTES)
        except OSError as error:
            logger.warning("Every process counts by itself how often people ask: %s", error)
            if self._file is not None:
                os.close(self._file)
            self._file = None
            self._table = mmap.mmap(-1, _BYTES)

    def ask(self, name: str, number: int, per_minute: int, now: float) -> float:
        """Ask for something on behalf of a name.

        Args:
            name: Whose it is; only a hash of it is kept.
            number: How much; more than `per_minute` counts as that.
            per_minute: What may be had a minute, on the average and at once.
            now: The time, in seconds of a clock that all processes share.

        Returns:
            0 if it may be had, and is counted; else in how many seconds it may, and nothing is.
        """
        digest = hashlib.blake2b(name.encode(), key=self._key, digest_size=16).digest()
        bucket = int.from_bytes(digest[:8], "little") % _BUCKETS * _BUCKET_BYTES
        mark = int.from_bytes(digest[8:], "little") or 1  # 0 is an empty place
        cost = min(number, per_minute) * _BURST_SECONDS / per_minute
        with self._lock:
            if self._file is not None:
                fcntl.lockf(self._file, fcntl.LOCK_EX, _BUCKET_BYTES, bucket)
            try:
                return self._pay(bucket, mark, cost, now)
            finally:
                if self._file is not None:
                    fcntl.lockf(self._file, fcntl.LOCK_UN, _BUCKET_BYTES, bucket)

    def _pay(self, bucket: int, mark: int, cost: float, now: float) -> float:
        place, paid_at = self._find(bucket, mark)
        # A time beyond what anybody can owe was written before the clock was set back.
        owed = paid_at - now if now < paid_at <= now + _BURST_SECONDS else 0.0
        # A microsecond is lost in sums of times.
        if owed + cost > _BURST_SECONDS + 1e-6:
            return owed + cost - _BURST_SECONDS
        _PLACE.pack_into(self._table, place, mark, now + owed + cost)
        return 0.0

    def _find(self, bucket: int, mark: int) -> tuple[int, float]:
        """Where a name's time stands, or is to stand, and the time."""
        oldest, oldest_at = bucket, float("inf")
        for place in range(bucket, bucket + _BUCKET_BYTES, _PLACE.size):
            found, paid_at = _PLACE.unpack_from(self._table, place)
            if found == mark:
                return place, paid_at
            if paid_at < oldest_at:
                oldest, oldest_at = place, paid_at
        return oldest, 0.0


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # A place that the disk has no room for would end the process on its first use.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file, 0, _BYTES)
        else:  # macOS
            os.truncate(file, _BYTES)
    except OSError:
        os.close(file)
        raise
    return file
