"""A database that cannot be reached, for real: its address leads nowhere."""

from contextlib import contextmanager

from django.db import connection


@contextmanager
def database_away():
    """Within, this thread's queries fail as they do when the database is away.

    Only for tests whose rows are committed (`transactional_db`): the connection is closed.
    """
    at_home = dict(connection.settings_dict)
    # On SQLite a folder that is not there, on PostgreSQL a port where nobody listens.
    nowhere = {"NAME": "/nonexistent/site.sqlite3"}
    if connection.vendor == "postgresql":
        nowhere = {"HOST": "127.0.0.1", "PORT": "1"}
    connection.close()
    connection.settings_dict.update(nowhere)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(at_home)
