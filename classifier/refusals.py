"""How many photos got no answer, by minute and cause: counted at once, written down soon after.

A refusal is often made when things go wrong, so it never waits for the database: counts are held in
memory and written by a thread of their own, within a second, or once the database is back.
"""

import atexit
import logging
import threading
from datetime import datetime

from django.db import (
    DatabaseError,
    IntegrityError,
    InterfaceError,
    connection,
    models,
    transaction,
)
from django.db.models import F
from django.utils import timezone

from classifier import telemetry, trace

# What counts as a refusal: a photo came, or should have, and got no answer. While the database or
# the live version is away, whatever else was asked of them counts as well.
CODES = (
    *("broken_image", "database_unavailable", "empty_file", "missing_image", "no_live_model"),
    *("overloaded", "storage_full", "throttled", "too_large", "too_many_images", "too_many_pixels"),
    "unsupported_format",
)
# A flood is written once a second; while the database is away, it is tried less often.
_PAUSE, _PAUSE_WHEN_AWAY = 1.0, 5.0
# More than fifteen hours of all causes in each minute, should the database be away for long.
_MOST_PENDING = 10_000

logger = logging.getLogger(__name__)

for _code in CODES:
    telemetry.REFUSALS.labels(_code)


class RefusalCount(models.Model):
    """How many photos were refused in a minute, for one cause."""

    minute = models.DateTimeField(help_text="When it began.")
    code = models.CharField(max_length=32)
    count = models.PositiveIntegerField()

    class Meta:
        ordering = ["-minute", "code"]
        constraints = [
            models.UniqueConstraint(fields=["minute", "code"], name="one_count_per_minute_and_code")
        ]

    def __str__(self) -> str:
        return f"{self.minute:%Y-%m-%d %H:%M} {self.code}: {self.count}"


class Pending:
    """Counts that are not in the database yet."""

    def __init__(self) -> None:
        self._counts: dict[tuple[datetime, str], int] = {}
        self._lock = threading.Lock()
        self.has_come = threading.Event()

    def add(self, minute: datetime, code: str, count: int = 1) -> None:
        key = (minute, code)
        with self._lock:
            if key in self._counts or len(self._counts) < _MOST_PENDING:
                self._counts[key] = self._counts.get(key, 0) + count
        self.has_come.set()

    def write(self) -> bool:
        """Add them to the rows of their minutes; what cannot be written stays.

        Returns:
            Whether all are written.
        """
        self.has_come.clear()
        with self._lock:
            counts, self._counts = self._counts, {}
        try:
            while counts:
                key = next(iter(counts))
                _add(*key, counts[key])
                del counts[key]
        except (DatabaseError, InterfaceError):
            return False
        finally:
            for (minute, code), count in counts.items():
                self.add(minute, code, count)
        return True


_pending = Pending()


def count_refusal(code: str, now: datetime | None = None, *, number: int = 1) -> None:
    """Count photos that get no answer. Codes other than `CODES` are no refusals of a photo.

    Args:
        code: Of the contract: why.
        now: The time.
        number: How many.
    """
    if code not in CODES:
        return
    telemetry.REFUSALS.labels(code).inc(number)
    trace.current().refusals.append(code)
    _pending.add((now or timezone.now()).replace(second=0, microsecond=0), code, number)


def write_pending() -> bool:
    """Write down what was counted so far; a server does so by itself, see `start`.

    Returns:
        Whether all of it is in the database.
    """
    return _pending.write()


def start() -> None:
    """Write counts down in the background from now on, and the last ones when the process ends."""
    ending = threading.Event()
    writer = threading.Thread(
        target=_write_until, args=(ending,), name="write-refusals", daemon=True
    )
    writer.start()

    def end() -> None:
        ending.set()
        _pending.has_come.set()
        writer.join(timeout=2.0)  # a database that hangs must not keep the process alive

    atexit.register(end)


def _write_until(ending: threading.Event) -> None:
    while not ending.is_set():
        _pending.has_come.wait()
        ending.wait(_PAUSE if _write_in_background() else _PAUSE_WHEN_AWAY)
    _write_in_background()


def _write_in_background() -> bool:
    try:
        return _pending.write()
    except Exception:
        # Whatever it was: without this thread nothing would be written down any more.
        logger.exception("Refusals could not be written down; trying again.")
        return False
    finally:
        connection.close()  # refusals are rare: no connection is kept for them


def _add(minute: datetime, code: str, count: int) -> None:
    """One small write; another process may be adding to the same row."""
    row = RefusalCount.objects.filter(minute=minute, code=code)
    if row.update(count=F("count") + count):
        return
    try:
        with transaction.atomic():
            RefusalCount.objects.create(minute=minute, code=code, count=count)
    except IntegrityError:
        row.update(count=F("count") + count)
