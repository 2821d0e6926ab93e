"""Log an answer whatever becomes of the database: committed to it, or on disk until it is back.

A row that is spooled has its id and its time already. A thread of each server inserts what waits,
its own rows and those of processes that died; a row that is there already is left as it is, so that
each arrives once, also where nobody could tell whether its first commit came through.
"""

import json
import logging
import threading
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DataError, Error, IntegrityError, connection, transaction
from django.utils import timezone

from classifier import database, rows, spool
from classifier.models import ModelVersion, Prediction, SpoolArrival
from ml.sentences import Sentence

_AT_ONCE = 250  # rows of one statement: SQLite counts its parameters
# How often it is tried again while the database is away, and looked for what others left behind.
_PAUSE_WHEN_AWAY, _PAUSE = 0.5, 5.0
# A note is needed only until its segment is gone, moments later.
_NOTES_LAST = timedelta(days=1)

logger = logging.getLogger(__name__)


class Unwritable(Exception):
    """Neither the database nor the disk takes a row: its answer cannot be given."""


class Waiting(Exception):
    """A row is not in the database yet; the message says so to whoever asks for it."""

    def __init__(self) -> None:
        super().__init__(
            Sentence(
                "This answer is on its way to the database. Nothing is lost: try again in a moment."
            )
        )


_writer = spool.Writer(lambda: settings.SPOOL_DIR)
# The last insertion failed: rows are spooled at once until the thread has inserted some.
_is_refused = threading.Event()


def log(prediction: Prediction) -> None:
    """Commit a row, or where the database does not take it, keep it on disk until it does.

    `prediction.logged` then says which.

    Raises:
        Unwritable: if it is neither.
    """
    if not (_is_refused.is_set() or database.is_away()) and _is_committed(prediction):
        prediction.logged = Prediction.STORED
        return
    try:
        _writer.append(rows.as_line(prediction))
    except OSError as error:
        logger.error("A row can be written nowhere: %s", error)
        raise Unwritable("A row can be written nowhere.") from error
    prediction.logged = Prediction.SPOOLED
    database.attention.set()


def waiting() -> int:
    """How many rows are on disk, of all processes that share it: milliseconds, no query."""
    return sum(map(spool.count_lines, spool.segments(settings.SPOOL_DIR)))


def oldest() -> datetime | None:
    """Since when the first of these rows has waited; None: there is none."""
    found = filter(spool.count_lines, spool.segments(settings.SPOOL_DIR))
    return next(map(spool.begun_at, found), None)


def rejected() -> int:
    """How many rows were set aside because the database can never take them."""
    return sum(map(spool.count_lines, spool.rejected(settings.SPOOL_DIR)))


def holds(value: object) -> bool:
    """Whether a row that waits on disk has this id, this photo's SHA-256, or this person."""
    return bool(_segments_with(value))


def settle(value: object) -> None:
    """Insert the rows that have this id, or this person, before something is done to them.

    Raises:
        Waiting: if another process has them, and they are still to arrive.
        Error: if the database does not take them.
    """
    if segments := _segments_with(value):
        _writer.seal()
        for segment in segments:
            _deliver(segment)
        if holds(value):
            raise Waiting


def drain() -> int:
    """Insert what waits on disk, but for what another process is writing at this moment.

    Returns:
        How many segments arrived.

    Raises:
        Error: if the database takes none; what arrived so far has arrived.
    """
    arrived = 0
    if spool.segments(settings.SPOOL_DIR):
        _writer.seal()
        for segment in spool.segments(settings.SPOOL_DIR):
            arrived += _deliver(segment)
            _is_refused.clear()
        SpoolArrival.objects.filter(arrived_at__lt=timezone.now() - _NOTES_LAST).delete()
    _is_refused.clear()
    return arrived


def start() -> None:
    """Insert what waits from now on, in the background, and notice when the database is back."""
    database.attention.set()  # there may be what a process before this one left behind
    threading.Thread(target=_work_for_ever, name="drain-journal", daemon=True).start()


def _segments_with(value: object) -> list[Path]:
    text = json.dumps(str(value)).encode()
    return [path for path in spool.segments(settings.SPOOL_DIR) if text in spool.read(path)]


def _work_for_ever() -> None:
    pause, is_well = threading.Event(), True
    while True:
        is_asked = database.attention.wait(_PAUSE)
        database.attention.clear()
        is_well = _work(is_asked, is_well)
        if not is_well:
            pause.wait(_PAUSE_WHEN_AWAY)
            database.attention.set()


def _work(is_asked: bool, was_well: bool) -> bool:
    """Whether the database answers, and has taken all that it was given."""
    try:
        # A healthy one is not asked: it may just have no connection to spare.
        if not is_asked and not spool.segments(settings.SPOOL_DIR):
            _is_refused.clear()
            return True
        if not database.look():
            return False
        if arrived := drain():
            logger.info("%d files of spooled rows have arrived in the database.", arrived)
    except Error as error:
        if was_well:
            logger.warning("Rows wait on disk, the database refuses them: %s", _cause(error))
        return False
    except Exception:
        # Whatever it was: without this thread no row would ever arrive.
        logger.exception("Rows wait on disk; trying again.")
        return False
    finally:
        connection.close()  # there is rarely anything to do: no connection is kept for it
    return True


def _is_committed(prediction: Prediction) -> bool:
    """Whether the database has the row for certain."""
    try:
        _insert(prediction)
    except Error as error:
        logger.warning("A row is spooled: %s", _cause(error))
        # A row at fault says nothing about others.
        if not isinstance(error, (IntegrityError, DataError)):
            _is_refused.set()
        return False
    return True


def _insert(prediction: Prediction) -> None:
    """Commit a row, on a second connection if the first one was cut while nobody used it."""
    database.be_patient(False)
    # In place of asking before each row whether the connection still works.
    connection.health_check_done = True  # type: ignore[attr-defined]  # django-stubs lacks it
    try:
        rows.insert([prediction])
    except Error:
        if not database.lost_connection():
            raise
        rows.insert([prediction])
    prediction._state.adding, prediction._state.db = False, connection.alias


def _deliver(segment: Path) -> bool:
    """Insert the rows of a segment and remove it: whether it was ours to take."""
    with spool.taken(segment) as lines:
        if lines is None:
            return False
        # The note, of the same commit: what is erased before the file is gone stays erased.
        if lines and not SpoolArrival.objects.filter(segment=segment.stem).exists():
            _insert_all(segment, lines)
        segment.unlink()
    return True


def _insert_all(segment: Path, lines: list[bytes]) -> None:
    found, wrong = _read(lines)
    with transaction.atomic():
        SpoolArrival.objects.create(segment=segment.stem)
        for first in range(0, len(found), _AT_ONCE):
            wrong += _insert_some(found[first : first + _AT_ONCE])
        if wrong:
            place = spool.set_aside(segment, wrong)
            logger.error("%d rows can never be inserted: see %s.", len(wrong), place.name)


def _read(lines: list[bytes]) -> tuple[list[tuple[bytes, Prediction]], list[bytes]]:
    """Lines with their rows, and the lines that are none or name a version that is unknown."""
    versions = set(ModelVersion.objects.values_list("name", flat=True))
    found, wrong = [], []
    for line in lines:
        try:
            row = rows.from_line(line)
        except (ValueError, TypeError, ValidationError):
            wrong.append(line)
            continue
        # Looked at here, because databases look when they commit: for all rows or none.
        if row.version_id in versions:
            found.append((line, row))
        else:
            wrong.append(line)
    return found, wrong


def _insert_some(found: list[tuple[bytes, Prediction]]) -> list[bytes]:
    """Insert rows all at once; where one is at fault, one by one. Returns those at fault."""
    try:
        with transaction.atomic():
            rows.insert([row for _, row in found])
    except (IntegrityError, DataError):
        if len(found) == 1:
            return [found[0][0]]
        return [line for each in found for line in _insert_some([each])]
    return []


def _cause(error: Error) -> str:
    """What went wrong, without the database's own words, which name hosts and users."""
    return type(error.__cause__ or error).__name__
