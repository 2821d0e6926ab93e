"""Take the database away under load, again and again: is each acknowledged answer stored, once?

    python -m benchmarks.database_away [--kills 20] [--fault kill|freeze|stop] [--workers 1]

Starts the real server and a PostgreSQL of its own on free ports of this machine, in temporary
folders. Clients ask without a pause; the database is killed (SIGKILL, all of its processes), stays
away until some answers were spooled, and is started again. Then the rows are counted. Exit status 0
if what was acknowledged is what is stored, and no request failed.
"""

import argparse
import contextlib
import http.client
import io
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.postgres import Postgres, running_postgres
from benchmarks.site import Site, running_site
from classifier import spool

ROOT = Path(__file__).resolve().parents[1]
_SECONDS_TO_HAPPEN = 120


@dataclass
class Asked:
    """What clients got so far.

    Attributes:
        logged: Prediction's id -> `stored` or `spooled`, as each answer said.
        repeated: Ids that came twice.
        turned_away: How often there was no room: a server that just started may say so.
        problems: What else came: a status and a body, or why there was none.
        seconds: How long each answer took.
    """

    logged: dict[str, str] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    turned_away: int = 0
    problems: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, logged: str) -> int:
        with self.lock:
            return sum(each == logged for each in self.logged.values())

    def wait_for_more(self, number: int, logged: str) -> None:
        """Wait until so many further answers said that they are logged this way."""
        until = self.count(logged) + number
        wait_until(lambda: self.count(logged) >= until)

    def note(self, status: int, body: bytes, seconds: float) -> None:
        with self.lock:
            if status == 503 and b'"overloaded"' in body:
                self.turned_away += 1
                return
            if status not in (200, 201):
                self.problems.append(f"{status} {body[:200]!r}")
                return
            answer = json.loads(body)
            if answer["id"] in self.logged:
                self.repeated.append(answer["id"])
            if (status == 201) != (answer["logged"] == "stored"):
                self.problems.append(f"{status}, yet {answer['logged']}")
            self.logged[answer["id"]] = answer["logged"]
            self.seconds.append(seconds)


def wait_until(claim: Callable[[], bool]) -> None:
    """Wait for something to come about.

    Raises:
        TimeoutError: if it does not.
    """
    pause, began = threading.Event(), time.monotonic()
    while not claim():
        if time.monotonic() - began > _SECONDS_TO_HAPPEN:
            raise TimeoutError("It did not come about.")
        pause.wait(0.02)


@contextlib.contextmanager
def clients(site: Site, number: int) -> Iterator[Asked]:
    """Clients that ask one after the other, all the time, until the end."""
    asked, stop = Asked(), threading.Event()

    def ask_on(photo: bytes) -> None:
        port = int(site.environment["PORT"])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with contextlib.closing(connection):
            while not stop.is_set():
                _ask(connection, photo, asked)

    photos = [_photo(i) for i in range(number)]
    threads = [threading.Thread(target=ask_on, args=(photo,)) for photo in photos]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _ask(connection: http.client.HTTPConnection, photo: bytes, asked: Asked) -> None:
    began = time.perf_counter()
    try:
        connection.request("POST", "/api/predict", photo, {"Content-Type": "image/png"})
        response = connection.getresponse()
        asked.note(response.status, response.read(), time.perf_counter() - began)
        if response.status == 503:
            threading.Event().wait(0.05)
    except (OSError, http.client.HTTPException) as error:
        connection.close()  # the next request opens it again
        with asked.lock:
            asked.problems.append(repr(error))
        threading.Event().wait(0.05)


def _photo(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 256, (48, 64, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def waiting(site: Site) -> int:
    """Rows on disk."""
    folder = Path(site.environment["CATSDOGS_VAR"]) / "spool"
    return sum(spool.count_lines(path) for path in spool.segments(folder))


def wait_until_arrived(site: Site) -> None:
    wait_until(lambda: waiting(site) == 0)


def stored(postgres: Postgres) -> list[str]:
    """The ids of all rows."""
    return [str(row[0]) for row in postgres.execute("SELECT id::text FROM classifier_prediction")]


@contextlib.contextmanager
def site_on(postgres: Postgres, place: Path, **settings: str) -> Iterator[Site]:
    """The real server on this database."""
    quiet = {"GUNICORN_CMD_ARGS": "--log-level=warning", "CATSDOGS_DATABASE_DEADLINE": "0.5"}
    with running_site(place, ROOT / "models", database=postgres.url, **quiet | settings) as site:
        yield site


FAULTS: dict[str, tuple[Callable[[Postgres], None], Callable[[Postgres], None]]] = {
    "kill": (Postgres.kill, Postgres.start),
    "stop": (Postgres.stop, Postgres.start),
    "freeze": (Postgres.freeze, Postgres.thaw),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20, help="how many times (default: 20)")
    parser.add_argument("--fault", choices=FAULTS, default="kill")
    parser.add_argument("--clients", type=int, default=8, help="at the same time (default: 8)")
    parser.add_argument("--workers", type=int, default=1, help="processes that answer (default: 1)")
    options = parser.parse_args()
    away, back = FAULTS[options.fault]
    arguments = f"--log-level=warning --workers={options.workers}"
    with (
        tempfile.TemporaryDirectory(prefix="catsdogs-away-") as place,
        running_postgres() as postgres,
        site_on(postgres, Path(place), GUNICORN_CMD_ARGS=arguments) as site,
    ):
        with clients(site, options.clients) as asked:
            pauses = [_take_away(postgres, asked, away, back) for _ in range(options.kills)]
        wait_until_arrived(site)
        if asked.problems:
            print(site.log.read_text(errors="replace")[-20_000:], file=sys.stderr)
        return _say(options.fault, asked, stored(postgres), pauses)


def _take_away(
    postgres: Postgres,
    asked: Asked,
    away: Callable[[Postgres], None],
    back: Callable[[Postgres], None],
) -> float:
    """Once. Returns the seconds from its coming back to the first answer that was stored again."""
    asked.wait_for_more(20, "stored")
    away(postgres)
    asked.wait_for_more(20, "spooled")
    back(postgres)
    began = time.perf_counter()
    asked.wait_for_more(1, "stored")
    return time.perf_counter() - began


def _say(fault: str, asked: Asked, rows: list[str], pauses: list[float]) -> int:
    acknowledged = set(asked.logged)
    figures = {
        "fault": fault,
        "times": len(pauses),
        "acknowledged": len(acknowledged),
        "of_them_spooled": asked.count("spooled"),
        "stored": len(rows),
        "lost": len(acknowledged - set(rows)),
        "stored_but_not_acknowledged": len(set(rows) - acknowledged),
        "twice": len(rows) - len(set(rows)) + len(asked.repeated),
        "turned_away": asked.turned_away,
        "problems": sorted(set(asked.problems))[:5],
        "stored_again_after_s": round(statistics.median(pauses), 2),
        "longest_answer_s": round(max(asked.seconds), 2),
    }
    print(json.dumps(figures, indent=2))
    wrong = ("lost", "stored_but_not_acknowledged", "twice", "problems")
    return 1 if any(figures[name] for name in wrong) else 0


if __name__ == "__main__":
    sys.exit(main())
