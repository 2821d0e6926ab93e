"""Threads that work off what they are given, in its order.

Those of `concurrent.futures` make a future, a condition and a lock for each piece of work, and here
nobody waits for one.
"""

import logging
import queue
import threading
from collections.abc import Callable

from catsdogs.connections import Connection

logger = logging.getLogger(__name__)


class Threads:
    """Some threads for one kind of request.

    Args:
        number: How many.
        name: In their names.
        done: Called in the thread that has a connection no more, with what its work returned:
            whether it is kept open.
    """

    def __init__(self, number: int, name: str, done: Callable[[Connection, bool], None]) -> None:
        self._done = done
        self._queue: queue.SimpleQueue[tuple[Callable[[Connection], object], Connection]]
        self._queue = queue.SimpleQueue()
        for index in range(number):
            threading.Thread(target=self._work, name=f"{name}-{index}", daemon=True).start()

    def submit(self, work: Callable[[Connection], object], conn: Connection) -> None:
        """Have a thread do some work for a connection, as soon as one is free."""
        self._queue.put((work, conn))

    def _work(self) -> None:
        while True:
            work, conn = self._queue.get()
            keeps = False
            try:
                keeps = bool(work(conn))
            except BaseException:  # SystemExit, too: a thread less would be one for good
                logger.exception("A request came to no end.")
            self._done(conn, keeps)
            del work, conn  # and with it a photo, until the next one comes
