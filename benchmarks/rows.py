"""Were the predictions that a server acknowledged stored, each exactly once?"""

import sqlite3
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import psycopg2

_QUESTION = "SELECT id FROM classifier_prediction WHERE id >= "
_FIRST = str(uuid.UUID(int=0))


def stored_ids(database: str, since: str = _FIRST) -> list[str]:
    """The ids of the predictions in a database.

    Args:
        database: Where, as `DATABASE_URL` says it.
        since: The first id that counts; ids sort by time.
    """
    if database.startswith("sqlite:///"):  # which keeps the 32 digits as text
        connection = sqlite3.connect(Path(database.removeprefix("sqlite:///")))
        mark, since = "?", since.replace("-", "")
    else:
        connection = psycopg2.connect(database)
        mark = "%s"
    try:
        cursor = connection.cursor()
        cursor.execute(_QUESTION + mark, (since,))
        return [str(uuid.UUID(str(row[0]))) for row in cursor.fetchall()]
    finally:
        connection.close()


def compare(acknowledged: Iterable[str], stored: Sequence[str]) -> list[str]:
    """What is wrong, in words; nothing if each acknowledged prediction is there exactly once."""
    problems = []
    given, rows = Counter(acknowledged), Counter(stored)
    if lost := [each for each in given if each not in rows]:
        problems.append(f"{len(lost)} acknowledged predictions are not stored, so {lost[0]}.")
    if twice := [each for each in rows if rows[each] > 1]:
        problems.append(f"{len(twice)} predictions are stored twice, so {twice[0]}.")
    if shared := [each for each in given if given[each] > 1]:
        problems.append(f"{len(shared)} answers share their id with another, so {shared[0]}.")
    return problems
