"""A server learns what its version says of its holdout without keeping what that takes."""

import contextlib
import os
import sqlite3
from pathlib import Path

import pytest

from benchmarks.database_away import wait_until
from benchmarks.site import running_site
from tests.shipped import MODELS

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc"),
]


def holdouts(site):
    with contextlib.closing(sqlite3.connect(site.environment["DATABASE_URL"][10:])) as database:
        return database.execute("SELECT version_id, count FROM monitoring_holdout").fetchall()


def workers(site):
    return Path(f"/proc/{site.pid}/task/{site.pid}/children").read_text().split()


def niceness_of_helpers(site):
    """How far each process stands back that the worker has begun and that still runs."""
    found = set()
    for worker in workers(site):
        for thread in Path(f"/proc/{worker}/task").iterdir():
            with contextlib.suppress(OSError, IndexError):
                for child in (thread / "children").read_text().split():
                    found.add(
                        int(Path(f"/proc/{child}/stat").read_text().rsplit(")")[1].split()[16])
                    )
    return found


def test_another_process_takes_the_networks_apart(tmp_path):
    with running_site(tmp_path, MODELS, CATSDOGS_ALERTS_EVERY="15") as site:
        niceness = set()
        wait_until(lambda: niceness.update(niceness_of_helpers(site)) or holdouts(site))
        found = holdouts(site)
        libraries = Path(f"/proc/{workers(site)[0]}/maps").read_text()

    assert max(niceness) == min(19, os.nice(0) + 15)
    assert [count > 1000 for _, count in found] == [True]
    assert "onnxruntime" in libraries
    assert "onnx_cpp2py" not in libraries
