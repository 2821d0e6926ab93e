"""Photos on disk, by the SHA-256 of their bytes: the same photo is kept once."""

import contextlib
import errno
import logging
import os
import secrets
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from classifier import journal
from classifier.models import Prediction
from classifier.spool import sync_folder
from classifier.unlearning import unlearn_unless_allowed
from ml.photos import Photo
from ml.sentences import Sentence

logger = logging.getLogger(__name__)

# The disk, our share of it, or the longest file allowed.
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Before the name of a photo that is about to go.
_ERASING = ".erasing-"


NO_ROOM = Sentence(
    "There is no room to keep the photo at the moment, so it was not looked at. Please try again "
    "later."
)
NOT_POSSIBLE = Sentence(
    "It is not possible to keep the photo at the moment, so it was not looked at. Please try again "
    "later."
)


class NotKept(Exception):
    """The disk does not take a photo; the message says so to whoever sent it."""


def keep(photo: Photo) -> None:
    """Store a photo's bytes, whole or not at all.

    With `settings.PHOTO_SYNC`, a power cut spares them as well. Without, it may take those of the
    last half minute, and a photo that it cut short counts as missing: see docs/reliability.

    Raises:
        NotKept: if the disk is full, or cannot be written to.
    """
    path = _path(photo.sha256)
    if _is_whole(path, len(photo.data)):
        return
    try:
        _write(path, photo.data)
    except OSError as error:
        logger.error("A photo cannot be kept: %s", error)
        raise NotKept(NO_ROOM if error.errno in _FULL else NOT_POSSIBLE) from error


def _is_whole(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:  # not there, as a rule; else writing it says what is wrong
        return False


def _write(path: Path, data: bytes) -> None:
    aside = path.with_name(f".keeping-{secrets.token_hex(8)}")
    descriptor = _create(aside)
    try:
        try:
            _write_all(descriptor, data)
            if settings.PHOTO_SYNC:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(aside, path)
        if settings.PHOTO_SYNC:
            sync_folder(path.parent)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def _create(path: Path) -> int:
    """A file of our own, opened without Python's buffers: half the work for one write."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:  # the first photo of its folder
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, 0o600)


def _write_all(descriptor: int, data: bytes) -> None:
    # A nearly full disk takes some bytes first and refuses the next ones.
    with memoryview(data) as rest:
        done = 0
        while done < len(rest):
            done += os.write(descriptor, rest[done:])


def read(sha256: str) -> bytes | None:
    """A kept photo's bytes, as they came; None once it is erased."""
    try:
        return _path(sha256).read_bytes()
    except FileNotFoundError:
        return None


def path_of(sha256: str) -> Path | None:
    """Where a kept photo lies; None once it is erased."""
    path = _path(sha256)
    return path if path.is_file() else None


def erase(sha256: str, is_wanted: Callable[[], bool]) -> bool:
    """Remove a photo, unless someone turns out to want it. Doing it twice is fine.

    The same photo may be coming in again at this moment. So it is moved aside before the last look:
    whoever logs a prediction earlier is seen by that look, and whoever logs it later finds the
    photo missing and keeps it anew (`classifier.classify.classify_photo`).

    Args:
        sha256: Of the photo.
        is_wanted: Whether a prediction needs it; asked once the photo has been moved aside.

    Returns:
        Whether it is gone.
    """
    path = _path(sha256)
    aside = path.with_name(f"{_ERASING}{sha256}")
    with contextlib.suppress(FileNotFoundError):
        path.rename(aside)
    wanted = True  # also where the database cannot be asked
    try:
        # Rows that wait for the database want their photos, too.
        wanted = is_wanted() or journal.holds(sha256)
    finally:
        with contextlib.suppress(FileNotFoundError):
            aside.rename(path) if wanted else aside.unlink()
    return not wanted


def forget_expired() -> int:
    """Erase each photo whose end date has passed for everyone who sent it.

    Returns:
        How many photos were erased.
    """
    overdue = Prediction.objects.overdue(timezone.now())
    forgotten = 0
    for sha256 in overdue.values_list("photo_sha256", flat=True).distinct().order_by():
        sharing = Prediction.objects.sharing_photo(sha256)
        if erase(sha256, sharing.wanting_photo(timezone.now()).exists):
            unlearn_unless_allowed(sha256)
            # Last: where this is cut short, the photo is still overdue for the next time.
            sharing.overdue(timezone.now()).update(photo_is_kept=False)
            forgotten += 1
    return forgotten


def forget_orphans(older_than: datetime) -> int:
    """Erase files that no prediction knows: what a crash between photo and row left behind.

    Args:
        older_than: Younger files are left alone; their rows may be on the way.

    Returns:
        How many files were erased; none, while rows wait on disk whose photos these may be.
    """
    forgotten = 0
    if journal.waiting() or journal.rejected():
        return forgotten
    for path in settings.PHOTOS_DIR.glob("??/??/*"):
        if path.stat().st_mtime >= older_than.timestamp():
            continue
        # An erasing that was cut short ends here, by the same question.
        sha256 = path.name.removeprefix(_ERASING)
        if not Prediction.objects.sharing_photo(sha256).with_photo().exists():
            unlearn_unless_allowed(sha256)
            path.unlink(missing_ok=True)
            forgotten += 1
        elif path != _path(sha256):
            path.rename(_path(sha256))
    return forgotten


def _path(sha256: str) -> Path:
    # Two levels of folders: no folder grows beyond what a file system lists quickly.
    return Path(f"{settings.PHOTOS_DIR}/{sha256[:2]}/{sha256[2:4]}/{sha256}")
