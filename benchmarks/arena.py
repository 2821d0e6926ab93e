"""Where servers are measured: starts all that takes part, and stops it at the end.

Photos and the peers' environments are kept in var/bench; databases and the like are temporary.
"""

import secrets
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import TracebackType

from benchmarks.bare import WAYS, Bare, bare_loop
from benchmarks.contestants import Contestant, Load, Served, the_loop
from benchmarks.photos import Upload, uploads
from benchmarks.postgres import durable_postgres
from benchmarks.rows import compare, stored_ids
from benchmarks.site import running_site
from ml.registry import list_versions

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "var" / "bench"
# As in production, save for what would only measure TLS or who may call.
PRODUCTION = {
    "ALLOWED_HOSTS": "127.0.0.1",
    "CATSDOGS_API_ACCESS": "open",
    "DEBUG": "false",
    "GUNICORN_CMD_ARGS": "--log-level=warning",
    "HTTPS": "false",
}


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

    def site(self, database: str) -> Contestant:
        """This project's site on `sqlite` or `postgresql`, in a folder of its own."""
        folder = self._place / database
        url = f"sqlite:///{folder / 'catsdogs.sqlite3'}"
        pid = None
        if database == "postgresql":
            postgres = self._stack.enter_context(durable_postgres())
            url, pid = postgres.url, postgres.pid
        settings = {**PRODUCTION, "SECRET_KEY": secrets.token_urlsafe(50)}
        site = self._stack.enter_context(
            running_site(folder, self.model.parent, database=url, **settings)
        )
        site.manage("promote_model", self.model.name)
        address = f"{site.url}/api/predict"
        served = Served(f"catsdogs, {database}", address, site.pid, self.photos, pid)
        self._sites.append((served, url))
        return served.contestant()

    def problems(self) -> list[str]:
        """What the databases say against the answers: nothing, if all is well."""
        return [
            f"{served.name}: {problem}"
            for served, url in self._sites
            for problem in compare(served.acknowledged, stored_ids(url))
        ]

    def _photos(self, kind: str) -> list[Upload]:
        return uploads(kind, PLACE / "photos", self._data)

    def _start_loop(self, way: str, kind: str, model: Path) -> Bare:
        return self._stack.enter_context(bare_loop(way, model, self.photos(kind), self._place))
