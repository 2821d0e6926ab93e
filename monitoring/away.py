"""What is known while the database is away: kept in a small file, stored once it is back."""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

_NAME = "database-away.json"
# Whoever has held the lock for so long is dead: the slowest mail server takes less.
_LOCK_LASTS = 180.0


@dataclass
class Away:
    """The database, as far as this machine's checks have seen.

    Attributes:
        since: When it was first seen to be away; None: it is not.
        seen_at: When it was last seen to be away.
        opened_at: When that had lasted long enough to tell somebody.
        told: By which channels somebody was told of it, or of the same incident just before.
        silent_until: Until when nobody wants to be told; kept here because silences are rows.
    """

    since: datetime | None = None
    seen_at: datetime | None = None
    opened_at: datetime | None = None
    told: dict[str, datetime] = field(default_factory=dict)
    silent_until: datetime | None = None

    def is_silenced(self, now: datetime) -> bool:
        return self.silent_until is not None and now < self.silent_until


# What the disk had no room for: a full disk is a reason why databases go away.
_unwritten: list[Away] = []


def read() -> Away:
    """What the file says; a file that is missing or broken says that nothing is wrong."""
    if _unwritten:
        return replace(_unwritten[0])
    try:
        known = json.loads(_path().read_text(encoding="utf-8"))
        times = {key: _time(known.get(key)) for key in asdict(Away()) if key != "told"}
        told = {channel: datetime.fromisoformat(at) for channel, at in known["told"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Away()
    return Away(**times, told=told)


def write(away: Away) -> None:
    """Replace the file; without anything to remember there is none.

    Where it cannot be written, this process remembers.
    """
    _unwritten.clear()
    try:
        if away == Away():
            _path().unlink(missing_ok=True)
        else:
            _replace_file(away)
    except OSError:
        _unwritten.append(replace(away))


def _replace_file(away: Away) -> None:
    aside = _path().with_suffix(f".{os.getpid()}")
    try:
        aside.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(asdict(away), default=_iso), encoding="utf-8")
        aside.replace(_path())
    finally:
        aside.unlink(missing_ok=True)


@contextlib.contextmanager
def turn() -> Iterator[bool]:
    """Whether it is this process's turn to read, tell and write: another one's may last.

    A file that can only be made once works wherever Python does, across processes.
    """
    lock = _path().with_suffix(".lock")
    if not _is_free(lock):
        yield False
        return
    try:
        yield True
    finally:
        with contextlib.suppress(OSError):
            lock.unlink()


def _is_free(lock: Path) -> bool:
    """Take the lock. Where nothing can be written at all, each process is on its own."""
    with contextlib.suppress(OSError):
        lock.parent.mkdir(parents=True, exist_ok=True)
        if time.time() - lock.stat().st_mtime > _LOCK_LASTS:
            lock.unlink()
    try:
        lock.touch(exist_ok=False)
    except FileExistsError:
        return False
    except OSError:
        return True
    return True


def _path() -> Path:
    return Path(settings.VAR_DIR) / _NAME


def _time(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _iso(at: datetime) -> str:
    return at.isoformat()
