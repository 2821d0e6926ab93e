"""Does serving reach what it should? Each target with what was measured, from the rows of a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.contestants import Load
from benchmarks.peering import BEST, PEERS, in_single_precision
from benchmarks.serving_table import Row

_SITE = "catsdogs, postgresql"
_Mine = dict[Load, Row]


@dataclass(frozen=True)
class Target:
    """One target.

    Attributes:
        text: In words.
        measured: What was measured.
        limit: What it should be.
        at_most: Whether the limit is the largest value, else it is the smallest one.
    """

    text: str
    measured: float
    limit: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.measured <= self.limit if self.at_most else self.measured >= self.limit


def targets(rows: Sequence[Row]) -> Iterator[Target]:
    """The targets that these rows say something about."""
    mine = {row.load: row for row in rows if row.name == _SITE}
    for load, row in mine.items():
        if load.kind == "jpeg" and load.clients in (8, 32):
            what = f"{load.clients} clients, {load.body}"
            yield Target(f"photos/s of the loop's, {what}", row.ratio, 0.92)
            if load.clients == 8 and row.ideal_ratio is not None:
                yield Target(f"p99 of the ideal, {what}", row.ideal_ratio, 1.4, at_most=True)
    yield from _over_clients(mine)
    yield from _beside_peers(rows, mine)
    yield from _with_rows(rows, mine)


def _over_clients(mine: _Mine) -> Iterator[Target]:
    # One client asks for one photo at a time and leaves the other cores idle: it is not counted.
    ratios = {
        load.clients: row.ratio
        for load, row in mine.items()
        if (load.kind, load.body) == ("jpeg", "raw") and load.clients > 1
    }
    if 128 in ratios:
        text = f"least of most photos/s, {min(ratios)} to 128 clients"
        yield Target(text, min(ratios.values()) / max(ratios.values()), 0.9)


def _beside_peers(rows: Sequence[Row], mine: _Mine) -> Iterator[Target]:
    least = {peer.name: 1.0 for peer in PEERS.values()}
    least[PEERS["fastapi-keras"].name] = 9.0
    least[in_single_precision(PEERS[BEST].name)] = 1.3
    for row in rows:
        if row.name not in least or row.load not in mine:
            continue
        text = f"photos/s, of {row.name}, {row.load.clients} clients"
        yield Target(text, mine[row.load].rate / row.rate, least[row.name])


def _with_rows(rows: Sequence[Row], mine: _Mine) -> Iterator[Target]:
    for row in rows:
        if row.name.startswith(f"{_SITE}, ") and row.load in mine:
            text = (
                f"photos/s with {row.name.removeprefix(f'{_SITE}, ')}, {row.load.clients} clients"
            )
            yield Target(text, row.rate / mine[row.load].rate, 0.9)


def as_list(found: Sequence[Target]) -> str:
    """The targets in Markdown."""
    lines = ["| target | | measured | |", "| --- | --- | --- | --- |"]
    for each in found:
        limit = f"{'≤' if each.at_most else '≥'} {each.limit:g}"
        met = "met" if each.met else "**not met**"
        lines.append(f"| {each.text} | {limit} | {each.measured:.2f} | {met} |")
    return "\n".join(lines)
