"""What happens at ten times the load: who is answered, who is turned away, who notices nothing.

    python -m benchmarks.overload [--seconds 10] [--times 10] [--database URL] [--to FILE]

Starts the real server on a free port of this machine and drives it from a process of its own: as
fast as it answers eight clients, then at that rate many times over, whether it keeps up or not.
Meanwhile somebody asks ten times a second each for /healthz, /metrics and the page, and gives
feedback. Exit status 0 if every request got its answer and nothing but photos was turned away.
"""

import argparse
import asyncio
import http.client
import io
import json
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.site import Site, running_site

MODELS = Path(__file__).resolve().parents[1] / "models"
_CLIENTS = 8
_ASKED_A_SECOND = 10
# More connections than that are not opened: a server that lets them pile up is seen all the same.
_MOST_CONNECTIONS = 900
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10, help="of each load (default: 10)")
    parser.add_argument("--times", type=float, default=10, help="the load (default: 10)")
    parser.add_argument("--database", metavar="URL", help="PostgreSQL's; else SQLite")
    parser.add_argument("--to", type=Path, metavar="FILE", help="write the figures there, as JSON")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="catsdogs-overload-") as folder,
        running_site(Path(folder), MODELS, database=options.database) as site,
    ):
        phases = measure(site, options.seconds, options.times)
    print(as_table(phases))
    if options.to:
        options.to.write_text(json.dumps([asdict(phase) for phase in phases], indent=2) + "\n")
    return 0 if all(is_in_order(phase) for phase in phases) else 1


def measure(site: Site, seconds: float, times: float) -> list[Phase]:
    """The load that the server can take, then a multiple of it."""
    run_load(site, "warm-up", None, 2)
    at_capacity = run_load(site, f"{_CLIENTS} clients", None, seconds)
    name = f"{times:g} times the load"
    return [at_capacity, run_load(site, name, times * at_capacity.rate, seconds)]


def run_load(site: Site, name: str, rate: float | None, seconds: float) -> Phase:
    """Send photos for some seconds and ask for other things meanwhile.

    Args:
        site: Where.
        name: Of the load.
        rate: Photos a second; None: as many as are answered to `_CLIENTS` clients.
        seconds: How long.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    load = context.Process(target=_send_load, args=(site.url, drawn_photo(), rate, seconds, there))
    before = _cpu_seconds(site)
    load.start()
    there.close()
    # Many answers do not fit into the pipe: it ends only once they are taken.
    others = _ask_meanwhile(site, here)
    answers: list[tuple[int, float]] = here.recv()
    load.join()
    times = {"answered": _times([took for status, took in answers if status == 201])}
    times["turned away"] = _times([took for status, took in answers if status == 503])
    times |= {what: _times(taken) for what, taken in others.items()}
    statuses: dict[str, int] = {}
    for status, _ in answers:
        statuses[str(status)] = statuses.get(str(status), 0) + 1
    cpu_ms = (_cpu_seconds(site) - before) * 1000 / max(1, len(answers))
    return Phase(name, len(answers) / seconds, times, statuses, round(cpu_ms, 2))


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


def drawn_photo() -> bytes:
    """A JPEG of about 30 KB with the noise of a camera."""
    chance = np.random.default_rng(6)
    small = Image.fromarray(chance.integers(0, 255, (12, 16, 3), dtype=np.uint8))
    smooth = np.asarray(small.resize((500, 375), Image.Resampling.BICUBIC), dtype=np.float64)
    noisy = (smooth + chance.normal(0, 5, smooth.shape)).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noisy).save(file, "JPEG", quality=75)
    return file.getvalue()


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
            client.request("POST", "/api/predict", drawn_photo(), {"Content-Type": "image/jpeg"})
            answer = json.loads(client.getresponse().read())
            if "id" in answer:
                return str(answer["id"])
    finally:
        client.close()


def _send_load(url: str, photo: bytes, rate: float | None, seconds: float, to: Connection) -> None:
    """In a process of its own: send photos, then hand over (status, seconds) of each."""
    to.send(asyncio.run(_Load(url, photo).run(rate, seconds)))


class _Load:
    """Many connections that are kept and used in turns."""

    def __init__(self, url: str, photo: bytes) -> None:
        self._host, port = url[7:].split(":")
        self._port = int(port)
        head = f"POST /api/predict HTTP/1.1\r\nHost: {url[7:]}\r\nContent-Type: image/jpeg\r\n"
        self._request = f"{head}Content-Length: {len(photo)}\r\n\r\n".encode() + photo
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._answers: list[tuple[int, float]] = []

    async def run(self, rate: float | None, seconds: float) -> list[tuple[int, float]]:
        ends = time.perf_counter() + seconds
        if rate is None:
            await asyncio.gather(*(self._again_and_again(ends) for _ in range(_CLIENTS)))
            return self._answers
        asking: set[asyncio.Task[None]] = set()
        due = time.perf_counter()
        while (now := time.perf_counter()) < ends:
            while due <= now and len(asking) < _MOST_CONNECTIONS:
                task = asyncio.create_task(self._ask())
                asking.add(task)
                task.add_done_callback(asking.discard)
                due += 1 / rate
            due = max(due, now - 0.5)  # what could not be sent for half a second is not made up for
            await asyncio.sleep(max(0.0005, due - now))
        await asyncio.gather(*asking)
        return self._answers

    async def _again_and_again(self, ends: float) -> None:
        while time.perf_counter() < ends:
            await self._ask()

    async def _ask(self) -> None:
        began = time.perf_counter()
        status = 0
        try:
            if not self._idle:
                self._idle.append(await asyncio.open_connection(self._host, self._port))
            reader, writer = self._idle.pop()
            writer.write(self._request)
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head[9:12])
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            if b"connection: close" in head.lower():
                writer.close()
            else:
                self._idle.append((reader, writer))
        except (OSError, asyncio.IncompleteReadError, ValueError):
            status = 0
        self._answers.append((status, time.perf_counter() - began))


if __name__ == "__main__":
    sys.exit(main())
