"""What Grafana may read: a role may execute the functions of `grafana.sql`, and nothing else."""

from pathlib import Path
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper

SCHEMA = "catsdogs_figures"
ROLE = "grafana_reader"

_MAX_CONNECTIONS = 10
# Of each of its sessions.
_SESSION = {
    "default_transaction_read_only": "on",
    # A panel that takes longer is one to look at; Grafana itself gives up after 30 s.
    "statement_timeout": "20s",
    "idle_in_transaction_session_timeout": "60s",
    # Queries of a fraction of a second gain nothing from being compiled first.
    "jit": "off",
}
# Internal to the others: it names no figure.
_NOT_FOR_THE_ROLE = {"stretches"}


class RoleError(Exception):
    """The role cannot be made; the message says what to do."""


def set_up(role: str, password: str) -> None:
    """Create or update the functions and the role; doing it twice is fine.

    Raises:
        RoleError: if the database is no PostgreSQL, or does not let us.
    """
    if connection.vendor != "postgresql":
        raise RoleError("Grafana reads PostgreSQL: set DATABASE_URL to one. SQLite has no roles.")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            _create_functions(cursor)
            _create_role(cursor, role, password)
            _grant(cursor, role)
    except DatabaseError as error:
        raise RoleError(f"The role {role} could not be set up: {error}") from error


def _create_functions(cursor: CursorWrapper) -> None:
    # Each function keeps the path that is set while it is created: tables of ours, none of others.
    tables = _one(cursor, "SELECT current_schema()")
    _execute(cursor, "SET LOCAL search_path = %I, pg_temp", tables)
    _execute(cursor, "DROP SCHEMA IF EXISTS %I CASCADE", SCHEMA)
    _execute(cursor, "CREATE SCHEMA %I", SCHEMA)
    cursor.execute(Path(__file__).with_name("grafana.sql").read_text(encoding="utf-8"))


def _create_role(cursor: CursorWrapper, role: str, password: str) -> None:
    is_there = _one(cursor, "SELECT count(*) FROM pg_roles WHERE rolname = %s", role)
    if not _one(
        cursor, "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    ):
        if is_there:
            return  # an administrator made it, and looks after its password
        raise RoleError(
            f"The database user of DATABASE_URL may not create roles. Let an administrator run "
            f"CREATE ROLE {role} LOGIN PASSWORD '…'; and then run this again."
        )
    if not is_there:
        _execute(cursor, "CREATE ROLE %I", role)
    _execute(
        cursor,
        "ALTER ROLE %I LOGIN PASSWORD %L NOCREATEDB NOCREATEROLE CONNECTION LIMIT %s",
        *(role, password, str(_MAX_CONNECTIONS)),
    )
    for setting, value in _SESSION.items():
        _execute(cursor, "ALTER ROLE %I SET %I = %L", role, setting, value)


def _grant(cursor: CursorWrapper, role: str) -> None:
    database = _one(cursor, "SELECT current_database()")
    _execute(cursor, "GRANT CONNECT ON DATABASE %I TO %I", database, role)
    _execute(cursor, "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA %I FROM PUBLIC", SCHEMA)
    _execute(cursor, "GRANT USAGE ON SCHEMA %I TO %I", SCHEMA, role)
    _execute(cursor, "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA %I TO %I", SCHEMA, role)
    for name in _NOT_FOR_THE_ROLE:
        _execute(cursor, "REVOKE ALL ON FUNCTION %I.%I FROM %I", SCHEMA, name, role)


def _execute(cursor: CursorWrapper, statement: str, *names: str) -> None:
    """Run a statement that takes no parameters; PostgreSQL quotes what is put in."""
    places = ", %s::text" * len(names)
    cursor.execute(_one(cursor, f"SELECT format(%s{places})", statement, *names))


def _one(cursor: CursorWrapper, query: str, *values: str) -> Any:
    cursor.execute(query, values)
    return cursor.fetchone()[0]
