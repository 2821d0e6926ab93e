"""Full load for half an hour with a fault each minute: is every acknowledged prediction stored?

    python -m benchmarks.soak --minutes 30

The server runs on a PostgreSQL of its own that commits durably. In turn, one a minute: a worker is
killed (-9), PostgreSQL is stopped, frozen (SIGSTOP) and killed (-9), each for some seconds, and
another version goes live. 201 says stored and 200 spooled: both are promises. At the end the ids
of all answers are compared with the ids of all rows, one by one. Exit status 0 if each promise was
kept exactly once, no answer was a 500, and memory stayed flat.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.arena import PLACE, ROOT
from benchmarks.clients import Heard, ask
from benchmarks.machine import as_sentence, machine
from benchmarks.marked import write_between
from benchmarks.photos import uploads
from benchmarks.postgres import Postgres, durable_postgres
from benchmarks.processes import memory_mb
from benchmarks.rows import compare, stored_ids
from benchmarks.site import Site, in_production, running_site
from ml.registry import list_versions

# Seconds into each minute at which its fault begins, and how long a database stays away.
_FAULT_AT, _AWAY = 15.0, 20.0
# Seconds that the last spooled rows may take to arrive.
_TO_ARRIVE = 120.0
# MB that a worker may grow by in the second half of a soak.
_FLAT = 20.0
_COLUMNS = (
    *("minute", "fault", "answered", "201", "200", "503", "other", "dropped", "p99 ms"),
    "worker MB",
)


@dataclass
class Minute:
    """What one minute showed.

    Attributes:
        fault: What was done to the site.
        statuses: How often each status came.
        dropped: Connections that ended without an answer, or were not taken.
        photos: How many were answered.
        p99: In milliseconds, of those.
        memory: Of the largest worker at the end, resident, in MB.
        problems: Bodies of unforeseen statuses.
    """

    fault: str
    statuses: dict[int, int] = field(default_factory=dict)
    dropped: int = 0
    photos: int = 0
    p99: float = 0.0
    memory: float = 0.0
    problems: list[str] = field(default_factory=list)


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # stops what we started
    PLACE.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=PLACE) as folder,
        durable_postgres() as postgres,
        _site(Path(folder), postgres, options.workers) as site,
    ):
        minutes, promised = _soak(site, postgres, options)
        rows = _all_arrived(postgres, promised)
        problems = [*compare(promised, rows), *_problems(minutes)]
        if not promised:
            problems.append("Nothing was answered.")
        log = site.log.read_text(errors="replace")
    _write(minutes, len(promised), len(rows), problems, options)
    if problems:
        print(f"The end of the server's log:\n{log[-3000:]}", file=sys.stderr)
    return 1 if problems else 0


@contextmanager
def _site(folder: Path, postgres: Postgres, workers: int) -> Iterator[Site]:
    settings = in_production(workers=workers)
    with running_site(folder, ROOT / "models", database=postgres.url, **settings) as site:
        yield site


def _faults(site: Site, postgres: Postgres, seconds: float) -> list[tuple[str, Callable[[], None]]]:
    """Name and deed of each fault; a deed returns when it is over, of a database after seconds."""
    versions = list_versions(ROOT / "models")
    turn = Counter[str]()

    def swap() -> None:
        turn["swaps"] += 1
        site.manage("promote_model", versions[turn["swaps"] % len(versions)])

    def away(begin: Callable[[], None], end: Callable[[], None]) -> Callable[[], None]:
        def deed() -> None:
            begin()
            try:
                threading.Event().wait(seconds)
            finally:
                end()

        return deed

    return [
        ("a worker killed", lambda: _kill_a_worker(site)),
        ("PostgreSQL stopped", away(postgres.stop, postgres.start)),
        ("another version promoted", swap),
        ("PostgreSQL frozen", away(postgres.freeze, postgres.thaw)),
        ("a worker killed", lambda: _kill_a_worker(site)),
        ("PostgreSQL killed", away(postgres.kill, postgres.start)),
        ("another version promoted", swap),
    ]


def _kill_a_worker(site: Site) -> None:
    os.kill(_workers(site)[0], signal.SIGKILL)


def _workers(site: Site) -> list[int]:
    """The processes that answer: gunicorn's children, not those that these start."""
    return [
        int(pid) for pid in Path(f"/proc/{site.pid}/task/{site.pid}/children").read_text().split()
    ]


def _soak(
    site: Site, postgres: Postgres, options: argparse.Namespace
) -> tuple[list[Minute], list[str]]:
    """Minute after minute of load with a fault in each; and the ids of all promises."""
    photos = uploads("jpeg", PLACE / "photos", options.data)
    faults, minutes, promised = _faults(site, postgres, min(_AWAY, options.seconds / 3)), [], []
    for number in range(options.minutes):
        name, deed = faults[number % len(faults)]
        failed: list[BaseException] = []
        thread = threading.Thread(target=_later, args=(deed, options.seconds, failed))
        thread.start()
        heard = ask(
            f"{site.url}/api/predict",
            photos,
            clients=options.clients,
            number=sys.maxsize,
            seconds=options.seconds,
        )
        thread.join()
        if failed:
            raise failed[0]
        minutes.append(_minute(name, heard, site))
        promised += heard.ids
        print(f"{number + 1}: {minutes[-1]}", file=sys.stderr, flush=True)
    return minutes, promised


def _later(deed: Callable[[], None], seconds: float, failed: list[BaseException]) -> None:
    """Do a deed a quarter into the minute; keep the error if it fails."""
    try:
        threading.Event().wait(min(_FAULT_AT, seconds / 4))
        deed()
    except BaseException as error:  # noqa: BLE001  the main thread raises it
        failed.append(error)


def _minute(fault: str, heard: Heard, site: Site) -> Minute:
    times = sorted(heard.latencies)
    return Minute(
        fault,
        dict(sorted(heard.statuses.items())),
        heard.dropped,
        heard.photos,
        round(times[int(len(times) * 0.99)] * 1000, 1) if times else 0.0,
        round(max((_resident(pid) for pid in _workers(site)), default=0.0), 1),
        heard.problems,
    )


def _resident(pid: int) -> float:
    try:
        return memory_mb(pid)["rss"]
    except OSError:  # it has just ended
        return 0.0


def _all_arrived(postgres: Postgres, promised: list[str]) -> list[str]:
    """The ids of all rows, once what was spooled has come, or has had its time."""
    pause, started = threading.Event(), time.monotonic()
    wanted = set(promised)
    while True:
        rows = stored_ids(postgres.url)
        if wanted <= set(rows) or time.monotonic() - started > _TO_ARRIVE:
            return rows
        pause.wait(1)


def _problems(minutes: list[Minute]) -> list[str]:
    """What no fault excuses."""
    problems = []
    for number, minute in enumerate(minutes, 1):
        if bad := {status for status in minute.statuses if status not in (200, 201, 503)}:
            said = minute.problems[:1]
            problems.append(f"Minute {number}, {minute.fault}: {sorted(bad)}: {said}")
    # A version of two networks is larger than one of one: compare like with like, second halves.
    sizes = [minute.memory for minute in minutes[len(minutes) // 2 :]]
    half = len(sizes) // 2
    if half and max(sizes[half:]) - max(sizes[:half]) > _FLAT:
        problems.append(f"Memory grew: {sizes} MB.")
    return problems


def _write(
    minutes: list[Minute],
    promised: int,
    rows: int,
    problems: list[str],
    options: argparse.Namespace,
) -> None:
    """JSON and a table in var/bench, on the screen, and where `--write` says."""
    total: Counter[int] = Counter()
    for minute in minutes:
        total.update(minute.statuses)
    verdict = "No problem." if not problems else "Problems: " + " ".join(problems)
    text = "\n".join(
        [
            f"`python -m benchmarks.soak {' '.join(sys.argv[1:])}`".replace(" `", "`")
            + f"; {options.clients} clients; {as_sentence(machine())}.",
            "",
            f"{promised:,} predictions acknowledged, {rows:,} rows at the end. Answers by status: "
            + ", ".join(f"{status}: {count:,}" for status, count in sorted(total.items()))
            + f"; connections dropped: {sum(minute.dropped for minute in minutes)}. {verdict}",
            "",
            f"| {' | '.join(_COLUMNS)} |",
            "|" + " --- |" * len(_COLUMNS),
            *(_line(number, minute) for number, minute in enumerate(minutes, 1)),
        ]
    )
    figures: dict[str, Any] = {"machine": machine(), "acknowledged": promised, "rows": rows}
    figures |= {"problems": problems, "minutes": [vars(minute) for minute in minutes]}
    to = PLACE / "soak.json"
    to.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    to.with_suffix(".md").write_text(text + "\n", encoding="utf-8")
    print(f"{text}\n\nWritten to {to} and {to.with_suffix('.md')}")
    if options.write:
        write_between(options.write, "soak", text)


def _line(number: int, minute: Minute) -> str:
    counts = minute.statuses
    other = sum(count for status, count in counts.items() if status not in (200, 201, 503))
    cells = (
        *(number, minute.fault, minute.photos, counts.get(201, 0), counts.get(200, 0)),
        *(counts.get(503, 0), other, minute.dropped, minute.p99, minute.memory),
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = os.environ.get("CATSDOGS_DATA")
    parser.add_argument("--data", type=Path, default=data and Path(data), help="real photos")
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60, help="of a minute: for trying it out")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--write", type=Path, help="put the table between marks in this file, too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
