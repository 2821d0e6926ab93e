"""Photos a second, through the whole server and without it: what does serving cost?

    python -m benchmarks.serving --quick
    python -m benchmarks.serving --peers all --write docs/performance.md

The bare loop (decode, ask the network, on all cores) is the limit. It and the servers answer the
same photos in turns, so that a machine that slows down slows all; medians are kept, and the ratio
to the loop of each round. Servers and their PostgreSQL are started here, on loopback, and stopped
at the end. Exit status 0 if every acknowledged prediction is stored and no answer was unforeseen.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.arena import PLACE, Arena
from benchmarks.contestants import Contestant, Load, Round
from benchmarks.machine import as_sentence, machine
from benchmarks.marked import write_between
from benchmarks.peering import BEST, PEERS
from benchmarks.photos import KINDS
from benchmarks.serving_table import Row, as_table, summed_up
from benchmarks.serving_targets import as_list, targets

# Seconds that a contestant may take for a round; who is slower answers fewer photos.
_LONGEST = 8.0
_DATABASES = ("postgresql", "sqlite")
# How many photos of a round are of each kind, by what one costs: rounds take about as long.
_SHARES = {"jpeg": 1.0, "png": 0.6, "large": 0.15, "heic": 0.04}


def main() -> int:
    options = _options()
    # Whoever stops us stops what we started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with Arena(options.data, options.version) as arena:
        ways = arena.faster_way(options.photos // 3)
        rows = list(_rows(arena, next(iter(ways)), options))
        problems = arena.problems()
    problems += [f"{row.name}: {row.statuses}, {row.dropped} dropped" for row in rows if row.bad]
    _write(rows, ways, options)
    print("\n".join(problems) or "Every acknowledged prediction is stored, each exactly once.")
    return 1 if problems else 0


def _rows(arena: Arena, way: str, options: argparse.Namespace) -> Iterator[Row]:
    """First the sites under all loads, then the peers beside the first site, under two."""
    loop = arena.loop(way)
    sites = [arena.site(database) for database in options.databases]
    if options.rows:
        sites.append(arena.site("postgresql", options.rows))
    yield from _measured([loop, *sites], _loads(options), options.rounds)
    if options.single:
        load = _load(options, "jpeg", os.cpu_count() or 1, "raw")
        yield from _measured([loop, arena.single_loop(way)], [load], options.rounds)
    if options.peers:
        peers = [arena.peer(key) for key in options.peers]
        if options.single:
            peers.append(arena.peer(BEST, single=True))
        loads = [_load(options, "jpeg", clients, "form") for clients in (8, 32)]
        yield from _measured([loop, sites[0], *peers], loads, options.rounds)


def _loads(options: argparse.Namespace) -> Iterator[Load]:
    """Every number of clients with small JPEGs; forms and other kinds of photos with eight."""
    for clients in options.clients:
        yield _load(options, "jpeg", clients, "raw")
    if options.quick:
        return
    if not options.peers:  # beside whom forms are measured anyway
        yield _load(options, "jpeg", 8, "form")
    for kind in options.kinds:
        yield _load(options, kind, 8, "raw")


def _load(options: argparse.Namespace, kind: str, clients: int, body: str) -> Load:
    photos = max(clients, round(options.photos * _SHARES[kind]))
    return Load(kind, clients, body, photos, _LONGEST)


def _measured(
    contestants: Sequence[Contestant], loads: Iterable[Load], rounds: int
) -> Iterator[Row]:
    """A row for each load and contestant; the first contestant is the yardstick."""
    names = [contestant.name for contestant in contestants]
    for load in loads:
        warm = replace(load, photos=max(4, load.clients), seconds=3.0)
        for contestant in contestants:
            contestant.run(warm)  # left out
        done: list[list[Round]] = []
        for number in range(rounds):
            done.append([contestant.run(load) for contestant in contestants])
            _progress(load, number, rounds, done[-1])
        yield from summed_up(load, names, done)


def _progress(load: Load, number: int, rounds: int, done: Sequence[Round]) -> None:
    rates = ", ".join(f"{each.rate:.1f}" for each in done)
    what = f"{load.kind}, {load.clients} clients, {load.body}"
    print(f"{what}: round {number + 1} of {rounds}: {rates} photos/s", file=sys.stderr, flush=True)


def _write(rows: Sequence[Row], ways: dict[str, float], options: argparse.Namespace) -> None:
    """JSON and a table in var/bench, on the screen, and where `--write` says."""
    about = machine()
    figures = {"machine": about, "ways": ways, "rows": [asdict(row) for row in rows]}
    to = PLACE / f"{options.name}.json"
    to.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    photos = "real scenes" if options.data else "drawn scenes"
    pace = " and ".join(f"{rate:.1f} on {way}" for way, rate in ways.items())
    command = f"python -m benchmarks.serving {' '.join(sys.argv[1:])}"
    text = (
        f"`{command.strip()}`; {photos}, {options.rounds} rounds; {as_sentence(about)}.\n"
        f"The bare loop, tried both ways before: {pace} photos/s.\n\n{as_table(rows)}"
        f"\n\n{as_list(list(targets(rows)))}"
    )
    to.with_suffix(".md").write_text(text + "\n", encoding="utf-8")
    print(f"\n{text}\n\nWritten to {to} and {to.with_suffix('.md')}")
    if options.write:
        write_between(options.write, options.name, text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = os.environ.get("CATSDOGS_DATA")
    parser.add_argument("--data", type=Path, default=data and Path(data), help="real photos")
    parser.add_argument("--version", help="the one that answers (default: the newest)")
    parser.add_argument("--quick", action="store_true", help="within two minutes: PostgreSQL only")
    parser.add_argument("--databases", nargs="+", choices=_DATABASES)
    parser.add_argument("--clients", nargs="+", type=int)
    parser.add_argument("--kinds", nargs="*", choices=sorted(KINDS), default=list(_SHARES)[1:])
    parser.add_argument("--peers", nargs="+", choices=("all", *PEERS), default=[])
    parser.add_argument(
        "--single", action="store_true", help="in single precision, too: the loop, and a peer"
    )
    parser.add_argument(
        "--rows", type=int, default=0, help="one more site, which has so many already"
    )
    parser.add_argument("--photos", type=int, help="small JPEGs of a round")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--write", type=Path, help="put the table between marks in this file, too")
    parser.add_argument("--name", help="of these marks, and of the files (default: serving)")
    options = parser.parse_args()
    quick = options.quick
    options.databases = options.databases or list(_DATABASES[: 1 if quick else 2])
    options.clients = options.clients or ([8, 32] if quick else [1, 8, 32, 128])
    options.photos = options.photos or (300 if quick else 400)
    options.rounds = options.rounds or (3 if quick else 5)
    options.name = options.name or ("serving-quick" if quick else "serving")
    if "all" in options.peers:
        options.peers = list(PEERS)
    return options


if __name__ == "__main__":
    sys.exit(main())
