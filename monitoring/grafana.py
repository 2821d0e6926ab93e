"""What Grafana may read: a role may execute the functions of `grafana.sql`, and nothing else."""

from pathlib import Path

from django.db import DatabaseError, connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg2 import sql

SCHEMA = "catsdogs_figures"
ROLE = "grafana_reader"

# A panel that takes longer than this is one to look at; Grafana gives up after 30 s.
_STATEMENT_TIMEOUT = "20s"
_MAX_CONNECTIONS = 10
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
            _create_role(cursor, sql.Identifier(role), role, password)
            _grant(cursor, sql.Identifier(role))
    except DatabaseError as error:
        raise RoleError(f"The role {role} could not be set up: {error}") from error


def _create_functions(cursor: CursorWrapper) -> None:
    cursor.execute("SELECT current_schema()")
    tables = sql.Identifier(cursor.fetchone()[0])
    _execute(cursor, "SET LOCAL search_path = {}, pg_temp", tables)
    _execute(cursor, "DROP SCHEMA IF EXISTS {} CASCADE", sql.Identifier(SCHEMA))
    _execute(cursor, "CREATE SCHEMA {}", sql.Identifier(SCHEMA))
    cursor.execute(Path(__file__).with_name("grafana.sql").read_text())


def _create_role(
    cursor: CursorWrapper, identifier: sql.Identifier, role: str, password: str
) -> None:
    cursor.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    may_create = cursor.fetchone()[0]
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    is_there = cursor.fetchone() is not None
    if not may_create:
        if is_there:
            return  # an administrator made it, and looks after its password
        raise RoleError(
            f"The database user of DATABASE_URL may not create roles. Let an administrator run "
            f"CREATE ROLE {role} LOGIN PASSWORD '…'; and then run this again."
        )
    if not is_there:
        _execute(cursor, "CREATE ROLE {}", identifier)
    _execute(
        cursor,
        "ALTER ROLE {} LOGIN PASSWORD {} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION "
        "NOBYPASSRLS CONNECTION LIMIT {}",
        *(identifier, sql.Literal(password), sql.Literal(_MAX_CONNECTIONS)),
    )
    _execute(cursor, "ALTER ROLE {} SET default_transaction_read_only = on", identifier)
    timeout = sql.Literal(_STATEMENT_TIMEOUT)
    _execute(cursor, "ALTER ROLE {} SET statement_timeout = {}", identifier, timeout)
    # Compiling a query takes longer than these run.
    _execute(cursor, "ALTER ROLE {} SET jit = off", identifier)
    _execute(cursor, "ALTER ROLE {} SET idle_in_transaction_session_timeout = '60s'", identifier)


def _grant(cursor: CursorWrapper, role: sql.Identifier) -> None:
    schema = sql.Identifier(SCHEMA)
    cursor.execute("SELECT current_database()")
    database = sql.Identifier(cursor.fetchone()[0])
    _execute(cursor, "GRANT CONNECT ON DATABASE {} TO {}", database, role)
    _execute(cursor, "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {} FROM PUBLIC", schema)
    _execute(cursor, "GRANT USAGE ON SCHEMA {} TO {}", schema, role)
    _execute(cursor, "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {} TO {}", schema, role)
    for name in _NOT_FOR_THE_ROLE:
        function = sql.Identifier(SCHEMA, name)
        _execute(cursor, "REVOKE ALL ON FUNCTION {} FROM {}", function, role)


def _execute(cursor: CursorWrapper, statement: str, *names: sql.Composable) -> None:
    composed = sql.SQL(statement).format(*names)
    cursor.execute(composed.as_string(connection.connection))
