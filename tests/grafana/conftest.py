"""The SQL of Grafana is PostgreSQL's alone: `test_sql_*` belong to the pass on PostgreSQL."""

from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import connection, transaction

from tests.grafana.macros import expand

collect_ignore_glob = []
if "postgresql" not in settings.DATABASES["default"]["ENGINE"]:
    collect_ignore_glob += ["test_sql_*.py"]

# Not the real one: a role belongs to the whole server, which may be somebody's.
ROLE = "grafana_reader_of_the_tests"


@pytest.fixture
def reader(db):
    """Asks what Grafana asks, with its rights; the role is gone with the test's transaction."""
    from monitoring.grafana import set_up

    set_up(ROLE, "only for tests")
    return Reader()


class Reader:
    @contextmanager
    def _rights(self):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL ROLE {ROLE}")
            yield cursor
            cursor.execute("RESET ROLE")

    def ask(self, query, period, version=None, interval="1h"):
        """The rows, as dicts."""
        variables = {"version": version, "interval": interval}
        with self._rights() as cursor:
            cursor.execute(expand(query, period.since, period.until, variables))
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
