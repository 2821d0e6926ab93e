"""Photos a second, through the whole server and without it: what does serving cost?

    python -m benchmarks.serving --quick

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
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.arena import PLACE, Arena
from benchmarks.contestants import Contestant, Load, Round
from benchmarks.machine import machine
from benchmarks.serving_table import Row, as_table, summed_up

# Seconds that a contestant may take for a round; who is slower answers fewer photos.
_LONGEST = 12.0
_DATABASES = ("postgresql", "sqlite")


def main() -> int:
    options = _options()
    # Whoever stops us stops what we started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with Arena(options.data, options.version) as arena:
        ways = arena.faster_way(100 if options.quick else 400)
        contestants = [arena.loop(next(iter(ways)))]
        contestants += [arena.site(database) for database in options.databases]
        rows = list(_measured(contestants, _loads(options), options.rounds))
        problems = arena.problems()
    figures = {"machine": machine(), "ways": ways, "rows": [asdict(row) for row in rows]}
    to = options.to or PLACE / ("serving-quick.json" if options.quick else "serving.json")
    to.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print("\n".join(f"The bare loop on {way}: {rate:.1f} photos/s" for way, rate in ways.items()))
    print(f"\n{as_table(rows)}\n\nWritten to {to}")
    problems += [f"{row.name}: {row.statuses}" for row in rows if row.unforeseen]
    print("\n".join(problems))
    return 1 if problems else 0


def _loads(options: argparse.Namespace) -> Iterator[Load]:
    for clients in options.clients:
        for body in options.bodies:
            yield Load(options.kind, clients, body, options.photos, _LONGEST)


def _measured(
    contestants: Sequence[Contestant], loads: Iterator[Load], rounds: int
) -> Iterator[Row]:
    """A row for each load and contestant; the first contestant is the yardstick."""
    for load in loads:
        for contestant in contestants:  # warm-up, left out
            contestant.run(Load(load.kind, load.clients, load.body, max(8, load.clients), 5))
        done: list[list[Round]] = []
        for number in range(rounds):
            done.append([contestant.run(load) for contestant in contestants])
            _progress(load, number, rounds, done[-1])
        names = [contestant.name for contestant in contestants]
        yield from summed_up(load, names, done)


def _progress(load: Load, number: int, rounds: int, done: Sequence[Round]) -> None:
    rates = ", ".join(f"{each.rate:.1f}" for each in done)
    what = f"{load.kind}, {load.clients} clients, {load.body}"
    print(f"{what}: round {number + 1} of {rounds}: {rates} photos/s", file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = os.environ.get("CATSDOGS_DATA")
    parser.add_argument("--data", type=Path, default=data and Path(data), help="real photos")
    parser.add_argument("--version", help="the one that answers (default: the newest)")
    parser.add_argument("--quick", action="store_true", help="two minutes: PostgreSQL only")
    parser.add_argument("--databases", nargs="+", choices=_DATABASES)
    parser.add_argument("--clients", nargs="+", type=int)
    parser.add_argument("--bodies", nargs="+", choices=("raw", "form"))
    parser.add_argument("--kind", default="jpeg", help="of photos")
    parser.add_argument("--photos", type=int, help="of a round")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--to", type=Path, help="write the figures there, as JSON")
    options = parser.parse_args()
    quick = options.quick
    options.databases = options.databases or list(_DATABASES[: 1 if quick else 2])
    options.clients = options.clients or ([8, 32] if quick else [1, 8, 32, 128])
    options.bodies = options.bodies or ["raw"]
    options.photos = options.photos or (300 if quick else 600)
    options.rounds = options.rounds or (3 if quick else 5)
    return options


if __name__ == "__main__":
    sys.exit(main())
