"""Tell the database that this process answers, and with which version: others look there."""

import contextlib
import os
import socket
import threading
from datetime import datetime, timedelta
from typing import Any

from django.db import Error
from django.utils import timezone

from classifier.models import Server

# How often a server says that it lives, when nothing changes.
_EVERY = timedelta(seconds=20)


class Presence:
    """This process's row among the servers: written at each change, and every 20 s."""

    def __init__(self) -> None:
        self._started = timezone.now()
        self._told: tuple[str, str] | None = None
        self._told_at = self._started
        self._writing = threading.Lock()
        self._has_left = False

    def tell(self, version: str, problem: str, now: datetime | None = None) -> None:
        """Write the row, if there is something new or it is time to.

        Where the database cannot be written to, nothing happens: the next call tries again.

        Args:
            version: The one that answers; empty: none yet.
            problem: What is wrong; empty: nothing.
            now: The time.
        """
        now = now or timezone.now()
        # Also where the clock was put back: else nothing would be heard of us for hours.
        is_fresh = timedelta(0) <= now - self._told_at < _EVERY
        if self._told == (version, problem) and is_fresh:
            return
        row = {
            "version": version,
            "problem": problem,
            "seen_at": now,
            "started_at": self._started,
        }
        with self._writing, contextlib.suppress(Error):
            if self._has_left:
                return
            Server.objects.update_or_create(**_this_process(), defaults=row)
            self._told, self._told_at = (version, problem), now
            Server.objects.forgotten(now).delete()

    def leave(self) -> None:
        """Remove the row, for good: the process ends."""
        with self._writing, contextlib.suppress(Error):
            self._has_left = True
            Server.objects.filter(**_this_process()).delete()


def _this_process() -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid()}
