"""Where servers are measured: starts all that takes part, and stops it at the end.

Photos and the peers' environments are kept in var/bench; databases and the like are temporary.
"""

import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import TracebackType

from benchmarks.bare import WAYS, Bare, bare_loop
from benchmarks.contestants import Contestant, Load, Served, the_loop
from benchmarks.peering import PEERS, in_single_precision, running_peer
from benchmarks.photos import Upload, uploads
from benchmarks.postgres import durable_postgres
from benchmarks.rows import compare, stored_ids
from benchmarks.site import in_production, running_site
from ml.registry import list_versions

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "var" / "bench"

_NONE = str(uuid.UUID(int=0))


class Arena:
    """Starts contestants when they are asked for.

    Args:
        data: Real photos, one sub-folder per label; None: drawn ones.
        version: The version that answers; None: the newest one.
    """

    def __init__(self, data: Path | None, version: str | None = None) -> None:
        self.model = ROOT / "models" / (version or list_versions(ROOT / "models")[-1])
        self._data = data
        self._stack = ExitStack()
        self._sites: list[tuple[Served, str]] = []
        self.photos: Callable[[str], Sequence[Upload]] = cache(self._photos)
        self._loop = cache(self._start_loop)
        self._single = cache(self._make_single)

    def __enter__(self) -> "Arena":
        PLACE.mkdir(parents=True, exist_ok=True)
        self._place = Path(self._stack.enter_context(tempfile.TemporaryDirectory(dir=PLACE)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stack.close()

    def loop(self, way: str, name: str = "bare loop", model: Path | None = None) -> Contestant:
        """The bare loop, on threads or processes."""
        return the_loop(name, lambda kind: self._loop(way, kind, model or self.model))

    def faster_way(self, photos: int, rounds: int = 3) -> dict[str, float]:
        """Photos a second of the bare loop each way, the faster one first."""
        load = Load("jpeg", 0, "raw", photos, seconds=60)
        loops = {way: self.loop(way) for way in WAYS}
        rates: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(rounds):
            for way, loop in loops.items():
                rates[way].append(loop.run(load).rate)
        medians = {way: sorted(each)[rounds // 2] for way, each in rates.items()}
        return dict(sorted(medians.items(), key=lambda item: -item[1]))

    def site(self, database: str, rows: int = 0) -> Contestant:
        """This project's site in a folder of its own.

        Args:
            database: `sqlite` or `postgresql`.
            rows: How many made-up predictions PostgreSQL holds before.
        """
        name = f"{database}, {rows:,} rows" if rows else database
        folder = self._place / f"{database}-{rows}"
        url = f"sqlite:///{folder / 'catsdogs.sqlite3'}"
        pid = None
        if database == "postgresql":
            postgres = self._stack.enter_context(durable_postgres())
            url, pid = postgres.url, postgres.pid
            if rows:
                _seed(url, rows)
        settings = in_production()
        site = self._stack.enter_context(
            running_site(folder, self.model.parent, database=url, **settings)
        )
        site.manage("promote_model", self.model.name)
        address = f"{site.url}/api/predict"
        served = Served(f"catsdogs, {name}", address, site.pid, self.photos, pid)
        self._sites.append((served, url))
        return served.contestant()

    def peer(self, key: str, *, single: bool = False) -> Contestant:
        """Another way to serve, one of `benchmarks.peering.PEERS`.

        Args:
            key: Which.
            single: Whether its networks compute in single precision.
        """
        name = in_single_precision(PEERS[key].name) if single else PEERS[key].name
        logs = self._place / (f"{key}-single" if single else key)
        logs.mkdir()
        model = self._single() if single else self.model
        peer = running_peer(key, PLACE / "peers", model, self.photos("jpeg")[0], logs)
        url, pid = self._stack.enter_context(peer)
        return Served(name, url, pid, self.photos).contestant()

    def single_loop(self, way: str) -> Contestant:
        """The bare loop in single precision."""
        return self.loop(way, in_single_precision("bare loop"), self._single())

    def problems(self) -> list[str]:
        """What the databases say against the answers: nothing, if all is well."""
        return [
            f"{served.name}: {problem}"
            for served, url in self._sites
            for problem in compare(
                served.acknowledged, stored_ids(url, min(served.acknowledged, default=_NONE))
            )
        ]

    def _photos(self, kind: str) -> list[Upload]:
        return uploads(kind, PLACE / "photos", self._data)

    def _start_loop(self, way: str, kind: str, model: Path) -> Bare:
        place = self._place / f"loop-{kind}-{way}-{model.name}"
        place.mkdir()
        return self._stack.enter_context(bare_loop(way, model, self.photos(kind), place))

    def _make_single(self) -> Path:
        folder = self._place / "models" / "single"
        # In a process of its own: TensorFlow would stay in this one.
        command = ("-m", "benchmarks.single_precision", str(self.model), str(folder))
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=sys.stderr)
        return folder


def _seed(url: str, rows: int) -> None:
    command = ("-m", "benchmarks.seed_predictions", "--rows", str(rows), "--database", url)
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=sys.stderr)
