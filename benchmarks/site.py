"""The real server in a folder of its own, for what must be seen from outside: by HTTP, like a user.

It listens on the loopback address only, on a free port, and is stopped by its own process id.
"""

import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

_ROOT = Path(__file__).resolve().parent.parent
_HOST = "127.0.0.1"
# A fresh database and a cold disk included.
_SECONDS_TO_START = 60
# Who may do all there, and with which password.
LOGIN = ("reviewer", "only-for-this-site")


@dataclass(frozen=True)
class Site:
    """A running site.

    Attributes:
        url: Where it listens.
        environment: Of its processes.
        pid: Of its first process.
        log: What its processes said.
    """

    url: str
    environment: Mapping[str, str]
    pid: int
    log: Path

    def manage(self, *arguments: str) -> str:
        """Run a command of `manage.py` beside the server and return what it printed."""
        return _manage(self.environment, *arguments)

    def visitor(self) -> requests.Session:
        """Somebody new, with cookies of their own."""
        return requests.Session()

    def reviewer(self) -> requests.Session:
        """A member of staff, logged in."""
        session = requests.Session()
        address = f"{self.url}/admin/login/"
        token = token_in(session.get(address, timeout=30).text)
        said = {"username": LOGIN[0], "password": LOGIN[1], "next": "/admin/"}
        said["csrfmiddlewaretoken"] = token
        session.post(address, said, timeout=30).raise_for_status()
        return session


def token_in(page: str) -> str:
    """The CSRF token of a page's form."""
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    if found is None:
        raise ValueError("The page holds no form with a CSRF token.")
    return found[1]


def in_production(*, workers: int = 1) -> dict[str, str]:
    """Settings as in production, but for TLS, who may call, and how often one may.

    Args:
        workers: Processes that answer.
    """
    return {
        "ALLOWED_HOSTS": _HOST,
        "CATSDOGS_API_ACCESS": "open",
        "DEBUG": "false",
        "GUNICORN_CMD_ARGS": f"--log-level=warning --workers={workers}",
        "HTTPS": "false",
        "SECRET_KEY": secrets.token_urlsafe(50),
    }


@contextmanager
def running_site(
    folder: Path,
    models: Path,
    *,
    database: str | None = None,
    damage: Callable[[], object] | None = None,
    **settings: str,
) -> Iterator[Site]:
    """Start a site like a fresh install's and stop it at the end.

    Args:
        folder: Takes its database, photos and logs.
        models: Its versions; what it trains is written there too.
        database: A `DATABASE_URL`; None: SQLite in `folder`.
        damage: Done between setting it up and starting it: it need not be ready then, only live.
        settings: Further environment variables.

    Raises:
        TimeoutError: if it does not answer; the message holds the end of its log.
    """
    environment = prepare(folder, models, database, settings)
    if damage:
        damage()
    ready = "healthz" if damage else "readyz"
    with started(environment, folder / "server.log", ready=ready) as site:
        yield site


def prepare(
    folder: Path, models: Path, database: str | None, settings: Mapping[str, str]
) -> dict[str, str]:
    """All that a site needs before it starts; the environment of its processes."""
    environment = _environment(folder, models, database, settings)
    (folder / "static").mkdir(parents=True, exist_ok=True)
    if environment["DEBUG"] == "false":  # else it finds them where they are
        _manage(environment, "collectstatic", "--noinput", "--verbosity=0")
    _manage(environment, "migrate", "--noinput", "--verbosity=0")
    _manage(environment, "register_models")
    who = (f"--username={LOGIN[0]}", f"--email={LOGIN[0]}@localhost")
    _manage(environment, "createsuperuser", "--noinput", *who)
    return environment


@contextmanager
def started(
    environment: Mapping[str, str], log: Path, *, pause: float = 0.1, ready: str = "readyz"
) -> Iterator[Site]:
    """Start what `prepare` prepared, and stop it at the end.

    Args:
        environment: From `prepare`.
        log: Takes what its processes say.
        pause: Seconds between two looks whether it is ready.
        ready: The address that says so.

    Raises:
        TimeoutError: if it does not answer; the message holds the end of its log.
    """
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn"],
            cwd=_ROOT,
            env=dict(environment),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://{_HOST}:{environment['PORT']}"
        _wait_for(f"{url}/{ready}", server, log, pause)
        yield Site(url, environment, server.pid, log)
    finally:
        server.terminate()
        server.wait(timeout=30)


def _environment(
    folder: Path, models: Path, database: str | None, settings: Mapping[str, str]
) -> dict[str, str]:
    return {
        **os.environ,
        # One caller is all the load.
        "CATSDOGS_FEEDBACK_PER_MINUTE": "0",
        "CATSDOGS_MODELS": str(models),
        "CATSDOGS_PHOTOS_PER_MINUTE": "0",
        "CATSDOGS_TOKEN_PHOTOS_PER_MINUTE": "0",
        "CATSDOGS_VAR": str(folder),
        "DATABASE_URL": database or f"sqlite:///{folder / 'catsdogs.sqlite3'}",
        "DEBUG": "true",
        "DJANGO_SETTINGS_MODULE": "catsdogs.settings",
        "DJANGO_SUPERUSER_PASSWORD": LOGIN[1],
        "HOST": _HOST,
        "PORT": str(_free_port()),
        **settings,
    }


def _manage(environment: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=_ROOT,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"manage.py {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def _wait_for(address: str, server: subprocess.Popen, log: Path, pause: float) -> None:
    never, began = threading.Event(), time.monotonic()
    while time.monotonic() - began < _SECONDS_TO_START and server.poll() is None:
        try:
            if requests.get(address, timeout=5).ok:
                return
        except (requests.ConnectionError, requests.Timeout):  # not there yet, or busy
            pass
        never.wait(pause)
    raise TimeoutError(f"The site does not answer: {log.read_text(errors='replace')[-2000:]}")
