"""Does the database answer: a limit for each query of a server, and what is known while it is away.

A database that stands still, rather than being gone, blocks whoever asks it for good: the operating
system still takes what is sent to it, and its own limits stand still as well. psycopg2 can wait by
a function of ours in place of its own; this one gives up. It costs some 15 µs of CPU a query.
SQLite's waiting for a lock is limited the same way. Commands are not servers: theirs may take long.
"""

import contextlib
import math
import select
import threading
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# What staff ask for may take so many times longer, as long as the database answers others.
_PATIENCE = 10
_SLICE = 0.1  # seconds between two looks at what others found out


class _Patience(threading.local):
    """How long this thread waits for an answer.

    Attributes:
        is_long: Whether a query may take longer than the deadline.
        is_probe: Whether it asks although the database is known to be away.
        is_late: Whether its last query got no answer in time.
        most: Seconds that a query may take in any case.
    """

    is_long = False
    is_probe = False
    is_late = False
    most = math.inf


_patience = _Patience()
_away = threading.Event()
# Something to look into, for the thread that does so: see `classifier.journal.start`.
attention = threading.Event()


def is_away() -> bool:
    """Whether the database was last seen to stand still: who asks it is refused at once."""
    return _away.is_set()


def install() -> None:
    """Limit all queries of this process from now on, also those of its other threads."""
    if connection.vendor == "postgresql":
        from psycopg2.extensions import set_wait_callback

        set_wait_callback(_wait)
    connection_created.connect(_limit_sqlite)


@contextlib.contextmanager
def patiently() -> Iterator[None]:
    """Within, a query may take ten times as long."""
    before, _patience.is_long = _patience.is_long, True
    try:
        yield
    finally:
        _patience.is_long = before


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Within, a query is given no longer than that, where the deadline for all is a longer one."""
    _patience.most = seconds
    try:
        yield
    finally:
        _patience.most = math.inf


def be_patient(is_long: bool) -> None:
    """Whether this thread's queries may take ten times as long from now on."""
    _patience.is_long = is_long


def look() -> bool:
    """Ask the database something on a connection of its own, and note whether it stands still.

    Returns:
        Whether it answered. One that refuses does not, but keeps nobody waiting either.
    """
    connection.close()
    _patience.is_probe, _patience.is_late = True, False
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except Error:
        if _patience.is_late:
            _away.set()
        else:
            _away.clear()
        return False
    else:
        _away.clear()
        return True
    finally:
        _patience.is_probe = False
        connection.close()


def lost_connection() -> bool:
    """Whether this thread's connection broke just now, which another one need not; drops it.

    Not where the database let us wait, nor within a transaction, of which more is lost.
    """
    held = connection.connection
    if connection.in_atomic_block or not getattr(held, "closed", False) or _patience.is_late:
        return False
    connection.close()
    return True


def _wait(asked: Any) -> None:
    """Wait until a connection of psycopg2 has its answer; raising closes the connection.

    Source:
        Psycopg's documentation, "Support for coroutine libraries".
    """
    from psycopg2.extensions import POLL_OK, POLL_READ

    if _away.is_set() and not _patience.is_probe:
        raise _no_answer()
    _patience.is_late = False
    state = asked.poll()
    if state == POLL_OK:
        return
    began = time.monotonic()
    while state != POLL_OK:
        if asked.fileno() < 0:  # cut between two looks
            raise _no_answer("The connection to the database was lost.")
        poller = select.poll()
        poller.register(asked.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
        while not poller.poll(_SLICE * 1000):
            _give_up_after(time.monotonic() - began)
        state = asked.poll()


def _give_up_after(seconds: float) -> None:
    """Go on waiting, or not."""
    if _away.is_set() and not _patience.is_probe:
        raise _no_answer()
    if seconds > settings.DATABASE_DEADLINE:
        attention.set()
    if seconds > _limit():
        raise _no_answer()


def _limit() -> float:
    seconds: float = settings.DATABASE_DEADLINE
    return min(seconds * _PATIENCE if _patience.is_long else seconds, _patience.most)


def _no_answer(why: str = "") -> Exception:
    from psycopg2 import OperationalError

    _patience.is_late = not why
    error: Exception = OperationalError(why or "The database did not answer in time.")
    return error


def _limit_sqlite(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {_limit() * 1000:.0f}")
