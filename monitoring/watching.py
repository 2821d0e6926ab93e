"""Let the database itself note which past hours and which photos change, whoever changes them, how.

Sums by the hour go wrong where a prediction arrives late, is erased, or gets its feedback a day
later; so does the list of photos that wait for a reviewer. Triggers note the hour, or the photo, in
the same transaction as the change: what is committed is noted.
"""

# ruff: noqa: S608  the statements are put together from this file alone
from dataclasses import dataclass

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

# Younger rows need no note of their hour: it is summed up only when it has been over for longer
# than this, and than a transaction takes to commit: `monitoring.rollup.CLOSED_AFTER`.
_YOUNG_MINUTES = 5

_PREDICTION, _FEEDBACK, _REVIEW = "classifier_prediction", "feedback_feedback", "feedback_review"
_TABLES = {
    *(_PREDICTION, _FEEDBACK, _REVIEW),
    *("monitoring_touchedhour", "monitoring_touchedphoto"),
}


@dataclass(frozen=True)
class _Trigger:
    """When something is noted.

    Attributes:
        event: What happens.
        table: To whose rows.
        rows: `OLD`, `NEW` or both: whose hour or photo is noted.
        when: Only where this holds; in words that both databases know; empty: always.
    """

    event: str
    table: str
    rows: tuple[str, ...]
    when: str = ""


# What the sums are made of.
_SUMMED = (
    "created_at, version_id, answer, label, confidence, novelty, photo_format, "
    "photo_width, photo_height, photo_bytes, inference_ms, total_ms"
)
_OF_HOURS = {
    "prediction_made": _Trigger("INSERT", _PREDICTION, ("NEW",)),
    "prediction_changed": _Trigger(f"UPDATE OF {_SUMMED}", _PREDICTION, ("OLD", "NEW")),
    "prediction_erased": _Trigger("DELETE", _PREDICTION, ("OLD",)),
    "feedback_given": _Trigger("INSERT", _FEEDBACK, ("NEW",)),
    "feedback_changed": _Trigger("UPDATE OF agrees, prediction_id", _FEEDBACK, ("OLD", "NEW")),
    "feedback_erased": _Trigger("DELETE", _FEEDBACK, ("OLD",)),
}

# The same as `to_learn_from` and `decided` in `feedback.models`. A new prediction has no feedback
# yet, and the many whose photo was to be erased anyway never waited.
_OLD_TEACHES = "(OLD.photo_is_kept AND OLD.keep_until IS NULL)"
_NEW_TEACHES = "(NEW.photo_is_kept AND NEW.keep_until IS NULL)"
_OF_PHOTOS = {
    "photo_kept": _Trigger(
        "UPDATE OF photo_is_kept, keep_until, photo_sha256",
        *(_PREDICTION, ("OLD", "NEW")),
        f"{_OLD_TEACHES} <> {_NEW_TEACHES} OR OLD.photo_sha256 <> NEW.photo_sha256",
    ),
    "photo_erased": _Trigger("DELETE", _PREDICTION, ("OLD",), _OLD_TEACHES),
    "consent_given": _Trigger("INSERT", _FEEDBACK, ("NEW",), "NEW.consent"),
    "consent_changed": _Trigger(
        "UPDATE OF consent, prediction_id, created_at",
        *(_FEEDBACK, ("OLD", "NEW")),
        "OLD.consent OR NEW.consent",
    ),
    "consent_erased": _Trigger("DELETE", _FEEDBACK, ("OLD",), "OLD.consent"),
    "review_made": _Trigger("INSERT", _REVIEW, ("NEW",), "NEW.decided_at IS NOT NULL"),
    "review_changed": _Trigger(
        "UPDATE OF decided_at, photo_sha256",
        *(_REVIEW, ("OLD", "NEW")),
        "OLD.decided_at IS NOT NULL OR NEW.decided_at IS NOT NULL",
    ),
    "review_erased": _Trigger("DELETE", _REVIEW, ("OLD",), "OLD.decided_at IS NOT NULL"),
}
_TRIGGERS = {**_OF_HOURS, **_OF_PHOTOS}


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
    trigger = _TRIGGERS[name]
    hour, young = (
        "date_trunc('hour', created_at, 'UTC')",
        f"now() - interval '{_YOUNG_MINUTES} minutes'",
    )
    when = trigger.when
    if name == "prediction_made":  # spares the many that are just being made the call of a function
        when = f"NEW.created_at < {young}"
    return [
        f"CREATE OR REPLACE FUNCTION monitoring_{name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {_notes(name, hour, young)} RETURN NULL; END $$",
        f"CREATE TRIGGER monitoring_{name} AFTER {trigger.event} ON {trigger.table} "
        f"FOR EACH ROW {_when(when)} EXECUTE FUNCTION monitoring_{name}()",
    ]


def _create_on_sqlite(name: str) -> list[str]:
    trigger = _TRIGGERS[name]
    hour = "strftime('%Y-%m-%d %H:00:00', created_at)"
    notes = _notes(name, hour, f"datetime('now', '-{_YOUNG_MINUTES} minutes')")
    return [
        f"CREATE TRIGGER monitoring_{name} AFTER {trigger.event} ON {trigger.table} "
        f"FOR EACH ROW {_when(trigger.when)} BEGIN {notes} END"
    ]


def _when(condition: str) -> str:
    return f"WHEN ({condition})" if condition else ""


def _notes(name: str, hour: str, young: str) -> str:
    """What a trigger writes; each database has its own words for an hour, and for a young row."""
    trigger = _TRIGGERS[name]
    if name in _OF_PHOTOS:
        return "".join(
            "INSERT INTO monitoring_touchedphoto (photo_sha256) "
            f"SELECT photo_sha256 FROM {_whose(trigger.table, row, 'photo_sha256')}; "
            for row in trigger.rows
        )
    return "".join(
        f"INSERT INTO monitoring_touchedhour (hour) SELECT {hour} "
        f"FROM {_whose(trigger.table, row, 'created_at')} WHERE created_at < {young}; "
        for row in trigger.rows
    )


def _whose(table: str, row: str, column: str) -> str:
    """A column of the prediction that a trigger's row is about, or of the row itself."""
    if table != _FEEDBACK:
        return f"(SELECT {row}.{column} AS {column}) AS touched"
    return f"(SELECT {column} FROM {_PREDICTION} WHERE id = {row}.prediction_id) AS touched"
