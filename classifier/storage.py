"""Photos on disk, by the SHA-256 of their bytes: the same photo is kept once."""

import os
import tempfile
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from classifier.models import Prediction
from ml.photos import Photo


def keep(photo: Photo) -> None:
    """Store a photo's bytes, whole or not at all."""
    path = _path(photo.sha256)
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, aside = tempfile.mkstemp(prefix=".keeping-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(photo.data)
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def read(sha256: str) -> bytes | None:
    """A kept photo's bytes, as they came; None once it is erased."""
    try:
        return _path(sha256).read_bytes()
    except FileNotFoundError:
        return None


def erase(sha256: str) -> None:
    """Remove a photo. Doing it twice is fine."""
    _path(sha256).unlink(missing_ok=True)


def forget_expired() -> int:
    """Erase each photo whose end date has passed for everyone who sent it.

    Returns:
        How many photos were erased.
    """
    overdue = Prediction.objects.overdue(timezone.now())
    forgotten = 0
    for sha256 in overdue.values_list("photo_sha256", flat=True).distinct().order_by():
        sharing = Prediction.objects.sharing_photo(sha256)
        if sharing.wanting_photo(timezone.now()).exists():
            continue
        erase(sha256)
        sharing.update(photo_is_kept=False)
        forgotten += 1
    return forgotten


def forget_orphans(older_than: datetime) -> int:
    """Erase files that no prediction knows: what a crash between photo and row left behind.

    Args:
        older_than: Younger files are left alone; their rows may be on the way.

    Returns:
        How many files were erased.
    """
    forgotten = 0
    for path in settings.PHOTOS_DIR.glob("??/??/*"):
        if path.stat().st_mtime >= older_than.timestamp():
            continue
        if not Prediction.objects.sharing_photo(path.name).exists():
            path.unlink(missing_ok=True)
            forgotten += 1
    return forgotten


def _path(sha256: str) -> Path:
    # Two levels of folders: no folder grows beyond what a file system lists quickly.
    folder: Path = settings.PHOTOS_DIR / sha256[:2] / sha256[2:4]
    return folder / sha256
