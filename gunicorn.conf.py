"""How the site is served: one process, some threads for photos, some for the rest."""

import contextlib
import ctypes
import gc
import os
import shutil
import socket
import sys
from pathlib import Path

import environ
from gunicorn.workers.base import Worker

# NumPy's own threads would contend for the cores that photos are answered on, one core a photo. Set
# here because NumPy reads it when it is imported, in the worker.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

env = environ.Env()
environ.Env.read_env(Path(__file__).resolve().parent / ".env")

HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000)

# Every worker counts for Prometheus in files of its own, which /metrics sums up. The host's name is
# part of it because containers may share the folder.
METRICS = Path(__file__).resolve().parent / env.str("CATSDOGS_VAR", default="var")
METRICS = METRICS / "metrics" / f"{socket.gethostname()}-{PORT}"
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(METRICS)
# Room for several thousand counts; a file grows where that is too little.
METRICS_BYTES = 256 * 1024
# Of <malloc.h>.
_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3
_HEAPS = 2
# From so many bytes on, memory is mapped and goes back to the system: else glibc raises that bound
# to what was freed last, and what networks need for a moment lies scattered over its heaps. Large
# photos are decoded in less: to map each anew took a quarter more processor time.
_MAPPED_BYTES = 4 * 1024 * 1024

wsgi_app = "catsdogs.wsgi:application"
bind = f"[{HOST}]:{PORT}" if ":" in HOST else f"{HOST}:{PORT}"


# Inference leaves Python, so threads share the cores well. A second process would hold a second
# model and, with keep-alive connections, often stand idle beside a busy first one.
workers = env.int("WEB_CONCURRENCY", default=1)
# Its threads see whole requests only. These are for all but photos, which have threads of their
# own: see docs/reliability/overload.md.
worker_class = "catsdogs.worker.Worker"
threads = 4
# Every process starts an inference engine with threads of its own, and threads do not survive a
# fork: so each worker loads the application itself.
preload_app = False
# There is no leak to hide, and a restart would throw a warm model away.
max_requests = 0

keepalive = 15
timeout = 60
graceful_timeout = 10
# A worker proves that it lives by touching a file: on a busy disk that can block it.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
# The control socket would be written to the home directory, outside this folder.
control_socket_disable = True

# Every prediction is a row in the database already; access logs belong to the proxy in front.
accesslog = None
errorlog = "-"
loglevel = "info"


def worker_exit(server: object, worker: object) -> None:
    """Take the process off the list of those that answer."""
    if serving := sys.modules.get("classifier.serving"):  # else it never came so far
        serving.stop()


def on_starting(server: object) -> None:
    """Say at once, in words, that the address is taken, in place of five retries."""
    family = socket.AF_INET6 if ":" in HOST else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, PORT))
        except OSError as error:
            sys.exit(
                f"Cannot listen on {bind}: {error.strerror}. "
                f"Choose another port, for instance: make run PORT={PORT + 1}"
            )
    # Counts begin at 0 with the server: what another one left behind is not ours.
    shutil.rmtree(METRICS, ignore_errors=True)
    METRICS.mkdir(parents=True)


def post_fork(server: object, worker: Worker) -> None:
    """Prepare a process that will answer."""
    # glibc would give every thread a heap of its own, and never take back what each has grown to.
    with contextlib.suppress(OSError, AttributeError):  # another C library
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_M_ARENA_MAX, _HEAPS)
        libc.mallopt(_M_MMAP_THRESHOLD, _MAPPED_BYTES)
    # Reserve the room of its counts: on a full disk, the first use would kill it.
    for kind in ("counter", "gauge_livesum", "histogram"):
        path = METRICS / f"{kind}_{worker.pid}.db"
        # Where there is no room now, the site comes first.
        with contextlib.suppress(OSError), path.open("xb") as file:
            file.write(bytes(METRICS_BYTES))


def post_worker_init(worker: Worker) -> None:
    """Spare the garbage collector what lives as long as the process: most of Django."""
    gc.collect()
    gc.freeze()


def child_exit(server: object, worker: Worker) -> None:
    """A worker's counts stay when it ends; what it had in hand does not."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)


def on_exit(server: object) -> None:
    shutil.rmtree(METRICS, ignore_errors=True)
