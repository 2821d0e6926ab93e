"""Let the database itself note which past hours change, whoever changes them, and how.

Sums by the hour go wrong where a prediction arrives late, is erased, or gets its feedback a day
later. Triggers note the hour in the same transaction as the change: what is committed is noted.
"""

# ruff: noqa: S608  the statements are put together from this file alone
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

# Younger rows need no note: an hour is summed up only when it has been over for longer than this,
# and than a transaction takes to commit: `monitoring.rollup.CLOSED_AFTER`.
_YOUNG_MINUTES = 5

_TABLES = {"classifier_prediction", "feedback_feedback", "monitoring_touchedhour"}

# What the sums are made of.
_SUMMED = (
    "created_at, version_id, answer, label, confidence, novelty, photo_format, "
    "photo_width, photo_height, photo_bytes, inference_ms, total_ms"
)
# Name -> event, table, and the rows whose hours change.
_TRIGGERS = {
    "prediction_made": ("INSERT", "classifier_prediction", ("NEW",)),
    "prediction_changed": (f"UPDATE OF {_SUMMED}", "classifier_prediction", ("OLD", "NEW")),
    "prediction_erased": ("DELETE", "classifier_prediction", ("OLD",)),
    "feedback_given": ("INSERT", "feedback_feedback", ("NEW",)),
    "feedback_changed": ("UPDATE OF agrees, prediction_id", "feedback_feedback", ("OLD", "NEW")),
    "feedback_erased": ("DELETE", "feedback_feedback", ("OLD",)),
}


def install(using: str) -> None:
    """Set up the triggers that are missing.

    After every migration: where SQLite must rebuild a table to change it, its triggers are lost.
    """
    connection = connections[using]
    if not set(connection.introspection.table_names()) >= _TABLES:
        return  # in the midst of the migrations
    is_postgresql = connection.vendor == "postgresql"
    create = _create_on_postgresql if is_postgresql else _create_on_sqlite
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger"
            if is_postgresql
            else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        )
        there = {row[0] for row in cursor.fetchall()}
        for name in _TRIGGERS.keys() - {found.removeprefix("monitoring_") for found in there}:
            for statement in create(name):
                cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away, with what they need."""
    with connection.cursor() as cursor:
        for name in _TRIGGERS:
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP FUNCTION IF EXISTS monitoring_{name} CASCADE")
            else:
                cursor.execute(f"DROP TRIGGER IF EXISTS monitoring_{name}")


def _create_on_postgresql(name: str) -> list[str]:
    event, table, rows = _TRIGGERS[name]
    notes = "".join(
        "INSERT INTO monitoring_touchedhour (hour) "
        f"SELECT date_trunc('hour', created_at, 'UTC') FROM {_predictions(table, row)} "
        f"WHERE created_at < now() - interval '{_YOUNG_MINUTES} minutes'; "
        for row in rows
    )
    return [
        f"CREATE OR REPLACE FUNCTION monitoring_{name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {notes} RETURN NULL; END $$",
        f"CREATE TRIGGER monitoring_{name} AFTER {event} ON {table} "
        f"FOR EACH ROW {_unless_young(name)} EXECUTE FUNCTION monitoring_{name}()",
    ]


def _unless_young(name: str) -> str:
    """Spares the many, the predictions that are just being made, the call of a function."""
    if name != "prediction_made":
        return ""
    return f"WHEN (NEW.created_at < now() - interval '{_YOUNG_MINUTES} minutes')"


def _create_on_sqlite(name: str) -> list[str]:
    event, table, rows = _TRIGGERS[name]
    notes = "".join(
        "INSERT INTO monitoring_touchedhour (hour) "
        f"SELECT strftime('%Y-%m-%d %H:00:00', created_at) FROM {_predictions(table, row)} "
        f"WHERE created_at < datetime('now', '-{_YOUNG_MINUTES} minutes'); "
        for row in rows
    )
    return [
        f"CREATE TRIGGER monitoring_{name} AFTER {event} ON {table} FOR EACH ROW BEGIN {notes} END"
    ]


def _predictions(table: str, row: str) -> str:
    """The prediction that a trigger's row is, or is about."""
    if table == "classifier_prediction":
        return f"(SELECT {row}.created_at AS created_at) AS touched"
    found = f"SELECT created_at FROM classifier_prediction WHERE id = {row}.prediction_id"
    return f"({found}) AS touched"
