"""manage.py classify beside the bare loop, and on a cluster: `python -m benchmarks.bulk`.

All answer the same photos of 500 × 375 pixels on all cores, in turns: the bare loop, on threads and
on processes, from memory; `ml.bulk` from files to a file of rows; two Dask workers on this machine.
A share is of the faster loop: the median of what it was in each round. At last the command itself
is given a list of a million files that are not there, which leaves nothing but its own work, to see
its pace and its memory.
"""

import os

# As manage.py does; read when NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.bare import WAYS, bare_loop
from benchmarks.machine import as_sentence, machine
from benchmarks.marked import write_between
from benchmarks.photos import Upload, uploads
from ml import bulk
from ml.bulk_paths import Photos, Seen
from ml.inference import OnnxEngine
from ml.rows import Limits

_ROOT = Path(__file__).resolve().parents[1]
_ROUNDS = 3
# Runs a command of Python's and prints the kilobytes that it had in memory at most.
_PEAK = """
import resource, subprocess, sys
subprocess.run([sys.executable, *sys.argv[1:]], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=2000, help="in a round")
    parser.add_argument("--listed", type=int, default=1_000_000, help="names in the list")
    parser.add_argument("--model", type=Path, default=_ROOT / "models" / "2026-11-26.1")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table there")
    options = parser.parse_args()
    data = Path(os.environ.get("CATSDOGS_DATA", "data/raw"))
    shown = uploads("jpeg", _ROOT / "var" / "bench" / "photos", data if data.is_dir() else None)
    with tempfile.TemporaryDirectory(prefix="catsdogs-bulk-") as place:
        table = "\n".join(_measure(options, shown, Path(place)))
    print(table)
    if options.write:
        write_between(options.write, "bulk", table)


def _measure(options: argparse.Namespace, shown: list[Upload], place: Path) -> Iterator[str]:
    photos, engine = place / "photos", OnnxEngine(options.model)
    photos.mkdir()
    for number in range(options.photos):
        (photos / f"{number:07}.jpg").write_bytes(shown[number % len(shown)].whole(number))
    paces: dict[str, list[float]] = {}
    with ExitStack() as stack:
        loops = {
            way: stack.enter_context(bare_loop(way, options.model, shown, place)) for way in WAYS
        }
        address = stack.enter_context(_cluster())
        for _ in range(_ROUNDS):
            for way, loop in loops.items():
                pace = loop.run(options.photos, 600)
                paces.setdefault(f"the bare loop, {way}", []).append(pace.photos / pace.seconds)
            for ending in bulk.ENDINGS:
                way = f"`classify`, to `{ending}`"
                ask = bulk.on_this_machine(engine, Limits())
                paces.setdefault(way, []).append(_pace(photos, ending, engine, ask))
            way = "`classify --cluster`, two workers of one thread, to `.jsonl`"
            with bulk.on_cluster(
                address, options.model, engine.card, Limits(), [photos], print
            ) as ask:
                paces.setdefault(way, []).append(_pace(photos, ".jsonl", engine, ask))
    yield (
        f"`python -m benchmarks.bulk --write docs/scaling.md`; medians of {_ROUNDS} rounds of "
        f"{options.photos:,} photos in turns; version {engine.card.version}; "
        f"{as_sentence(machine())}."
    )
    yield "\n| | photos a second | of the bare loop |\n| --- | --- | --- |"
    loops_paces = [found for way, found in paces.items() if way.startswith("the bare loop")]
    limit = max(loops_paces, key=statistics.median)
    for way, found in paces.items():
        shares = [pace / bare for pace, bare in zip(found, limit, strict=True)]
        spread = f"{min(found):.0f} to {max(found):.0f}"
        middle = statistics.median(found)
        yield f"| {way} | {middle:.0f} ({spread}) | {statistics.median(shares):.0%} |"
    seconds, megabytes = _without_photos(options, photos, place)
    yield (
        f"\nA list of {options.listed:,} files that are not there, to `.csv`: "
        f"{options.listed / seconds:,.0f} rows a second, {megabytes:.0f} MB of memory at most."
    )


def _pace(photos: Path, ending: str, engine: OnnxEngine, ask: bulk.Asker) -> float:
    output, tally = photos.with_name(f"rows{ending}"), bulk.Tally()
    started = time.perf_counter()
    sheet = bulk.open_sheet(output, engine.card.labels, overwrite=True)
    with Seen() as seen:
        found = Photos([photos], (), seen)
        bulk.classify(found, sheet, ask, version=engine.card.version, seen=seen, tally=tally)
    sheet.close()
    assert tally.photos == tally.answers.total() > 0
    return tally.photos / (time.perf_counter() - started)


@contextmanager
def _cluster() -> Iterator[str]:
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster.scheduler_address


def _without_photos(options: argparse.Namespace, photos: Path, place: Path) -> tuple[float, float]:
    """Seconds and megabytes of the command where nearly no photo can be read."""
    with (place / "list.txt").open("w") as file:
        file.write(f"{next(photos.iterdir())}\n")
        file.writelines(f"{place}/missing/{number}.jpg\n" for number in range(options.listed - 1))
    command = ["manage.py", "classify", "--from", place / "list.txt"]
    command += ["--model", options.model.name, "--output", place / "listed.csv"]
    started = time.perf_counter()
    # By a small process: what this one has in memory would count as the command's.
    told = subprocess.run(
        [sys.executable, "-c", _PEAK, *command], cwd=_ROOT, stdout=subprocess.PIPE, check=True
    )
    return time.perf_counter() - started, int(told.stdout) / 1000


if __name__ == "__main__":
    main()
