"""Threads that work off what they are given, in its order.

Those of `concurrent.futures` make a future, a condition and a lock for each piece of work, and here
nobody waits for one.
"""

import contextlib
import logging
import os
import queue
import sys
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
        niceness: How far they stand back where there are too few cores for all threads.
    """

    def __init__(
        self,
        number: int,
        name: str,
        done: Callable[[Connection, bool], None],
        *,
        niceness: int = 0,
    ) -> None:
        self._done = done
        self._niceness = niceness
        self._queue: queue.SimpleQueue[tuple[Callable[[Connection], object], Connection]]
        self._queue = queue.SimpleQueue()
        for index in range(number):
            threading.Thread(target=self._work, name=f"{name}-{index}", daemon=True).start()

    def submit(self, work: Callable[[Connection], object], conn: Connection) -> None:
        """Have a thread do some work for a connection, as soon as one is free."""
        self._queue.put((work, conn))

    def _work(self) -> None:
        if self._niceness:
            _stand_back(self._niceness)
        while True:
            work, conn = self._queue.get()
            keeps = False
            try:
                keeps = bool(work(conn))
            except BaseException:  # SystemExit, too: a thread less would be one for good
                logger.exception("A request came to no end.")
            self._done(conn, keeps)
            del work, conn  # and with it a photo, until the next one comes


def _stand_back(niceness: int) -> None:
    """Let others go first, for this thread alone. On Linux, where a thread has a niceness."""
    if sys.platform != "linux":
        return
    this = threading.get_native_id()
    with contextlib.suppress(OSError):  # whoever forbids it gets what there would be without
        os.setpriority(os.PRIO_PROCESS, this, os.getpriority(os.PRIO_PROCESS, this) + niceness)
