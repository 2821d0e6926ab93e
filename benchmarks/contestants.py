"""Who is measured, in the same words for all: the bare loop, this site, and its peers.

A contestant answers the same photos in the same order as the others; what a round showed is a
`Round`, whoever ran it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.bare import Bare
from benchmarks.clients import Heard, ask
from benchmarks.photos import Upload
from benchmarks.processes import all_memory_mb, cpu_seconds


@dataclass(frozen=True)
class Load:
    """What a round asks.

    Attributes:
        kind: Of photos, see `benchmarks.photos.KINDS`.
        clients: Connections at the same time.
        body: How they send a photo, see `benchmarks.clients.BODIES`.
        photos: How many are sent.
        seconds: No photo is sent after so long.
    """

    kind: str
    clients: int
    body: str
    photos: int
    seconds: float


@dataclass(frozen=True)
class Round:
    """What a contestant did in a round; CPU and latencies in milliseconds, memory in MB.

    Attributes:
        rate: Photos a second.
        cpu: Of the contestant's processes, for a photo.
        database_cpu: Of its database, for a photo; None where it has none of its own.
        client_cpu: Of the clients, for a photo; None for the bare loop, which has none.
        latencies: p50, p95 and p99; None for the bare loop.
        memory: Of all its processes at the end.
        statuses: How often each status came.
        dropped: Connections that ended without an answer.
    """

    rate: float
    cpu: float
    database_cpu: float | None = None
    client_cpu: float | None = None
    latencies: tuple[float, float, float] | None = None
    memory: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    dropped: int = 0


@dataclass(frozen=True)
class Contestant:
    """Someone who answers photos.

    Attributes:
        name: As it stands in tables.
        run: One round.
    """

    name: str
    run: Callable[[Load], Round]


def the_loop(name: str, loop_for: Callable[[str], Bare]) -> Contestant:
    """The bare loop. `loop_for` gives it for a kind of photos."""

    def run(load: Load) -> Round:
        loop = loop_for(load.kind)
        pace = loop.run(load.photos, load.seconds)
        cpu = pace.cpu / pace.photos * 1000
        memory = all_memory_mb(loop.process.pid)
        return Round(pace.photos / pace.seconds, cpu, memory=memory)

    return Contestant(name, run)


class Served:
    """A server that is asked by HTTP.

    Args:
        name: As it stands in tables.
        url: Where photos are posted to.
        pid: Of its first process.
        photos_for: Gives the photos of a kind.
        database_pid: Of its database's first process, where that is not the server's own.
    """

    def __init__(
        self,
        name: str,
        url: str,
        pid: int,
        photos_for: Callable[[str], Sequence[Upload]],
        database_pid: int | None = None,
    ) -> None:
        self.acknowledged: list[str] = []
        self.name, self._url, self._pid = name, url, pid
        self._photos_for, self._database_pid = photos_for, database_pid

    def contestant(self) -> Contestant:
        """It, as one of many."""
        return Contestant(self.name, self.run)

    def run(self, load: Load) -> Round:
        """One round."""
        photos = self._photos_for(load.kind)
        before = self._cpu()
        heard = ask(
            self._url,
            photos,
            clients=load.clients,
            number=load.photos,
            seconds=load.seconds,
            body=load.body,
        )
        server, database = (now - then for now, then in zip(self._cpu(), before, strict=True))
        self.acknowledged += heard.ids
        if not heard.photos:
            raise RuntimeError(f"{self.name} answered no photo: {heard.problems}")
        return self._round(heard, server, database)

    def _round(self, heard: Heard, server: float, database: float) -> Round:
        for_a_photo = 1000 / heard.photos
        p50, p95, p99 = np.percentile(heard.latencies, [50, 95, 99]) * 1000
        return Round(
            rate=heard.photos / heard.seconds,
            cpu=server * for_a_photo,
            database_cpu=database * for_a_photo if self._database_pid else None,
            client_cpu=heard.cpu * for_a_photo,
            latencies=(float(p50), float(p95), float(p99)),
            memory=all_memory_mb(self._pid),
            statuses=dict(heard.statuses),
            dropped=heard.dropped,
        )

    def _cpu(self) -> tuple[float, float]:
        database = cpu_seconds(self._database_pid) if self._database_pid else 0.0
        return cpu_seconds(self._pid), database
