"""Memory of a worker: does it grow with requests, and what takes it at the start?

    python -m benchmarks.memory --requests 100000
    python -m benchmarks.memory --where

The first one asks the real server on SQLite and prints a line every so many requests, then the
slope of a straight line through what follows the warm-up. The second one imports and loads step by
step, in a process of its own, and prints what each step added.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.arena import PLACE, ROOT
from benchmarks.clients import ask
from benchmarks.machine import as_sentence, machine
from benchmarks.marked import write_between
from benchmarks.photos import uploads
from benchmarks.processes import memory_mb
from benchmarks.site import in_production, running_site
from ml.registry import list_versions

# Requests that are left out of the slope: threads, caches and arenas find their size.
_WARM_UP = 0.2
_SAMPLES = 20
_STEPS = {
    "Python": "pass",
    "gunicorn": "import gunicorn.app.wsgiapp, gunicorn.workers.gthread",
    "ONNX Runtime, NumPy, Pillow": "import ml.inference",
    "Django and the apps": "import django; django.setup()",
    "views, admin, API": "from django.urls import get_resolver; get_resolver().url_patterns",
    "the version": (
        "from pathlib import Path; from ml.inference import OnnxEngine; "
        "engine = OnnxEngine(Path(sys.argv[1]))"
    ),
    "its first answer": "engine.warm_up()",
}


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # stops what we started
    PLACE.mkdir(parents=True, exist_ok=True)
    text = _where() if options.where else _over_requests(options)
    print(text)
    if options.write:
        write_between(options.write, "memory-where" if options.where else "memory", text)
    return 0


def _where() -> str:
    """A table of what each step of a worker's start adds."""
    code = "import json, sys; from benchmarks.processes import memory_mb; import os\n"
    code += "".join(
        f"{step}\nprint(json.dumps([{name!r}, memory_mb(os.getpid())]), flush=True)\n"
        for name, step in _STEPS.items()
    )
    model = ROOT / "models" / list_versions(ROOT / "models")[-1]
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "catsdogs.settings",
        "OPENBLAS_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code, model],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = ["| step | resident MB | its own MB | added |", "| --- | --- | --- | --- |"]
    before = 0.0
    for line in done.stdout.splitlines():
        name, memory = json.loads(line)
        added, before = memory["rss"] - before, memory["rss"]
        lines.append(f"| {name} | {memory['rss']:.0f} | {memory['uss']:.0f} | {added:.0f} |")
    return _with_caption(lines)


def _over_requests(options: argparse.Namespace) -> str:
    """A table of memory over requests, and its slope."""
    samples = _samples(options)
    slope = slope_of(samples)
    lines = ["| requests | resident MB | its own MB |", "| --- | --- | --- |"]
    lines += [f"| {n:,} | {each['rss']:.1f} | {each['uss']:.1f} |" for n, each in samples]
    lines += ["", f"Slope after the first {_WARM_UP:.0%}: {slope:+.2f} MB for 10,000 requests."]
    figures: dict[str, Any] = {"machine": machine(), "slope": slope, "samples": samples}
    (PLACE / "memory.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return _with_caption(lines)


def _samples(options: argparse.Namespace) -> list[tuple[int, dict[str, float]]]:
    """Memory of the one worker after so many requests."""
    photos, part = uploads("jpeg", PLACE / "photos", options.data), options.requests // _SAMPLES
    settings = in_production()
    samples = []
    with (
        tempfile.TemporaryDirectory(dir=PLACE) as folder,
        running_site(Path(folder), ROOT / "models", **settings) as site,
    ):
        worker = _only_worker(site.pid)
        for number in range(1, _SAMPLES + 1):
            url = f"{site.url}/api/predict"
            heard = ask(url, photos, clients=options.clients, number=part, seconds=3600)
            if heard.photos < part:
                raise RuntimeError(f"Not all were answered: {heard.statuses} {heard.problems}")
            samples.append((number * part, memory_mb(worker)))
            print(f"{number * part:,}: {samples[-1][1]}", file=sys.stderr, flush=True)
        if _only_worker(site.pid) != worker:
            raise RuntimeError("The worker was replaced meanwhile.")
    return samples


def slope_of(samples: list[tuple[int, dict[str, float]]]) -> float:
    """MB of resident memory for 10,000 requests: least squares, the warm-up left out."""
    kept = samples[int(len(samples) * _WARM_UP) :]
    slope, _ = np.polyfit([n for n, _ in kept], [each["rss"] for _, each in kept], 1)
    return float(slope) * 10_000


def _only_worker(pid: int) -> int:
    (worker,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(worker)


def _with_caption(lines: list[str]) -> str:
    command = f"python -m benchmarks.memory {' '.join(sys.argv[1:])}"
    return "\n".join([f"`{command.strip()}`; {as_sentence(machine())}.", "", *lines])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data = os.environ.get("CATSDOGS_DATA")
    parser.add_argument("--data", type=Path, default=data and Path(data), help="real photos")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--where", action="store_true", help="what takes it at the start")
    parser.add_argument("--write", type=Path, help="put the table between marks in this file, too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
