"""Make a version ready to answer beside the one that answers, without getting in its way."""

import contextlib
import ctypes
import math
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from django.conf import settings

from classifier.models import ModelVersion
from classifier.promoting import check_registered
from ml.inference import Engine, OnnxEngine
from ml.registry import CARD, VersionError

# Of the thread that loads: a tenth of what a thread that answers gets where both want a core.
_NICENESS = 10


def load_beside(version: ModelVersion) -> Engine:
    """Load a version, in a thread that gives way to those that answer, and try it out.

    Raises:
        VersionError: if it is broken in whatever way.
    """
    with ThreadPoolExecutor(1, "load-version", initializer=_give_way) as pool:
        return pool.submit(_load, version).result()


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


def _load(version: ModelVersion) -> Engine:
    try:
        loaded = OnnxEngine(_folder(version))
        check_registered(loaded.card, version)
        loaded.warm_up()
        _check_novelty(loaded)
    except VersionError:
        raise
    except Exception as error:
        # A folder can be wrong in more ways than anyone has seen; the old version stays in each.
        raise VersionError(f"Version {version} cannot answer: {error}") from error
    return loaded


def _check_novelty(loaded: Engine) -> None:
    """Nonsense in the features shows in the novelty, and nowhere else."""
    novelty = loaded.predict(np.full((64, 64, 3), 127, np.uint8)).novelty
    if novelty is not None and not math.isfinite(novelty):
        raise FloatingPointError("The novelty is not a finite number.")


def _folder(version: ModelVersion) -> Path:
    folder: Path = settings.MODELS_DIR / version.name
    return folder


def _give_way() -> None:
    """Lower this thread's priority; on Linux that leaves the process's other threads alone."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
