"""What happens at ten times the load: who is answered, who is turned away, who notices nothing.

    python -m benchmarks.overload [--seconds 10] [--times 10] [--databases ...] [--write FILE]

Starts the real server on a free port of this machine, on one database after the other, and drives
it from a process of its own: as fast as it answers eight clients, then at that rate many times
over, whether it keeps up or not. Meanwhile somebody asks ten times a second each for /healthz,
/metrics and the page, and gives feedback. Exit status 0 if every request got its answer and nothing
but photos was turned away.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from benchmarks.arena import PLACE, ROOT
from benchmarks.flood import CLIENTS, Answered, photo_of_a_cat, send_load
from benchmarks.machine import as_sentence, machine
from benchmarks.marked import write_between
from benchmarks.postgres import durable_postgres
from benchmarks.site import Site, in_production, running_site

DATABASES = ("postgresql", "sqlite")
_ASKED_A_SECOND = 10
# A burst may fill the queue, which a flood then finds full: see `catsdogs.photo_lane`.
_BURST_SECONDS = 3.0
_SETTLED = f"answered, of those sent after {_BURST_SECONDS:g} s"
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Times:
    """Milliseconds of some requests of one kind.

    Attributes:
        count: How many.
        p50: Half of them took no longer.
        p99: Of a hundred, ninety-nine took no longer.
    """

    count: int
    p50: float
    p99: float


@dataclass(frozen=True)
class Phase:
    """One load, and what became of it.

    Attributes:
        name: Of the load.
        rate: Photos sent a second.
        times: By kind of request: answered, turned away, and what was asked meanwhile.
        statuses: How often each came.
        cpu_ms: Of the worker's processor time, by request of the load.
    """

    name: str
    rate: float
    times: dict[str, Times]
    statuses: dict[str, int]
    cpu_ms: float


def main() -> int:
    options = _options()
    phases: list[Phase] = []
    for database in options.databases:
        with _site(database) as site:
            phases += measure(site, options.seconds, options.times, database)
    PLACE.mkdir(parents=True, exist_ok=True)
    figures = {"machine": machine(), "phases": [asdict(phase) for phase in phases]}
    (PLACE / "overload.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    command = f"`python -m benchmarks.overload {' '.join(sys.argv[1:])}".strip()
    text = f"{command}`; {as_sentence(machine())}.\n\n{as_table(phases)}"
    print(text)
    if options.write:
        write_between(options.write, "overload", text)
    return 0 if all(is_in_order(phase) for phase in phases) else 1


@contextmanager
def _site(database: str) -> Iterator[Site]:
    with ExitStack() as stack:
        url = stack.enter_context(durable_postgres()).url if database == "postgresql" else None
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="catsdogs-overload-"))
        yield stack.enter_context(
            running_site(Path(folder), ROOT / "models", database=url, **in_production())
        )


def measure(site: Site, seconds: float, times: float, database: str) -> list[Phase]:
    """The load that the server can take, then a multiple of it."""
    run_load(site, "warm-up", None, 2)
    at_capacity = run_load(site, f"{database}, {CLIENTS} clients", None, seconds)
    name = f"{database}, {times:g} times the load"
    return [at_capacity, run_load(site, name, times * at_capacity.rate, seconds)]


def run_load(site: Site, name: str, rate: float | None, seconds: float) -> Phase:
    """Send photos for some seconds and ask for other things meanwhile.

    Args:
        site: Where.
        name: Of the load.
        rate: Photos a second; None: as many as are answered to `CLIENTS` clients.
        seconds: How long.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    load = context.Process(
        target=send_load, args=(site.url, photo_of_a_cat(), rate, seconds, there)
    )
    before = _cpu_seconds(site)
    load.start()
    there.close()
    # Many answers do not fit into the pipe: it ends only once they are taken.
    others = _ask_meanwhile(site, here)
    answers: list[Answered] = here.recv()
    load.join()
    answered = [each for each in answers if each.status == 201]
    times = {
        "answered": _times([each.took for each in answered]),
        _SETTLED: _times([each.took for each in answered if each.sent >= _BURST_SECONDS]),
        "turned away": _times([each.took for each in answers if each.status == 503]),
        **{what: _times(taken) for what, taken in others.items()},
    }
    statuses = Counter(str(each.status) for each in answers)
    cpu_ms = (_cpu_seconds(site) - before) * 1000 / max(1, len(answers))
    return Phase(name, len(answers) / seconds, times, dict(statuses), round(cpu_ms, 2))


def is_in_order(phase: Phase) -> bool:
    """Whether photos were answered or turned away, and everything else was answered."""
    return set(phase.statuses) <= {"201", "503"} and all(
        phase.times[what].count for what in ("/healthz", "/metrics", "/", "/api/feedback")
    )


def as_table(phases: list[Phase]) -> str:
    """For people, as Markdown."""
    lines = ["| | " + " | ".join(f"{phase.name}: p50 / p99, ms" for phase in phases) + " |"]
    lines += ["|---" * (len(phases) + 1) + "|"]
    for what in phases[-1].times:
        cells = [
            f"{found.p50:.0f} / {found.p99:.0f} ({found.count})" if found.count else "none"
            for found in (phase.times[what] for phase in phases)
        ]
        lines.append(f"| {what} | " + " | ".join(cells) + " |")
    lines.append("| photos a second | " + " | ".join(f"{p.rate:.0f}" for p in phases) + " |")
    shares = [f"{p.statuses.get('503', 0) / max(1, sum(p.statuses.values())):.0%}" for p in phases]
    lines.append("| turned away | " + " | ".join(shares) + " |")
    cpu = [f"{phase.cpu_ms:.2f}" for phase in phases]
    lines.append("| worker's CPU a photo sent, ms | " + " | ".join(cpu) + " |")
    return "\n".join(lines)


def _times(seconds: list[float]) -> Times:
    if not seconds:
        return Times(0, 0.0, 0.0)
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000
    return Times(len(seconds), round(float(p50), 1), round(float(p99), 1))


def _cpu_seconds(site: Site) -> float:
    children = Path(f"/proc/{site.pid}/task/{site.pid}/children").read_text().split()
    used = 0.0
    for pid in children:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += (int(fields[11]) + int(fields[12])) / _TICKS
    return used


def _ask_meanwhile(site: Site, load: Connection) -> dict[str, list[float]]:
    """Seconds that other requests took until a load was over; the failed ones are left out."""
    feedback = json.dumps({"prediction": _one_prediction(site), "correct": True}).encode()
    asked = {
        "/healthz": ("GET", b"", {}),
        "/metrics": ("GET", b"", {}),
        "/": ("GET", b"", {}),
        "/api/feedback": ("POST", feedback, {"Content-Type": "application/json"}),
    }
    taken: dict[str, list[float]] = {path: [] for path in asked}
    threads = [
        threading.Thread(target=_ask_often, args=(site, path, *how, load, taken[path]))
        for path, how in asked.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def _ask_often(
    site: Site,
    path: str,
    method: str,
    body: bytes,
    headers: dict[str, str],
    load: Connection,
    taken: list[float],
) -> None:
    client, pause = http.client.HTTPConnection(site.url[7:], timeout=60), threading.Event()
    while not load.poll():
        began = time.perf_counter()
        client.request(method, path, body, headers)
        answer = client.getresponse()
        answer.read()
        if answer.status in (200, 201):
            taken.append(time.perf_counter() - began)
        pause.wait(max(0.0, 1 / _ASKED_A_SECOND - (time.perf_counter() - began)))
    client.close()


def _one_prediction(site: Site) -> str:
    client = http.client.HTTPConnection(site.url[7:], timeout=60)
    try:
        while True:
            client.request("POST", "/api/predict", photo_of_a_cat(), {"Content-Type": "image/jpeg"})
            answer = json.loads(client.getresponse().read())
            if "id" in answer:
                return str(answer["id"])
    finally:
        client.close()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10, help="of each load (default: 10)")
    parser.add_argument("--times", type=float, default=10, help="the load (default: 10)")
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES)
    parser.add_argument("--write", type=Path, help="put the table between marks in this file, too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
