"""Runs in the background: each in a process of its own, missed within a minute when it dies."""

import logging
import os
import socket
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from getpass import getuser
from pathlib import Path

from django.conf import settings
from django.db import Error, close_old_connections
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_noop

from feedback.heartbeat import in_words
from feedback.models import RUN_SILENT, Replay, Run, TrainingRun

REAP_SECONDS = 15.0
# A process that is there but says nothing hangs, or is another one with the same number. It gets
# longer than one that nobody can look at: the database may have been away.
_STUCK = timedelta(seconds=45)
_COMMANDS: dict[type[Run], str] = {TrainingRun: "retrain", Replay: "replay"}

_BY_SOMEBODY = gettext_noop(
    "One is %(state)s already (%(done)s done), started by %(by)s on %(since)s: "
    "wait for it, or cancel it."
)
_BY_ITSELF = gettext_noop(
    "One is %(state)s already (%(done)s done), started on %(since)s: wait for it, or cancel it."
)

logger = logging.getLogger(__name__)


class AlreadyRunning(Exception):
    """A run like this is going on; the message says whose and since when."""

    def __init__(self, run: Run) -> None:
        self.run = run
        words = _BY_SOMEBODY if run.asked_by else _BY_ITSELF
        since = date_format(timezone.localtime(run.created_at), "Y-m-d H:i")
        done = f"{run.progress:.0%}"
        super().__init__(
            words % {"state": run.state, "done": done, "by": run.asked_by, "since": since}
        )


def start(run: Run) -> None:
    """Let a waiting run work in a process of its own, which outlives this one."""
    command = [sys.executable, "manage.py", _COMMANDS[type(run)], "--run", str(run.pk)]
    waiting = type(run)._default_manager.filter(pk=run.pk, state=Run.State.WAITING)
    try:
        log = log_of(run)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603  our own command, nothing of a request's
                command,
                cwd=settings.BASE_DIR,
                # As in gunicorn.conf.py: one core a photo, and on a busy machine faster fits too.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        problem = f"{gettext_noop('It could not be started.')} {in_words(error)}"
        waiting.update(state=Run.State.FAILED, problem=problem, finished_at=timezone.now())
        return
    # From now on a look at the process tells whether the run lives.
    waiting.update(host=socket.gethostname(), pid=process.pid)
    # Somebody must ask how it ended, or its number stays taken.
    threading.Thread(target=process.wait, name=f"wait-{process.pid}", daemon=True).start()


def log_of(run: Run) -> Path:
    """Where a run in the background writes what it says beside its row, and its tracebacks."""
    folder: Path = settings.VAR_DIR / "logs"
    return folder / f"{_COMMANDS[type(run)]}-{run.pk}.log"


def step_aside() -> None:
    """Let whoever answers photos go first, from now on, for this process."""
    os.nice(19)  # photos' threads stand back by 10


def account() -> str:
    """Whose terminal or timer this is, for the record."""
    try:
        return getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return f"user {os.getuid()}"


def cancel(run: Run) -> None:
    """Ask a run to stop: it does so within seconds. One that has not begun never does."""
    rows, now = type(run)._default_manager.filter(pk=run.pk), timezone.now()
    waiting = rows.filter(state=Run.State.WAITING)
    if not waiting.update(
        state=Run.State.CANCELLED, problem=gettext_noop("Cancelled."), finished_at=now
    ):
        rows.filter(state=Run.State.RUNNING).update(cancel_asked_at=now)


def reap(now: datetime) -> int:
    """Give up the runs whose process is dead or silent, so that others can start.

    Returns:
        How many.
    """
    lost = 0
    for model in _COMMANDS:
        for run in model._default_manager.filter(state__in=[Run.State.WAITING, Run.State.RUNNING]):
            if problem := _why_lost(run, now):
                # Only as it was when we looked: it may have spoken, or ended, since.
                same = model._default_manager.filter(
                    pk=run.pk, state=run.state, pid=run.pid, heartbeat_at=run.heartbeat_at
                )
                lost += same.update(state=Run.State.LOST, problem=problem, finished_at=now)
    return lost


def start_reaper() -> threading.Event:
    """Reap from a thread of this process, for as long as it lives.

    Returns:
        What ends it when set.
    """
    enough = threading.Event()
    threading.Thread(target=_reap_on, args=[enough], name="reap-runs", daemon=True).start()
    return enough


def _reap_on(enough: threading.Event) -> None:
    seconds = REAP_SECONDS
    while not enough.wait(seconds):
        close_old_connections()
        try:
            if lost := reap(timezone.now()):
                logger.warning("%d lost runs were given up.", lost)
            seconds = REAP_SECONDS
        except Error:
            # While it is away nobody can say that they live: give them time to, once it is back.
            seconds = RUN_SILENT.total_seconds()


def _why_lost(run: Run, now: datetime) -> str:
    is_here = run.pid is not None and run.host == socket.gethostname()
    if is_here and not _lives(run.pid or 0):
        return gettext_noop(
            "Its process is gone: killed, out of memory, or the machine was restarted. Nothing was "
            "changed; it can be started again."
        )
    if run.heartbeat_at < now - (_STUCK if is_here else RUN_SILENT):
        since = date_format(timezone.localtime(run.heartbeat_at), "H:i:s")
        problem = gettext_noop(
            "It has not been heard of since %(since)s, so it counts as dead. Nothing was changed; "
            "it can be started again."
        )
        return problem % {"since": since}
    return ""


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True
