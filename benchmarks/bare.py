"""The limit: decode and ask the network in a loop on all cores, with no server around it.

It works in a process of its own, `python -m benchmarks.bare`, that waits between rounds;
`bare_loop` starts it. `threads` share one engine, `processes` have one each; the faster way is the
yardstick.
"""

import argparse
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.photos import Upload
from benchmarks.processes import cpu_seconds
from ml.inference import OnnxEngine
from ml.photos import decode_photo

WAYS = ("threads", "processes")
_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Pace:
    """What a round of the loop showed.

    Attributes:
        photos: How many were answered.
        seconds: Wall time.
        cpu: Seconds of CPU, of all its processes.
    """

    photos: int
    seconds: float
    cpu: float


class Bare:
    """The loop in a process of its own, which reads a line a round and answers with another."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process
        self.run(1, 60)  # until it has loaded all

    def run(self, photos: int, seconds: float) -> Pace:
        """One round: `photos` of the list in turn, from its first; it ends after `seconds`."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin and stdout
        before = cpu_seconds(self.process.pid)
        stdin.write(f"{photos} {seconds}\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise RuntimeError("The bare loop has ended: see above.")
        return Pace(**json.loads(line), cpu=cpu_seconds(self.process.pid) - before)


@contextmanager
def bare_loop(way: str, model: Path, photos: Sequence[Upload], place: Path) -> Iterator[Bare]:
    """Start the loop on a version's folder and some photos; `place` takes a file of these."""
    packed = place / "bare-photos.pickle"
    packed.write_bytes(pickle.dumps([each.whole() for each in photos]))
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bare", way, model, packed],
        cwd=_ROOT,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:  # which closes its input: it ends by itself
        yield Bare(process)


@dataclass(frozen=True)
class _Round:
    """What workers share, whether they are threads or processes.

    Attributes:
        next: The number of the next photo.
        last: Where to stop.
        until: When to stop, by `time.monotonic`.
        begin, end: Passed by all workers and the one who counts.
    """

    next: Any
    last: Any
    until: Any
    begin: Any
    end: Any


def _work(share: _Round, packed: Path, engine: OnnxEngine | Path) -> None:
    photos = pickle.loads(packed.read_bytes())  # noqa: S301  bare_loop wrote it
    if isinstance(engine, Path):
        engine = OnnxEngine(engine)
    engine.warm_up()
    while True:
        share.begin.wait()
        while (number := _take(share)) is not None:
            engine.predict(decode_photo(photos[number % len(photos)]).pixels)
        share.end.wait()


def _take(share: _Round) -> int | None:
    with share.next.get_lock():
        number: int = share.next.value
        if number >= share.last.value or time.monotonic() > share.until.value:
            return None
        share.next.value += 1
        return number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("model", type=Path, help="a version's folder")
    parser.add_argument("photos", type=Path, help="as bare_loop writes them")
    options = parser.parse_args()
    cores, context = os.cpu_count() or 1, multiprocessing.get_context("spawn")
    numbers = (context.Value("q", 0), context.Value("q", 0), context.Value("d", 0.0))
    share = _Round(*numbers, context.Barrier(cores + 1), context.Barrier(cores + 1))
    engine = OnnxEngine(options.model) if options.way == "threads" else options.model
    kind = threading.Thread if options.way == "threads" else context.Process
    for _ in range(cores):
        kind(target=_work, args=(share, options.photos, engine), daemon=True).start()
    for line in sys.stdin:
        photos, seconds = line.split()
        print(json.dumps(_round(share, int(photos), float(seconds))), flush=True)


def _round(share: _Round, photos: int, seconds: float) -> dict[str, float]:
    share.next.value, share.last.value = 0, photos
    share.until.value = time.monotonic() + seconds
    share.begin.wait()
    started = time.perf_counter()
    share.end.wait()
    return {"photos": share.next.value, "seconds": time.perf_counter() - started}


if __name__ == "__main__":
    main()
