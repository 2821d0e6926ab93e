"""What stands behind the answers: database, spool, live version, the queue of reviewers."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from classifier import journal
from classifier.models import ModelVersion
from monitoring import waiting


@dataclass(frozen=True)
class Database:
    """Whether the database answers.

    Attributes:
        is_up: It does.
        milliseconds: How long it took to answer; None where it did not.
    """

    is_up: bool
    milliseconds: float | None


@dataclass(frozen=True)
class ModelAge:
    """Of the live version; None where there is none.

    Attributes:
        version: Its name.
        since_training: How long ago it was trained.
        since_promotion: How long it has been answering.
    """

    version: str | None
    since_training: timedelta | None
    since_promotion: timedelta | None


@dataclass(frozen=True)
class ReviewBacklog:
    """Photos that wait for a reviewer.

    Attributes:
        photos: How many: with feedback, allowed to be learnt from, not decided on yet.
    """

    photos: int


@dataclass(frozen=True)
class Spool:
    """Answers that are on this machine's disk, because the database did not take them.

    Attributes:
        waiting: How many are still to be logged; they are as soon as the database takes them.
        since: Since when the first of them has waited; None: none waits.
        rejected: How many were set aside because the database can never take them.
    """

    waiting: int
    since: datetime | None
    rejected: int


def database() -> Database:
    """Whether the database answers, and how fast; it never raises.

    Query: `SELECT 1`. A database that hangs is not told apart here: whoever calls this waits for
    the connection's own limits.
    """
    started = time.perf_counter()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return Database(is_up=False, milliseconds=None)
    return Database(is_up=True, milliseconds=(time.perf_counter() - started) * 1000)


def spool() -> Spool:
    """What waits on disk to be logged. No query: it is known while the database is away."""
    return Spool(journal.waiting(), journal.oldest(), journal.rejected())


def model_age(now: datetime | None = None) -> ModelAge:
    """How old the live version is.

    Query: `trained_at` and `promoted_at` of the live version.
    """
    now = now or timezone.now()
    live = ModelVersion.objects.live().first()
    if live is None:
        return ModelAge(None, None, None)
    since_promotion = now - live.promoted_at if live.promoted_at else None
    return ModelAge(live.name, now - live.trained_at, since_promotion)


def review_backlog() -> ReviewBacklog:
    """Photos whose feedback nobody has reviewed, whenever it was given.

    Query: count of the photos that `monitoring.waiting` wrote down, and of those among the few
    touched since: of feedback that may be learnt from, without a decided review; each once.
    """
    return ReviewBacklog(waiting.count())
