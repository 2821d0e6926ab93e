"""This process's engine: loads the live version, follows it, and shares the cores fairly."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from django.conf import settings
from django.db import Error, close_old_connections

from classifier import telemetry
from classifier.admission import OVERLOADED_WORDS
from classifier.loading import give_back_memory, load, state_of
from classifier.models import ModelVersion
from classifier.presence import Presence
from classifier.remembering import remember, remembered
from ml.inference import Engine
from ml.registry import VersionError
from ml.sentences import Sentence

# How long a promotion may go unnoticed by a running server.
_CHECK_SECONDS = 1.0
# How long a broken version is left alone, unless its folder changes: to check it reads all of it.
_RETRY_SECONDS = 30.0
# How long a change goes untold to those who look at the servers.
_TELL_SECONDS = 1.0

logger = logging.getLogger(__name__)


class NoLiveModel(Exception):
    """No version can answer now; the message says why."""


class Overloaded(Exception):
    """No turn on the cores came in time."""


@dataclass(frozen=True)
class Refusal:
    """Why a version was not taken, and what its folder looked like then.

    Attributes:
        version: Its name.
        state: See `classifier.loading.state_of`.
        at: When, by the engine's clock.
        reason: In words.
    """

    version: str
    state: tuple[int, ...]
    at: float
    reason: str


class LiveEngine:
    """The engine of the live version, replaced when another version goes live.

    A new version is loaded and tried beside the old one, which answers until it is replaced and
    stays when the new one turns out to be broken. Answers never wait for a lock.

    Args:
        clock: Seconds that never run backwards.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.engine: Engine | None = None
        self.problem: str = Sentence("The live version is still being loaded.")
        self._clock = clock
        self._loading = threading.Lock()
        self._refusal: Refusal | None = None
        self._recalled = ""

    def follow(self) -> None:
        """Load the live version if it is another one than ours; note the problem if it fails."""
        with self._loading:
            try:
                self._replace_if_changed()
                self.problem = ""
            except (VersionError, NoLiveModel) as error:
                self._note(error.args[0])
            except Error:
                self._note(self._recall())

    @property
    def version(self) -> str | None:
        """The name of the version that answers."""
        return self.engine.card.version if self.engine else None

    def _replace_if_changed(self) -> None:
        live = ModelVersion.objects.live().first()
        if live is None:
            raise NoLiveModel(
                Sentence("No version is live: manage.py register_models makes one so.")
            )
        self._recalled = ""
        if self.version != live.name:
            self._refuse_again(live)
            self._replace(live)

    def _recall(self) -> str:
        """Without any version and without the database, load the one that was live last.

        Returns:
            What came of it.
        """
        version = remembered()
        if self.engine is None and version is not None:
            try:
                self._refuse_again(version)
                self._replace(version)
            except VersionError as error:
                return Sentence(
                    "The database cannot be asked which version is live. %(problem)s",
                    problem=error.args[0],
                )
            self._recalled = str(version)
        if self._recalled:
            return Sentence(
                "The database cannot be asked which version is live. Version %(version)s answers: "
                "it was live when it was last asked.",
                version=self._recalled,
            )
        return Sentence("The database cannot be asked which version is live.")

    def _replace(self, live: ModelVersion) -> None:
        state = state_of(live)
        try:
            # Whoever is asking the old engine keeps it until their answer; then it is closed.
            self.engine = load(live)
        except VersionError as error:
            self._refusal = Refusal(live.name, state, self._clock(), str(error))
            raise
        self._refusal = None
        remember(live)
        give_back_memory()
        telemetry.version_loaded(live.name)
        logger.info("Version %s answers from now on.", live.name)

    def _refuse_again(self, live: ModelVersion) -> None:
        """Refuse a broken version without reading it again, until something has changed."""
        refusal = self._refusal
        if refusal is None or (refusal.version, refusal.state) != (live.name, state_of(live)):
            return
        if self._clock() - refusal.at < _RETRY_SECONDS:
            raise VersionError(refusal.reason)

    def _note(self, problem: str) -> None:
        if problem != self.problem:
            logger.error(problem)
        self.problem = problem


_live = LiveEngine()
_slots = threading.BoundedSemaphore(settings.INFERENCE_SLOTS)
_presence = Presence()


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


class _Turn:
    """A turn on the cores, waited for no longer than `MAX_WAIT`."""

    def __enter__(self) -> None:
        if not _slots.acquire(timeout=settings.MAX_WAIT):
            raise Overloaded(OVERLOADED_WORDS)

    def __exit__(self, *problem: object) -> None:
        _slots.release()


def slot() -> AbstractContextManager[object]:
    """A turn on the cores: one photo a core and one more at a time answer most photos a second.

    Our own server lets no more in than it can answer (`classifier.admission`); under another one,
    this is where photos queue.

    Raises:
        Overloaded: on entering, if it does not come within `MAX_WAIT`.
    """
    return telemetry.counted(_Turn())


def readiness() -> tuple[bool, str]:
    """Whether a version is loaded and warm, and what is wrong if anything is."""
    return _live.engine is not None, _live.problem


def live_version() -> str | None:
    """The name of the version that answers in this process."""
    return _live.version


def labels() -> list[str]:
    """The labels of the version that answers in this process; none before there is one."""
    return list(_live.engine.card.labels) if _live.engine else []


def start() -> None:
    """Load the live version in the background, follow it from then on, and say that we live."""
    _repeat(_live.follow, _CHECK_SECONDS, "follow-live-version")
    # In a thread of its own: where the database makes it wait, the other one still follows.
    _repeat(_tell, _TELL_SECONDS, "tell-of-this-server")


def stop() -> None:
    """Take leave: this process answers no longer."""
    _presence.leave()


def _tell() -> None:
    _presence.tell(_live.version or "", str(_live.problem))


def _repeat(work: Callable[[], None], seconds: float, name: str) -> None:
    threading.Thread(target=_for_ever, args=(work, seconds), name=name, daemon=True).start()


def _for_ever(work: Callable[[], None], seconds: float) -> None:
    pause = threading.Event()
    while True:
        try:
            close_old_connections()
            work()
        except Exception:
            # Whatever it was: without this thread the process would answer with an old version
            # for ever, and nobody would know.
            logger.exception("Trying again in %s s.", seconds)
        pause.wait(seconds)
