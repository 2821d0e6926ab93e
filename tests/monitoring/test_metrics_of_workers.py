"""On the real server: counts of several workers add up, and outlive a worker, not the server."""

import contextlib
import os
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.site import running_site
from tests.photos import photo_bytes

pytestmark = pytest.mark.once

MODELS = Path(__file__).resolve().parents[2] / "models"
SECONDS = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def site(folder):
    with running_site(folder, MODELS, GUNICORN_CMD_ARGS="--workers=2") as site:
        yield site


def scrape(site):
    """Of a new connection, so that any worker may be asked."""
    text = requests.get(f"{site.url}/metrics", timeout=10).text
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def total(site, name, **labels):
    wanted = set(labels.items())
    shown = scrape(site)
    return sum(value for key, value in shown.items() if key[0] == name and wanted <= set(key[1:]))


def wait_for(claim):
    pause, started = threading.Event(), time.monotonic()
    while not claim():
        assert time.monotonic() - started < SECONDS, "it did not come about"
        pause.wait(0.1)


def workers(site):
    children = Path(f"/proc/{site.pid}/task/{site.pid}/children").read_text().split()
    return [int(pid) for pid in children]


def ask(site, times, photo=None):
    for _ in range(times):
        requests.post(
            f"{site.url}/api/predict",
            data=photo_bytes() if photo is None else photo,
            headers={"Content-Type": "image/jpeg"},
            timeout=30,
        )


def shares(folder):
    """How much of the counts lies in each worker's file."""
    return [path for path in folder.glob("metrics/*/counter_*.db") if path.stat().st_size]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc")
def test_the_counts_of_two_workers_add_up_and_outlive_one_of_them(site, folder):
    wait_for(lambda: total(site, "catsdogs_workers") == 2)
    ask(site, 12)
    ask(site, 5, photo=b"oops")

    assert total(site, "catsdogs_predictions_total") == 12
    assert total(site, "catsdogs_inference_seconds_count") == 12
    assert total(site, "catsdogs_refusals_total", code="unsupported_format") == 5
    predict = {"route": "api-predict", "method": "POST"}
    assert total(site, "catsdogs_http_requests_total", status="201", **predict) == 12
    assert total(site, "catsdogs_http_requests_total", status="415", **predict) == 5
    assert total(site, "catsdogs_http_request_seconds_count", route="api-predict") == 17
    assert total(site, "catsdogs_queue_in_flight") == 0
    assert total(site, "catsdogs_database_up") == 1
    assert len(shares(folder)) == 2

    killed = workers(site)[0]
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: len(set(workers(site)) - {killed}) == 2)
    wait_for(lambda: total(site, "catsdogs_workers") == 2)
    assert total(site, "catsdogs_predictions_total") == 12

    ask(site, 8)
    assert total(site, "catsdogs_predictions_total") == 20
    assert len(shares(folder)) == 3


def written(folder):
    """Refusals in the database."""
    with contextlib.closing(sqlite3.connect(folder / "catsdogs.sqlite3")) as database:
        return database.execute(
            "SELECT COALESCE(SUM(count), 0) FROM classifier_refusalcount WHERE code = 'empty_file'"
        ).fetchone()[0]


def test_refusals_are_written_to_the_database_soon(site, folder):
    ask(site, 3, photo=b"")

    wait_for(lambda: written(folder) == 3)


def test_the_last_refusals_are_written_before_a_server_ends(tmp_path):
    with running_site(tmp_path, MODELS) as site:
        ask(site, 2, photo=b"")

    assert written(tmp_path) == 2


def test_counts_begin_at_nothing_with_the_server_and_leave_nothing(site, tmp_path):
    stale = tmp_path / "metrics"
    with running_site(tmp_path, MODELS) as first:
        ask(first, 2)
        assert total(first, "catsdogs_predictions_total") == 2
    assert list(stale.iterdir()) == []

    with running_site(tmp_path / "again", MODELS) as second:
        assert total(second, "catsdogs_predictions_total") == 0
