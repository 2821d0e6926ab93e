"""Were the predictions that a server acknowledged stored, each exactly once?"""

import sqlite3
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import psycopg2

_QUESTION = "SELECT id FROM classifier_prediction"


def stored_ids(database: str) -> list[str]:
    """The ids of all predictions in a database, given as `DATABASE_URL` wants it."""
    if database.startswith("sqlite:///"):
        connection = sqlite3.connect(Path(database.removeprefix("sqlite:///")))
    else:
        connection = psycopg2.connect(database)
    try:
        cursor = connection.cursor()
        cursor.execute(_QUESTION)
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
