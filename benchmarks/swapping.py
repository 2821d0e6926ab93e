"""Swap versions under the load of many clients: does a request fail, and how long do they wait?

    python -m benchmarks.swapping [--photos DIR] [--database URL] [--rounds 5] [--to FILE]

Starts the real server on a free port of this machine, in a temporary folder with two copies of the
newest version. In turns, so that a machine that slows down slows both: some seconds of load, then
some seconds of load with a promotion and a rollback in their midst. PostgreSQL: name an empty
database, it is filled. Exit status 0 if no request failed and every swap was followed within 5 s.
"""

import argparse
import contextlib
import http.client
import json
import math
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.site import in_production, running_site
from ml.registry import list_versions, load_card, save_version

ROOT = Path(__file__).resolve().parents[1]
FIRST, SECOND = "first", "second"
# What a server may take to follow, in seconds.
FOLLOWED_WITHIN = 5.0


@dataclass(frozen=True)
class Asked:
    """One request, by the clock of `time.perf_counter`.

    Attributes:
        began: When it was sent.
        ended: When the whole answer was there.
        version: The one that answered; empty if it failed.
        problem: Why it failed; empty if it did not.
    """

    began: float
    ended: float
    version: str
    problem: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, help="a folder of JPEGs; default: drawn ones")
    parser.add_argument("--database", help="default: an SQLite file of its own")
    parser.add_argument("--rounds", type=int, default=5, help="two swaps each (default: 5)")
    parser.add_argument("--seconds", type=float, default=12, help="of each part (default: 12)")
    parser.add_argument("--workers", type=int, default=1, help="processes that answer (default: 1)")
    parser.add_argument("--clients", type=int, default=8, help="at the same time (default: 8)")
    parser.add_argument("--to", type=Path, help="write the figures there, as JSON")
    options = parser.parse_args()
    photos = list(_photos(options.photos))
    with (
        tempfile.TemporaryDirectory(prefix="catsdogs-swapping-") as place,
        _site(Path(place), options.database, options.workers) as port,
        _clients(port, photos, options.clients) as asked,
    ):
        quiet, swapping, swaps = _rounds(asked, options.rounds, options.seconds)
    figures = {
        "clients": options.clients,
        "workers": options.workers,
        "quiet": _figures(quiet),
        "swapping": _figures(swapping),
        "swaps_followed_after_s": [round(seconds, 2) for seconds in swaps],
    }
    _say(figures)
    if options.to:
        options.to.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    failed = figures["quiet"]["failed"] + figures["swapping"]["failed"]
    return 1 if failed or max(swaps) > FOLLOWED_WITHIN else 0


def _rounds(
    asked: list[Asked], rounds: int, seconds: float
) -> tuple[list[Asked], list[Asked], list[float]]:
    """Load without and with swaps, in turns: the requests of both, and how fast each swap was."""
    from classifier.promoting import promote_version, roll_back_version

    changes = (lambda: promote_version(SECOND, by="bench"), lambda: roll_back_version(by="bench"))
    quiet: list[Asked] = []
    swapping: list[Asked] = []
    swaps: list[float] = []
    time.sleep(seconds / 2)  # what is measured begins with everything warm
    for _ in range(rounds):
        quiet += _during(asked, seconds)
        for change in changes:
            version = str(change())
            committed = time.perf_counter()
            part = _during(asked, seconds / len(changes))
            swaps.append(_followed(part, version, committed))
            swapping += part
    return quiet, swapping, swaps


def _during(asked: list[Asked], seconds: float) -> list[Asked]:
    """The requests that end within the next seconds."""
    first = len(asked)
    time.sleep(seconds)
    return asked[first:]


def _followed(part: Sequence[Asked], version: str, committed: float) -> float:
    """Seconds after which no request was answered by another version than this one."""
    late = [each.began - committed for each in part if each.version not in (version, "")]
    return max(late, default=0.0) if part[-1].version == version else math.inf


@contextlib.contextmanager
def _site(place: Path, database: str | None, workers: int) -> Iterator[int]:
    """A site with two versions; this process's Django works on it too. Gives its port."""
    newest = ROOT / "models" / list_versions(ROOT / "models")[-1]
    card = load_card(newest)
    files = {name: (newest / name).read_bytes() for name in card.files}
    for name in (FIRST, SECOND):
        save_version(place / "models", replace(card, version=name), files)
    settings = in_production(workers=workers)
    with running_site(place / "var", place / "models", database=database, **settings) as site:
        os.environ.update(site.environment)
        import django

        django.setup()
        from classifier.promoting import promote_version

        promote_version(FIRST, by="bench")
        yield int(site.environment["PORT"])


@contextlib.contextmanager
def _clients(port: int, photos: Sequence[bytes], number: int) -> Iterator[list[Asked]]:
    """Clients that ask one after the other, all the time; their requests, in order of ending."""
    asked: list[Asked] = []
    stop = threading.Event()

    def ask_on(first: int) -> None:
        with contextlib.closing(_connection(port)) as connection:
            for i in range(first, sys.maxsize, number):
                if stop.is_set():
                    return
                asked.append(_ask(connection, photos[i % len(photos)]))

    threads = [threading.Thread(target=ask_on, args=(first,)) for first in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _ask(connection: http.client.HTTPConnection, photo: bytes) -> Asked:
    began = time.perf_counter()
    try:
        connection.request("POST", "/api/predict", photo, {"Content-Type": "image/jpeg"})
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()  # the next request opens it again
        return Asked(began, time.perf_counter(), "", repr(error))
    ended = time.perf_counter()
    if response.status != 201:
        return Asked(began, ended, "", f"{response.status} {body[:200]!r}")
    return Asked(began, ended, json.loads(body)["model"]["version"])


def _connection(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=30)


def _photos(folder: Path | None) -> Iterator[bytes]:
    if folder:
        found = sorted(folder.rglob("*.jpg"))[:200]
        if not found:
            sys.exit(f"There is no .jpg under {folder}.")
        yield from (path.read_bytes() for path in found)
        return
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as place:
        for i in range(20):
            coarse = Image.fromarray(random.integers(0, 256, (12, 16, 3), np.uint8))
            coarse.resize((640, 480), Image.Resampling.BICUBIC).save(path := f"{place}/{i}.jpg")
            yield Path(path).read_bytes()


def _figures(asked: Sequence[Asked]) -> dict[str, Any]:
    times = np.array([each.ended - each.began for each in asked if not each.problem]) * 1000
    p50, p95, p99 = np.percentile(times, [50, 95, 99])
    return {
        "requests": len(asked),
        "failed": sum(bool(each.problem) for each in asked),
        "problems": sorted({each.problem for each in asked if each.problem})[:5],
        "p50_ms": round(p50, 1),
        "p95_ms": round(p95, 1),
        "p99_ms": round(p99, 1),
        "longest_ms": round(times.max(), 1),
    }


def _say(figures: dict[str, Any]) -> None:
    print(f"\n| {figures['clients']} clients | requests | failed | p50 | p95 | p99 | longest |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in ("quiet", "swapping"):
        row = figures[name]
        times = (f"{row[key]} ms" for key in ("p50_ms", "p95_ms", "p99_ms", "longest_ms"))
        print(f"| {name} | {row['requests']} | {row['failed']} | {' | '.join(times)} |")
    ratio = figures["swapping"]["p99_ms"] / figures["quiet"]["p99_ms"]
    swaps = figures["swaps_followed_after_s"]
    print(f"\n{len(swaps)} swaps, followed after {min(swaps)} to {max(swaps)} s; p99 × {ratio:.2f}")
    print(json.dumps(figures))


if __name__ == "__main__":
    sys.exit(main())
