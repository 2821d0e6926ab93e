"""What `/metrics` shows: the counts of all workers, and what the database says at this moment."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from django.db import DatabaseError, InterfaceError
from django.db.models import Count
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from classifier import database
from classifier.models import ModelVersion
from classifier.telemetry import REGISTRY
from feedback.models import Run, TrainingRun
from monitoring.figures import review_backlog, spool

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
# Prometheus itself gives up after ten.
_SECONDS_FOR_THE_DATABASE = 3.0

T = TypeVar("T")


@dataclass(frozen=True)
class Stock:
    """What there is, by the database.

    Attributes:
        to_review: Photos with feedback that may be learnt from, and no reviewer's decision.
        training_runs: How many retrainings there are in each state.
    """

    to_review: int
    training_runs: dict[str, int]


def live_versions() -> list[str]:
    """Names of the live version, none or one: of a table so small that this shows a pulse, too."""
    return list(ModelVersion.objects.live().values_list("name", flat=True))


def take_stock() -> Stock:
    """Two queries over what people said and what was trained; not over all predictions."""
    found = TrainingRun.objects.order_by().values_list("state").annotate(Count("pk"))
    return Stock(
        to_review=review_backlog().photos,
        training_runs={**dict.fromkeys(Run.State.values, 0), **dict(found)},
    )


class StockCollector(Collector):
    """The database's part of `/metrics`; without it only that it is away, and what waits for it."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from _of_the_spool()
        live = _in_time(live_versions)
        yield GaugeMetricFamily(
            "catsdogs_database_up",
            f"Whether the database answers within {_SECONDS_FOR_THE_DATABASE:.0f} s.",
            value=live is not None,
        )
        if live is None:
            return
        info = GaugeMetricFamily(
            "catsdogs_live_version_info",
            "Always 1: the version that is to answer, by the database.",
            labels=["version"],
        )
        for name in live:
            info.add_metric([name], 1)
        yield info
        # Apart: where there is very much feedback, a slow count of it is no database away.
        if stock := _in_time(take_stock):
            yield from _gauges(stock)


def _in_time(ask: Callable[[], T]) -> T | None:
    """What the database says; None where it does not."""
    try:
        with database.at_most(_SECONDS_FOR_THE_DATABASE):
            return ask()
    except (DatabaseError, InterfaceError):
        return None


def _of_the_spool() -> Iterator[GaugeMetricFamily]:
    found = spool()
    age = 0.0 if found.since is None else (timezone.now() - found.since).total_seconds()
    yield GaugeMetricFamily(
        "catsdogs_spool_waiting",
        "Answers on this machine's disk that are still to be logged.",
        value=found.waiting,
    )
    yield GaugeMetricFamily(
        "catsdogs_spool_oldest_seconds",
        "How long the first of them has waited; 0: none waits.",
        value=max(age, 0.0),
    )
    yield GaugeMetricFamily(
        "catsdogs_spool_rejected",
        "Answers set aside because the database can never take them.",
        value=found.rejected,
    )


def _gauges(stock: Stock) -> Iterator[GaugeMetricFamily]:
    yield GaugeMetricFamily(
        "catsdogs_review_backlog", "Photos that wait for a reviewer.", value=stock.to_review
    )
    runs = GaugeMetricFamily(
        "catsdogs_training_runs", "Retrainings by their state.", labels=["state"]
    )
    for state, number in stock.training_runs.items():
        runs.add_metric([state], number)
    yield runs


def exposition() -> bytes:
    """All of it in Prometheus's text format."""
    return generate_latest(_counts()) + generate_latest(_of_the_database)


def _counts() -> CollectorRegistry:
    """The counts of this process, or of all workers where gunicorn.conf.py gave them a folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    workers = CollectorRegistry()
    MultiProcessCollector(workers)  # type: ignore[no-untyped-call]  # it ships no types
    return workers


_of_the_database = CollectorRegistry()
_of_the_database.register(StockCollector())
