"""Make a version ready to answer, beside the one that answers."""

import contextlib
import ctypes
from pathlib import Path

from django.conf import settings

from classifier.models import ModelVersion
from classifier.promoting import check_registered
from ml.inference import Engine, OnnxEngine
from ml.registry import CARD, VersionError


def load(version: ModelVersion) -> Engine:
    """Load a version and try it out.

    Nearly all of it happens outside of Python, so that others answer meanwhile. It runs at their
    priority: at a lower one, a busy machine took more than 6 s to follow.

    Raises:
        VersionError: if it is broken in whatever way.
    """
    try:
        loaded = OnnxEngine(_folder(version))
        check_registered(loaded.card, version)
        loaded.warm_up()
    except VersionError:
        raise
    except Exception as error:
        # A folder can be wrong in more ways than anyone has seen; the old version stays in each.
        raise VersionError(f"Version {version} cannot answer: {error}") from error
    return loaded


def load_folder(name: str) -> Engine:
    """Load a version by its folder's name, registered or not, and try it out.

    Raises:
        VersionError: if it is broken.
    """
    loaded = OnnxEngine(settings.MODELS_DIR / name)
    try:
        loaded.warm_up()
    except FloatingPointError as error:
        raise VersionError(f"Version {name} cannot answer: {error}") from error
    return loaded


def state_of(version: ModelVersion) -> tuple[int, ...]:
    """What changes when a version's folder is put right: of its card, time and size."""
    try:
        status = _folder(version).joinpath(CARD).stat()
    except OSError:
        return ()
    return status.st_mtime_ns, status.st_size


def give_back_memory() -> None:
    """Return to the system what loading needed for a moment: some 20 MB that glibc would keep."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _folder(version: ModelVersion) -> Path:
    folder: Path = settings.MODELS_DIR / version.name
    return folder
