"""From the first process to ready: how long does a start take, and what takes it?

    python -m benchmarks.starting

Starts the server on a database that is ready, five times, until `/readyz` says 200; wall time and
CPU, medians. Then what importing costs, by package, as `python -X importtime` counts it.
"""

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median

from benchmarks.arena import PLACE, ROOT
from benchmarks.machine import as_sentence, machine
from benchmarks.marked import write_between
from benchmarks.processes import cpu_seconds
from benchmarks.site import in_production, prepare, started

# Seconds between two looks whether it is ready.
_PAUSE = 0.01
# What a worker has imported when it is ready.
_IMPORTS = (
    "import gunicorn.app.wsgiapp, django; django.setup(); import catsdogs.urls; import ml.inference"
)
_LINE = re.compile(r"import time: +(\d+) \| +\d+ \| +(\w+)")


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # stops what we started
    PLACE.mkdir(parents=True, exist_ok=True)
    settings = in_production()
    with tempfile.TemporaryDirectory(dir=PLACE) as folder:
        environment = prepare(Path(folder), ROOT / "models", None, settings)
        # Where compiled modules may not be kept, each start compiles them again: 0.6 s more.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        starts = [_start(environment, Path(folder)) for _ in range(options.runs + 1)][1:]
        packages = _import_costs(environment)
    text = _text(starts, packages)
    figures = {"machine": machine(), "starts": starts, "imports_ms": dict(packages)}
    (PLACE / "starting.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(text)
    if options.write:
        write_between(options.write, "starting", text)
    return 0


def _start(environment: dict[str, str], folder: Path) -> tuple[float, float]:
    """Seconds of wall time and of CPU until the server is ready. The first one warms the disk."""
    began = time.perf_counter()
    with started(environment, folder / "server.log", pause=_PAUSE) as site:
        return time.perf_counter() - began, cpu_seconds(site.pid)


def _import_costs(environment: dict[str, str]) -> list[tuple[str, float]]:
    """Milliseconds of each top package by itself, the largest first."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", _IMPORTS],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    costs: Counter[str] = Counter()
    for line in done.stderr.splitlines():
        if found := _LINE.match(line):
            costs[found[2]] += int(found[1])
    return [(name, microseconds / 1000) for name, microseconds in costs.most_common(15)]


def _text(starts: list[tuple[float, float]], packages: list[tuple[str, float]]) -> str:
    walls, cpus = zip(*starts, strict=True)
    command = f"python -m benchmarks.starting {' '.join(sys.argv[1:])}".strip()
    return "\n".join(
        [
            f"`{command}`; {len(starts)} starts; {as_sentence(machine())}.",
            "",
            f"Ready after {median(walls):.2f} s ({min(walls):.2f} to {max(walls):.2f}), "
            f"{median(cpus):.2f} s of CPU.",
            "",
            "| imported package | ms, of its own modules |",
            "| --- | --- |",
            *(f"| {name} | {ms:.0f} |" for name, ms in packages),
        ]
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--write", type=Path, help="put the table between marks in this file, too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
