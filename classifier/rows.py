"""A prediction on its way to the database: as one statement, and as a line of JSON until then."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import BooleanField, CharField, Field, FloatField, PositiveIntegerField

from classifier.models import Prediction

# Without them a line is no row; what else is missing was added by a migration since.
_NEEDED = {"id", "created_at", "version_id", "person", "answer", "photo_sha256"}
# Databases take these as Python has them. The field's own say is half of an insert's work.
_AS_THEY_ARE = (BooleanField, CharField, FloatField, PositiveIntegerField)


def insert(predictions: Sequence[Prediction]) -> None:
    """Insert rows; one that is there already is left as it is, and nothing else is forgiven.

    The ORM would write its statement anew each time, half again as much work; and on SQLite, its
    `ignore_conflicts` forgives whatever is wrong with a row, without a word.

    Raises:
        Error: if the database does not take them; it has taken none then.
    """
    values = [
        getattr(prediction, name) if field is None else _prepared(prediction, field)
        for prediction in predictions
        for name, field in _columns()
    ]
    with connection.cursor() as cursor:
        cursor.execute(_statement(len(predictions)), values)


def as_line(prediction: Prediction) -> bytes:
    """All of a row, ending with a line feed."""
    values = {
        field.attname: getattr(prediction, field.attname)
        for field in prediction._meta.concrete_fields
    }
    return json.dumps(values, default=_as_text).encode() + b"\n"


def from_line(line: bytes) -> Prediction:
    """The row that was written as a line, perhaps before a migration.

    Raises:
        ValueError: if it is none.
        ValidationError: if one of its values is none of its column's.
    """
    values = json.loads(line)
    if not isinstance(values, dict) or not values.keys() >= _NEEDED:
        raise ValueError("This is no prediction.")
    fields = [field for field in Prediction._meta.concrete_fields if field.attname in values]
    return Prediction(**{field.attname: field.to_python(values[field.attname]) for field in fields})


@cache
def _columns() -> list[tuple[str, Field | None]]:
    """Each column's attribute, and its field where that has a say in what the database is given."""
    return [
        (field.attname, None if type(field) in _AS_THEY_ARE else field)
        for field in Prediction._meta.concrete_fields
    ]


def _prepared(prediction: Prediction, field: Field) -> Any:
    return field.get_db_prep_save(getattr(prediction, field.attname), connection)


@cache
def _statement(rows: int) -> str:
    columns = [field.column for field in Prediction._meta.concrete_fields]
    names = ", ".join(f'"{name}"' for name in columns)
    places = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * rows)
    table = Prediction._meta.db_table
    # All names are the model's own.
    return f'INSERT INTO "{table}" ({names}) VALUES {places} ON CONFLICT DO NOTHING'  # noqa: S608


def _as_text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
