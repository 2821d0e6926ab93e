"""Sum up what contestants did in their rounds, and set it as a table."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.contestants import Load, Round

# Accepted, or refused with Retry-After, which is honest under load, and which clients obey.
_FORESEEN = {200, 201, 503}
_COLUMNS = (
    *("photos", "clients", "who", "photos/s", "of the loop", "CPU ms", "of the loop's"),
    *("database", "clients' CPU", "p50 ms", "p95 ms", "p99 ms", "of ideal", "MB", "503"),
)


@dataclass(frozen=True)
class Row:
    """A contestant under a load: medians over the rounds. CPU and latencies in milliseconds.

    Attributes:
        load: What was asked.
        name: Of the contestant.
        rate: Photos a second.
        ratio: To the yardstick's rate in the same round.
        cpu: Of the contestant, for a photo.
        cpu_ratio: To the yardstick's.
        database_cpu, client_cpu: For a photo, where there is one.
        latencies: p50, p95, p99.
        ideal_ratio: p99 over the ideal, in which clients share the yardstick's rate evenly.
        memory: In MB.
        statuses: Of all rounds.
        dropped: Connections that ended without an answer, of all rounds.
        rates: Of each round.
        ratios: Of each round.
    """

    load: Load
    name: str
    rate: float
    ratio: float
    cpu: float
    cpu_ratio: float
    database_cpu: float | None
    client_cpu: float | None
    latencies: tuple[float, float, float] | None
    ideal_ratio: float | None
    memory: float
    statuses: dict[int, int]
    dropped: int
    rates: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    @property
    def bad(self) -> bool:
        """Whether something was neither answered nor refused as it should be."""
        return bool(self.dropped or set(self.statuses) - _FORESEEN)


def summed_up(load: Load, names: Sequence[str], done: Sequence[Sequence[Round]]) -> list[Row]:
    """A row for each contestant.

    Args:
        load: What they were asked.
        names: Theirs; the first one is the yardstick.
        done: For each round what each of them did.
    """
    loop = [each[0] for each in done]
    return [_row(load, name, [each[i] for each in done], loop) for i, name in enumerate(names)]


def _row(load: Load, name: str, rounds: Sequence[Round], loop: Sequence[Round]) -> Row:
    pairs = list(zip(rounds, loop, strict=True))
    ratios = [mine.rate / its.rate for mine, its in pairs]
    ideals = [
        mine.latencies[2] / (1000 * load.clients / its.rate)
        for mine, its in pairs
        if mine.latencies
    ]
    statuses: Counter[int] = Counter()
    for each in rounds:
        statuses.update(each.statuses)
    return Row(
        load=load,
        name=name,
        rate=median(each.rate for each in rounds),
        ratio=median(ratios),
        cpu=median(each.cpu for each in rounds),
        cpu_ratio=median(mine.cpu / its.cpu for mine, its in pairs),
        database_cpu=_median([each.database_cpu for each in rounds]),
        client_cpu=_median([each.client_cpu for each in rounds]),
        latencies=_latencies(rounds),
        ideal_ratio=_median(ideals),
        memory=max(each.memory for each in rounds),
        statuses=dict(statuses),
        dropped=sum(each.dropped for each in rounds),
        rates=[each.rate for each in rounds],
        ratios=ratios,
    )


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _latencies(rounds: Sequence[Round]) -> tuple[float, float, float] | None:
    known = [each.latencies for each in rounds if each.latencies]
    if not known:
        return None
    p50, p95, p99 = (median(each[i] for each in known) for i in range(3))
    return p50, p95, p99


def as_table(rows: Sequence[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|" + " --- |" * len(_COLUMNS)]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in rows]
    return "\n".join(lines)


def _cells(row: Row) -> list[str]:
    p50, p95, p99 = row.latencies or (None, None, None)
    return [
        *(f"{row.load.kind}, {row.load.body}", str(row.load.clients), row.name),
        *(f"{row.rate:.1f}", f"{row.ratio:.3f}", f"{row.cpu:.2f}", f"{row.cpu_ratio:.2f} ×"),
        *(_number(row.database_cpu, 2), _number(row.client_cpu, 2)),
        *(_number(p50, 0), _number(p95, 0), _number(p99, 0), _number(row.ideal_ratio, 2)),
        *(f"{row.memory:.0f}", str(row.statuses.get(503, 0) or "")),
    ]


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
