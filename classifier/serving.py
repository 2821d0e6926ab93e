"""This process's engine: loads the live version, follows it, and shares the cores fairly."""

import contextlib
import ctypes
import logging
import threading
from contextlib import AbstractContextManager

from django.conf import settings
from django.db import DatabaseError, close_old_connections

from classifier import telemetry
from classifier.models import ModelVersion
from ml.inference import Engine, OnnxEngine
from ml.registry import VersionError

# How long a promotion may go unnoticed by a running server.
_CHECK_SECONDS = 2.0

logger = logging.getLogger(__name__)


class NoLiveModel(Exception):
    """No version can answer now; the message says why."""


class LiveEngine:
    """The engine of the live version, replaced when another version goes live.

    A new version is loaded and tried beside the old one, which answers until it is replaced and
    stays when the new one turns out to be broken. Answers never wait for a lock.
    """

    def __init__(self) -> None:
        self.engine: Engine | None = None
        self.problem = "The live version is still being loaded."
        self._loading = threading.Lock()

    def follow(self) -> None:
        """Load the live version if it is another one than ours; note the problem if it fails."""
        with self._loading:
            try:
                self._replace_if_changed()
                self.problem = ""
            except (VersionError, NoLiveModel) as error:
                self._note(str(error))
            except DatabaseError:
                self._note("The database cannot be asked which version is live.")

    def _replace_if_changed(self) -> None:
        live = ModelVersion.objects.live().first()
        if live is None:
            raise NoLiveModel("No version is live: manage.py register_models makes one so.")
        if self.engine is None or self.engine.card.version != live.name:
            self.engine = _load(live.name)
            _give_back_memory()
            telemetry.version_loaded(live.name)
            logger.info("Version %s answers from now on.", live.name)

    def _note(self, problem: str) -> None:
        if problem != self.problem:
            logger.error(problem)
        self.problem = problem


_live = LiveEngine()
_slots = threading.BoundedSemaphore(settings.INFERENCE_SLOTS)


def engine() -> Engine:
    """The engine of the live version.

    Raises:
        NoLiveModel: if there is none.
    """
    if _live.engine is None:
        _live.follow()
    if _live.engine is None:
        raise NoLiveModel(_live.problem)
    return _live.engine


def slot() -> AbstractContextManager[object]:
    """A turn on the cores: one photo a core at a time answers most photos a second."""
    return telemetry.counted(_slots)


def readiness() -> tuple[bool, str]:
    """Whether a version is loaded and warm, and what is wrong if anything is."""
    return _live.engine is not None, _live.problem


def live_version() -> str | None:
    """The name of the version that answers in this process."""
    return _live.engine.card.version if _live.engine else None


def labels() -> list[str]:
    """The labels of the version that answers in this process; none before there is one."""
    return list(_live.engine.card.labels) if _live.engine else []


def start() -> None:
    """Load the live version in the background and follow it from then on."""
    threading.Thread(target=_follow_for_ever, name="follow-live-version", daemon=True).start()


def _follow_for_ever() -> None:
    pause = threading.Event()
    while True:
        close_old_connections()
        _live.follow()
        pause.wait(_CHECK_SECONDS)


def _load(name: str) -> Engine:
    """Load a version and let it answer once."""
    loaded = OnnxEngine(settings.MODELS_DIR / name)
    try:
        loaded.warm_up()
    except Exception as error:
        raise VersionError(f"Version {name} cannot answer: {error}") from error
    return loaded


def _give_back_memory() -> None:
    """Return to the system what loading needed for a moment: some 20 MB that glibc would keep."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").malloc_trim(0)
