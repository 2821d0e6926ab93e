"""Percentiles in SQL, with one definition on both databases: PostgreSQL's `percentile_cont`."""

import math
import sqlite3
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, FloatField, Value


class Percentile(Aggregate):
    """The value below which a share of all values lies, interpolated between two neighbours.

    Args:
        expression: Of what.
        share: From 0 to 1; 0.5 is the median.

    Source:
        PostgreSQL's documentation, "Ordered-Set Aggregate Functions": `percentile_cont`.
    """

    function = "percentile_cont"
    output_field = FloatField()

    def __init__(self, expression: str, share: float, **extra: Any) -> None:
        super().__init__(expression, Value(share), **extra)

    def as_postgresql(
        self, compiler: Any, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, tuple[Any, ...]]:
        of, share = self.get_source_expressions()[:2]
        share_sql, share_params = compiler.compile(share)
        of_sql, of_params = compiler.compile(of)
        return (
            f"percentile_cont({share_sql}::float8) WITHIN GROUP (ORDER BY {of_sql})",
            (*share_params, *of_params),
        )


class _PercentileCont:
    """SQLite's aggregate of that name."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.share = 0.0

    def step(self, value: float | None = None, share: float = 0.0) -> None:
        self.share = share
        if value is not None:
            self.values.append(value)

    def finalize(self) -> float | None:
        if not self.values:
            return None
        self.values.sort()
        place = self.share * (len(self.values) - 1)
        below, above = self.values[math.floor(place)], self.values[math.ceil(place)]
        return below + (above - below) * (place - math.floor(place))


def teach_sqlite(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Give a new connection to SQLite its `percentile_cont`."""
    if connection.vendor == "sqlite":
        raw: sqlite3.Connection = connection.connection
        raw.create_aggregate("percentile_cont", 2, _PercentileCont)  # type: ignore[arg-type]
