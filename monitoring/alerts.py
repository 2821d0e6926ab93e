"""Look at the rules again and again; tell people once when one does not hold, once when it does."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from monitoring import holdout, rollup
from monitoring.deadlines import Patient
from monitoring.delivering import deliver
from monitoring.incidents import Watch
from monitoring.judging import DATABASE, Finding, database_answers_in_time, evaluate
from monitoring.noting import LEAST_GAP, note
from monitoring.outages import check_without_database, store_what_was_away
from monitoring.rules import rules

__all__ = ["DATABASE", "Finding", "check", "evaluate", "start"]

# A check that has not come back by then is left alone.
_CHECK_SECONDS = 50.0

logger = logging.getLogger(__name__)


def check(
    now: datetime | None = None, *, database_answers: Callable[[], bool] | None = None
) -> list[Finding]:
    """Evaluate the rules, write down what begins and ends, and tell whoever is to be told.

    Several processes may do it at once: each incident is told once by each channel. What cannot be
    sent is tried again at the next check.

    Args:
        now: The time.
        database_answers: Asks the database; stands in for the real question in tests.

    Returns:
        What is wrong now, whether or not it has lasted long enough to be told.
    """
    now = now or timezone.now()
    answers = database_answers or database_answers_in_time
    if answers():
        try:
            return _check_with_database(now)
        except (DatabaseError, InterfaceError):
            if answers():
                raise  # it is there: something else is wrong, such as a missing migration
    return check_without_database(now)


def _check_with_database(now: datetime) -> list[Finding]:
    store_what_was_away(now)
    findings = evaluate(now, database_answers=lambda: True)
    note(findings, now)
    deliver(now)
    return findings


def start() -> threading.Event | None:
    """Check from a thread of this process, every `ALERTS_EVERY` seconds, for as long as it lives.

    Returns:
        What ends it when set; None where the setting is 0.

    Raises:
        RulesError: if the file of rules cannot be used.
    """
    rules()
    if not settings.ALERTS_EVERY:
        return None
    enough = threading.Event()
    threading.Thread(target=_check_on, args=[enough], name="check-alerts", daemon=True).start()
    return enough


def _check_on(enough: threading.Event) -> None:
    # In a thread of its own each time: a database that stands still in the midst of a check would
    # hold up this one for good, and nobody would be told.
    patient = Patient(check_in_background, _CHECK_SECONDS)
    while not enough.wait(settings.ALERTS_EVERY):
        if patient.answer() is None:
            logger.warning("A check of the alerts has not come to an end.")
            _if_it_stands_still()


def check_in_background() -> bool:
    """A check, unless another process has just made one. It never raises.

    Returns:
        That it has come to an end.
    """
    try:
        if not _was_checked_lately():
            check()
            if database_answers_in_time():
                # So that figures are fast, and drift has its baseline.
                rollup.roll_up(learn=holdout.learn_apart)
    except Exception:
        # Whatever it was: without this thread nobody would be told of anything any more.
        logger.exception("The alerts could not be checked; trying again.")
    return True


def _if_it_stands_still() -> None:
    try:
        if not database_answers_in_time():
            check_without_database(timezone.now())
    except Exception:
        logger.exception("That the database is away could not be told; trying again.")


def _was_checked_lately() -> bool:
    """Whether all workers' turn is taken; without the database each looks for itself."""
    if not database_answers_in_time():
        return False
    now = timezone.now()
    gap = max(timedelta(seconds=settings.ALERTS_EVERY / 2), LEAST_GAP)
    return Watch.objects.filter(checked_at__gt=now - gap, checked_at__lte=now).exists()
