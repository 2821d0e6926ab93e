"""On the real server with SQLite: a file that is locked, or on a full disk, is a database away."""

import contextlib
import os
import sqlite3
from pathlib import Path

import pytest

from benchmarks.database_away import ROOT, clients, wait_until_arrived
from benchmarks.site import running_site

resource = pytest.importorskip("resource")
pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="needs Linux's prlimit"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    settings = {"CATSDOGS_DATABASE_DEADLINE": "0.3", "GUNICORN_CMD_ARGS": "--log-level=warning"}
    with running_site(tmp_path_factory.mktemp("site"), ROOT / "models", **settings) as site:
        yield site


@pytest.fixture
def database(site):
    path = Path(site.environment["CATSDOGS_VAR"]) / "catsdogs.sqlite3"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA busy_timeout = 20000")
        yield database


@pytest.fixture
def asked(site, database):
    """Clients that ask all the time; at the end, what they were told is what there is."""
    with clients(site, 3) as asked:
        asked.wait_for_more(3, "stored")
        yield asked
    wait_until_arrived(site)
    rows = [row[0] for row in database.execute("SELECT id FROM classifier_prediction")]
    assert len(rows) == len(set(rows))
    assert {each.replace("-", "") for each in asked.logged} <= set(rows)
    assert asked.problems == []


def test_it_is_locked(asked, database):
    database.execute("BEGIN IMMEDIATE")
    asked.wait_for_more(6, "spooled")
    database.execute("COMMIT")

    asked.wait_for_more(6, "stored")


def test_its_disk_is_full(asked, site):
    """Files may not grow beyond what photos and some spooled rows need: SQLite's log does."""
    (worker,) = Path(f"/proc/{site.pid}/task/{site.pid}/children").read_text().split()
    before = resource.prlimit(int(worker), resource.RLIMIT_FSIZE)
    resource.prlimit(int(worker), resource.RLIMIT_FSIZE, (40_000, before[1]))
    asked.wait_for_more(6, "spooled")
    resource.prlimit(int(worker), resource.RLIMIT_FSIZE, before)

    asked.wait_for_more(6, "stored")
    assert os.path.isdir(f"/proc/{worker}"), "it lived through it"
