"""Damage photos by chance, a million times, and see that each is answered or refused.

    nice -n 15 python -m benchmarks.fuzzing --inputs 1000000 [--seconds 3600] [--to FILE]

Input number n is always the same (`tests.mutants.mutant(n)`), one in 5,000 is a HEIC. They are
decoded in a process of its own: if it dies or hangs, that is noted with the number, and the next
one goes on behind it. With `--to`, figures are kept in FILE every few seconds, and a run that was
cut short goes on where it was. Exit status 1 if anything crashed, hung or raised what it must not.
"""

import argparse
import json
import multiprocessing
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from ml.photos import PhotoError, decode_photo
from tests.mutants import HEICS, corpus, mutant

_CODES = {"empty_file", "unsupported_format", "broken_image", "too_many_pixels"}
_HEIC_EVERY = 5_000
_REPORT_EVERY = 500
# Seconds without progress after which a process hangs for good, however busy the machine is.
_HANGS = 60


@dataclass
class Tally:
    """What came of the inputs so far.

    Attributes:
        inputs: How many were decoded or refused; the number of the next one.
        heic: How many of them were a damaged HEIC.
        seconds: Of processor time, children included.
        outcomes: How many were answered, and how many refused with which code.
        failures: Number of an input and what went wrong.
        slowest_ms: Processor time of the slowest input, but for HEIC.
        slowest: Its number.
        slowest_heic_ms: The same of a HEIC, most of it a process's start.
        extra_mb: Most memory taken beyond what the corpus itself takes.
        heic_mb: Most memory taken by a HEIC's own process.
    """

    inputs: int = 0
    heic: int = 0
    seconds: float = 0.0
    outcomes: dict[str, int] = field(default_factory=dict)
    failures: list[tuple[int, str]] = field(default_factory=list)
    slowest_ms: float = 0.0
    slowest: int = 0
    slowest_heic_ms: float = 0.0
    extra_mb: float = 0.0
    heic_mb: float = 0.0

    def add(self, other: "Tally") -> None:
        self.inputs = other.inputs
        self.heic += other.heic
        self.seconds += other.seconds
        self.outcomes = dict(Counter(self.outcomes) + Counter(other.outcomes))
        self.failures += other.failures
        if other.slowest_ms > self.slowest_ms:
            self.slowest_ms, self.slowest = other.slowest_ms, other.slowest
        for name in ("slowest_heic_ms", "extra_mb", "heic_mb"):
            setattr(self, name, max(getattr(self, name), getattr(other, name)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=1_000_000, help="in all (default: 1000000)")
    parser.add_argument("--seconds", type=float, default=3600, help="stop then (default: 3600)")
    parser.add_argument("--to", type=Path, metavar="FILE", help="keep figures there, and go on")
    options = parser.parse_args()
    tally = Tally()
    if options.to and options.to.exists():
        tally = Tally(**json.loads(options.to.read_text(encoding="utf-8")))
    stop_at = time.monotonic() + options.seconds
    while tally.inputs < options.inputs and time.monotonic() < stop_at:
        for part in one_process(tally.inputs, options.inputs, stop_at):
            tally.add(part)
            if options.to:
                _write(options.to, tally)
    print(json.dumps(asdict(tally), indent=2))
    return 1 if tally.failures else 0


def _write(path: Path, tally: Tally) -> None:
    """Whole or not at all."""
    beside = path.with_name(path.name + ".part")
    beside.write_text(json.dumps(asdict(tally), indent=2) + "\n", encoding="utf-8")
    beside.replace(path)


def one_process(
    first: int, last: int, stop_at: float, work: Callable[..., None] | None = None
) -> Iterator[Tally]:
    """Decode inputs from `first` on in a process of its own, until it ends or dies."""
    context = multiprocessing.get_context("spawn")
    reports, sender = context.Pipe(duplex=False)
    current = context.Value("q", first)
    child = context.Process(target=work or decode_many, args=(first, last, current, sender))
    child.start()
    sender.close()
    seen, moved = -1, time.monotonic()
    why = f"made no progress for {_HANGS} seconds"
    while time.monotonic() < moved + _HANGS:
        try:
            if reports.poll(1):
                yield reports.recv()
        except EOFError:
            child.join()
            why = f"died with exit status {child.exitcode}"
            break
        if time.monotonic() > stop_at:
            why = ""
            break
        if current.value != seen:
            seen, moved = current.value, time.monotonic()
    if child.is_alive():
        child.kill()
        child.join()
    if why and child.exitcode:
        yield Tally(inputs=current.value + 1, failures=[(current.value, why)])


def decode_many(first: int, last: int, current: "Synchronized[int]", reports: Connection) -> None:
    """The child: a tally every few hundred inputs."""
    for data in (*corpus().values(), *HEICS.values()):
        decode_photo(data)
    before = peak_mb(resource.RUSAGE_SELF)
    tally = Tally()
    for number in range(first, last):
        current.value = number
        decode_one(number, tally)
        if tally.inputs % _REPORT_EVERY == 0 or tally.inputs == last:
            tally.extra_mb = peak_mb(resource.RUSAGE_SELF) - before
            tally.heic_mb = peak_mb(resource.RUSAGE_CHILDREN)
            reports.send(tally)
            tally = Tally()


def decode_one(number: int, tally: Tally) -> None:
    """Decode one input and count what came of it."""
    is_heic = number % _HEIC_EVERY == 0
    data = mutant(number, list(HEICS.values()) if is_heic else None)
    started = processor_seconds()
    try:
        outcome = _outcome(data)
    except Exception as error:  # noqa: BLE001  this is what is looked for
        outcome = "failed"
        tally.failures.append((number, repr(error)))
    taken = processor_seconds() - started
    tally.inputs = number + 1
    tally.heic += is_heic
    tally.seconds += taken
    tally.outcomes[outcome] = tally.outcomes.get(outcome, 0) + 1
    if is_heic:
        tally.slowest_heic_ms = max(tally.slowest_heic_ms, taken * 1000)
    elif taken * 1000 > tally.slowest_ms:
        tally.slowest_ms, tally.slowest = taken * 1000, number


def _outcome(data: bytes) -> str:
    try:
        photo = decode_photo(data)
    except PhotoError as error:
        assert error.code in _CODES, error.code
        return error.code
    assert photo.pixels.dtype == "uint8", photo.pixels.dtype
    assert photo.pixels.ndim == 3 and photo.pixels.shape[2] == 3, photo.pixels.shape
    return "answered"


def processor_seconds() -> float:
    """Of this process and of the children that it waited for."""
    times = os.times()
    return time.process_time() + times.children_user + times.children_system


def peak_mb(who: int) -> float:
    peak = resource.getrusage(who).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


if __name__ == "__main__":
    sys.exit(main())
