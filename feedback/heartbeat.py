"""A run at work: it says that it lives and how far it is, and hears when it is to stop."""

import errno
import logging
import os
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType
from typing import Any, Protocol, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from feedback.models import Run

T = TypeVar("T")

BEAT_SECONDS = 2.0
# A database that is away for longer than this has lost us.
PATIENCE_SECONDS = 60.0
RETRY_SECONDS = 1.0
_LOG_LINES = 200
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
AWAY = (OperationalError, InterfaceError)

logger = logging.getLogger(__name__)


class Stopped(Exception):
    """A run is not to go on; the message says why."""


class Cancelled(Stopped):
    """Somebody wants it to stop."""


class Overtaken(Stopped):
    """It was given up for lost meanwhile: nothing that it did may count any more."""


class RunFailed(Exception):
    """A run cannot reach its end; the message says why, and what to do."""


class Screen(Protocol):
    """Where a person may be watching."""

    def step(self, progress: float, words: str) -> None: ...

    def say(self, line: str) -> None: ...


class Silence:
    """Nobody is watching."""

    def step(self, progress: float, words: str) -> None:
        return

    def say(self, line: str) -> None:
        return


def ours(run: Run) -> QuerySet[Any]:
    """The row of a run, while it is still this process's to work on; else none."""
    return type(run)._default_manager.filter(
        pk=run.pk, state=Run.State.RUNNING, pid=run.pid, host=run.host
    )


class Heartbeat:
    """Writes down every two seconds, from a thread of its own, how far a run is.

    Where somebody asks the run to stop, or it was given up for lost, the main thread is interrupted
    once; whoever reports a step hears of it as well. A database that is away is asked again.
    """

    def __init__(self, run: Run, screen: Screen) -> None:
        self.run = run
        self._screen = screen
        self._progress, self._step = run.progress, run.step
        self._lines = deque(run.log.splitlines(), maxlen=_LOG_LINES)
        self._why: Stopped | None = None
        self._is_shielded = self._was_interrupted = False
        self._ended = threading.Event()
        self._main = threading.get_ident()
        self._thread = threading.Thread(target=self._beat_on, name="heartbeat", daemon=True)

    def step(self, progress: float, words: str) -> None:
        """Say how far the run is, from 0 to 1, and what it does now.

        Raises:
            Stopped: if it is not to go on.
        """
        self._progress, self._step = min(max(progress, 0.0), 1.0), words[:200]
        self._screen.step(self._progress, self._step)
        self.check()

    def say(self, line: str) -> None:
        """Add a line to the run's log."""
        self._lines.append(line)
        self._screen.say(line)

    def check(self) -> None:
        """Raise what stops the run, if anything does."""
        if self._why is not None and not self._is_shielded:
            raise self._why

    def note(self, **fields: Any) -> None:
        """Write fields of the run's row at once.

        Raises:
            Overtaken: if the run is no longer ours.
        """
        if not ours(self.run).update(**self._words(), **fields):
            raise Overtaken(
                gettext_noop("This run was given up for lost, and is no longer this process’s.")
            )
        for name, value in fields.items():
            setattr(self.run, name, value)

    def finish(self, **fields: Any) -> None:
        """Write that the run is done, and what came of it; in the caller's transaction."""
        self._progress, self._step = 1.0, ""
        self.note(state=Run.State.DONE, finished_at=timezone.now(), **fields)

    @contextmanager
    def last_words(self) -> Iterator[None]:
        """From here on the run is interrupted no more, unless what is done within fails."""
        self.check()
        self._is_shielded = True
        try:
            yield
        except BaseException:
            self._is_shielded = False
            raise

    def patiently(self, write: Callable[[], T]) -> T:
        """Write to the database, again and again for a minute where it is away."""
        deadline = monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return write()
            except AWAY:
                connection.close()  # the next attempt gets a new one
                if monotonic() >= deadline:
                    raise
                logger.warning("The database is away; trying again.")
            self._ended.wait(RETRY_SECONDS)
            self.check()

    # What follows is for `at_work`.

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._is_shielded = True
        self._ended.set()
        self._thread.join()

    def interrupted(self, signal_number: int, frame: FrameType | None) -> None:
        """Handler of signals: interrupt what is being done, once, if it may be interrupted."""
        self._why = self._why or Cancelled(gettext_noop("Stopped from outside, or by Ctrl-C."))
        if not self._is_shielded and not self._was_interrupted:
            self._was_interrupted = True
            raise KeyboardInterrupt

    def why(self) -> Stopped:
        """What stopped the run."""
        return self._why or Cancelled(gettext_noop("Interrupted."))

    def give_up(self, state: str, problem: str) -> None:
        """Write how the run ended, if it is still ours and has not ended otherwise."""
        fields = {"state": state, "problem": problem, "finished_at": timezone.now()}
        self._why = None  # heard by now
        self._ended.clear()
        try:
            self.patiently(lambda: ours(self.run).update(**self._words(), **fields))
        except DatabaseError:
            logger.exception("The run's end could not be written; it will be found lost.")
        self._ended.set()

    def _words(self) -> dict[str, Any]:
        return {
            "heartbeat_at": timezone.now(),
            "progress": self._progress,
            "step": self._step,
            "log": "\n".join(list(self._lines)),
        }

    def _beat_on(self) -> None:
        try:
            while not self._ended.wait(BEAT_SECONDS):
                self._beat()
        finally:
            connection.close()

    def _beat(self) -> None:
        try:
            is_ours = ours(self.run).update(**self._words())
            is_cancelled = ours(self.run).filter(cancel_asked_at__isnull=False).exists()
        except DatabaseError as error:
            logger.warning("The database is away, so the run cannot say that it lives: %s", error)
            connection.close()
            return
        if not is_ours:
            self._stop(Overtaken(gettext_noop("The run was given up for lost meanwhile.")))
        elif is_cancelled:
            self._stop(Cancelled(gettext_noop("Cancelled.")))

    def _stop(self, why: Stopped) -> None:
        if self._why is None and not self._ended.is_set():
            self._why = why
            # A real signal, which also ends a wait; what it does is up to `interrupted`.
            signal.pthread_kill(self._main, signal.SIGINT)


@contextmanager
def at_work(run: Run, screen: Screen | None = None) -> Iterator[Heartbeat]:
    """Take a waiting run, keep its heart beating, and write down how it ended if it fails.

    The work itself calls `Heartbeat.finish`. Only for a process's main thread.

    Raises:
        RunFailed: if the run is not waiting, or whatever went wrong, in words.
        Stopped: if it was cancelled, or given up for lost.
    """
    _claim(run)
    heart = Heartbeat(run, screen or Silence())
    with _signals_to(heart):
        heart.start()
        try:
            yield heart
        except (KeyboardInterrupt, Stopped) as error:
            heart.end()
            heart_says = error if isinstance(error, Stopped) else heart.why()
            heart.give_up(Run.State.CANCELLED, str(heart_says))
            raise heart_says from error
        except Exception as error:
            # Whatever it is, the row and the log must tell: nobody may be watching.
            heart.end()
            problem = in_words(error)
            logger.error("The run failed: %s", problem, exc_info=not isinstance(error, RunFailed))
            heart.give_up(Run.State.FAILED, problem)
            raise RunFailed(problem) from error
        finally:
            heart.end()


def in_words(error: Exception) -> str:
    """What an error means to whoever started the run."""
    if _is_full_disk(error):
        return gettext_noop("The disk is full: make room, then start again. Nothing was changed.")
    if isinstance(error, RunFailed):
        return str(error)
    if isinstance(error, AWAY):
        return gettext_noop(
            "The database could not be reached. Nothing was changed; start again once it is back."
        )
    if isinstance(error, MemoryError):
        return gettext_noop("There was not enough memory. Nothing was changed.")
    return f"{type(error).__name__}: {error}"


def _is_full_disk(error: BaseException | None) -> bool:
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return error is not None and _is_full_disk(error.__cause__)


def _claim(run: Run) -> None:
    waiting = type(run)._default_manager.filter(pk=run.pk, state=Run.State.WAITING)
    now = timezone.now()
    claimed = waiting.update(
        state=Run.State.RUNNING,
        host=socket.gethostname(),
        pid=os.getpid(),
        started_at=now,
        heartbeat_at=now,
    )
    run.refresh_from_db()
    if not claimed:
        problem = gettext_noop("This run is %(state)s, not waiting to be started.")
        raise RunFailed(problem % {"state": run.state})


@contextmanager
def _signals_to(heart: Heartbeat) -> Iterator[None]:
    # Named one by one: a server that ignores Ctrl-C hands that down to the processes it starts.
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    for each in before:
        signal.signal(each, heart.interrupted)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
