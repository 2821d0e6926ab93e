"""Peers: other ways to serve the same network, each in an environment of its own that pip makes.

Photos are decoded and fitted by `ml`, and those with ONNX Runtime ask the same `OnnxEngine`, at the
versions installed here; so only serving differs. Environments are kept in var/bench/peers.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.clients import ask
from benchmarks.photos import Upload
from benchmarks.processes import end_family

_ROOT = Path(__file__).resolve().parents[1]
_HOST = "127.0.0.1"
# TensorFlow's start included.
_SECONDS_TO_START = 180
_FASTAPI = ("fastapi==0.165.0", "uvicorn[standard]==0.54.0", "python-multipart==0.0.34")
# Never tell anybody of a measurement.
_QUIET = {
    "BENTOML_DO_NOT_TRACK": "True",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
}


@dataclass(frozen=True)
class Peer:
    """Another way to serve.

    Attributes:
        name: As it stands in tables.
        packages: What it is made of, besides what `ours` names.
        ours: Packages taken at the version that is installed here.
        command: Behind its environment's `bin/`; `{port}` is filled in.
    """

    name: str
    packages: Sequence[str]
    ours: Sequence[str]
    command: str


def in_single_precision(name: str) -> str:
    """What somebody is called whose networks compute in single precision, not in 8 bits."""
    return f"{name}, single precision"


_UVICORN = "uvicorn {app}:app --host 127.0.0.1 --port {{port}} --no-access-log --log-level warning"
PEERS = {
    "fastapi-onnx": Peer(
        "FastAPI + ONNX Runtime, no log",
        _FASTAPI,
        ("numpy", "pillow", "onnxruntime"),
        _UVICORN.format(app="benchmarks.peers.fastapi_onnx"),
    ),
    "litserve": Peer(
        "LitServe, no log",
        ("litserve==0.2.19", "python-multipart==0.0.34"),
        ("numpy", "pillow", "onnxruntime"),
        "python -m benchmarks.peers.litserve_onnx",
    ),
    "bentoml": Peer(
        "BentoML, no log",
        ("bentoml==1.4.40",),
        ("numpy", "pillow", "onnxruntime"),
        "bentoml serve benchmarks.peers.bentoml_onnx:Photos --host 127.0.0.1 --port {port}",
    ),
    "fastapi-keras": Peer(
        "FastAPI + model.predict, no log",
        _FASTAPI,
        ("numpy", "pillow", "keras", "tensorflow-cpu"),
        _UVICORN.format(app="benchmarks.peers.fastapi_keras"),
    ),
}
# The fastest one, in each measurement so far.
BEST = "fastapi-onnx"


def install(key: str, place: Path) -> Path:
    """Make a peer's environment unless it is there; its folder of commands."""
    peer, environment = PEERS[key], place / key
    stamp, commands = environment / "installed.txt", environment / "bin"
    wanted = [*peer.packages, *(f"{name}=={version(name)}" for name in peer.ours)]
    if stamp.exists() and stamp.read_text().split() == wanted:
        return commands
    print(f"Installing {peer.name} (once)", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
    pip = [commands / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--retries", "5", *wanted], check=True)
    stamp.write_text("\n".join(wanted))
    return commands


@contextmanager
def running_peer(
    key: str, place: Path, model: Path, photo: Upload, logs: Path
) -> Iterator[tuple[str, int]]:
    """Start a peer, installed if need be; gives its address and its first process.

    Args:
        key: One of `PEERS`.
        place: Keeps the environments.
        model: A version's folder.
        photo: One that it must answer before it counts as started.
        logs: Takes what it says, and whatever else it writes.
    """
    commands, port = install(key, place), _free_port()
    name, *arguments = PEERS[key].command.format(port=port).split()
    environment = {
        **os.environ,
        **_QUIET,
        "BENTOML_HOME": str(logs / "bentoml"),
        "MODEL": str(model),
        "OPENBLAS_NUM_THREADS": "1",
        "PORT": str(port),
        "PYTHONPATH": str(_ROOT),
    }
    log = logs / f"{key}.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [commands / name, *arguments],
            cwd=_ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://{_HOST}:{port}/predict"
        _wait_until_it_answers(url, photo, server, log)
        yield url, server.pid
    finally:
        end_family(server)


def _wait_until_it_answers(url: str, photo: Upload, server: subprocess.Popen, log: Path) -> None:
    pause, started = threading.Event(), time.monotonic()
    while time.monotonic() - started < _SECONDS_TO_START and server.poll() is None:
        if ask(url, [photo], clients=1, number=1, seconds=1, body="form").photos:
            return
        pause.wait(0.5)
    raise TimeoutError(f"{log.stem} does not answer: {log.read_text(errors='replace')[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
