"""What a process counts of its work for Prometheus; `/metrics` shows it, summed over the workers.

prometheus-client keeps the numbers in this process, or, where `gunicorn.conf.py` names a folder for
them, in files that every worker's `/metrics` reads.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from classifier import trace

if TYPE_CHECKING:  # the models' own modules count, too
    from classifier.models import Prediction

# Of our own: prometheus-client's default one is full of what describes a single process.
REGISTRY = CollectorRegistry()

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

PREDICTIONS = Counter(
    "catsdogs_predictions",
    "Answers given, by what they said and which version said it.",
    ["answer", "version"],
    registry=REGISTRY,
)
REFUSALS = Counter(
    "catsdogs_refusals", "Photos that got no answer, by why.", ["code"], registry=REGISTRY
)
ABANDONED = Counter(
    "catsdogs_abandoned",
    "Photos whose senders had gone before their turn came: nobody looked at them.",
    registry=REGISTRY,
)
FEEDBACK = Counter(
    "catsdogs_feedback",
    "Opinions given, also those that replace an earlier one: right or wrong.",
    ["kind"],
    registry=REGISTRY,
)
DECODE = Histogram(
    "catsdogs_decode_seconds",
    "Time to decode an answered photo.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
INFERENCE = Histogram(
    "catsdogs_inference_seconds",
    "Time in the network for an answered photo, without waiting for a turn.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
WAITING = Gauge(
    "catsdogs_queue_waiting",
    "Photos that wait for a turn on the cores.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
IN_FLIGHT = Gauge(
    "catsdogs_queue_in_flight",
    "Photos in the network.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
WORKERS = Gauge(
    "catsdogs_workers",
    "Worker processes of this server by the version they have loaded.",
    ["version"],
    registry=REGISTRY,
    multiprocess_mode="livesum",
)

_loaded = ""

# Known from the start: a counter that appears at 1 has never risen, to Prometheus.
for _kind in ("right", "wrong"):
    FEEDBACK.labels(_kind)


def count_answer(prediction: "Prediction") -> None:
    """Count an answer, and note it for the request's line in the log."""
    PREDICTIONS.labels(prediction.answer, prediction.version_id).inc()
    DECODE.observe(prediction.decode_ms / 1000)
    INFERENCE.observe(prediction.inference_ms / 1000)
    traced = trace.current()
    traced.version = prediction.version_id
    traced.decode_ms += prediction.decode_ms
    traced.inference_ms += prediction.inference_ms


def count_feedback(agrees: bool) -> None:
    FEEDBACK.labels("right" if agrees else "wrong").inc()


def version_loaded(name: str) -> None:
    """Note which version this process answers with from now on."""
    global _loaded
    if _loaded:
        WORKERS.labels(_loaded).set(0)
    WORKERS.labels(name).set(1)
    _loaded = name


@contextmanager
def counted(turn: AbstractContextManager[object]) -> Iterator[None]:
    """A turn on the cores, counted as waiting until it comes and as in flight until it ends."""
    with WAITING.track_inprogress():
        turn.__enter__()
    try:
        with IN_FLIGHT.track_inprogress():
            yield
    finally:
        turn.__exit__(None, None, None)
