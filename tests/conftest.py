"""What all tests share: a browser, real photos where there are some, and no silent skip in CI."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

IN_CI = os.environ.get("CI") == "true"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")

# Where `make setup` puts a browser when the system has none.
os.environ.setdefault("PLAYWRIGHT_BROWSERS_PATH", str(Path(sys.prefix) / "browsers"))


def pytest_collection_modifyitems(items):
    if all((settings.DATA_DIR / label).is_dir() for label in ("cat", "dog")):
        return
    for item in items:
        if item.get_closest_marker("needs_data"):
            item.add_marker(pytest.mark.skip(reason=f"no cats and dogs in {settings.DATA_DIR}"))


def skips_that_count(config):
    """The skips that fail a CI run: all, but for photos that nobody said were there."""
    skipped = config.pluginmanager.get_plugin("terminalreporter").stats.get("skipped", [])
    photos_expected = "CATSDOGS_DATA" in os.environ
    return [r for r in skipped if photos_expected or "needs_data" not in r.keywords]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    # With `-n 2`, the workers tell the process that started them; it counts for them all.
    if hasattr(session.config, "workerinput"):
        return
    if IN_CI and session.exitstatus == pytest.ExitCode.OK and skips_that_count(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    skipped = skips_that_count(config) if IN_CI else []
    if skipped:
        terminalreporter.section("CI: a skipped test is a failed test", red=True)
        for report in skipped:
            terminalreporter.line(report.nodeid)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args, browser_type):
    found = next(filter(None, map(shutil.which, CHROMIUMS)), browser_type.executable_path)
    if not Path(found).exists():
        pytest.skip("no Chromium on this machine: install one, or run make setup")
    quiet = ["background-networking", "component-update", "domain-reliability", "sync"]
    flags = [f"--disable-{feature}" for feature in quiet] + ["--no-first-run"]
    # Chromium's sandbox refuses root, and containers give it little shared memory.
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags += ["--no-sandbox", "--disable-dev-shm-usage"]
    return {**browser_type_launch_args, "executable_path": found, "args": flags}


@pytest.fixture(autouse=True)
def photos_dir(settings, tmp_path):
    """Each test keeps photos, what is computed from them, and a spool in folders of its own."""
    settings.SPOOL_DIR = tmp_path / "spool"
    settings.FEATURES_DIR = tmp_path / "features"
    settings.PHOTOS_DIR = tmp_path / "photos"
    return settings.PHOTOS_DIR


@pytest.fixture
def engine(db, monkeypatch):
    """A live version whose engine answers "cat" unless a test tells it otherwise."""
    from classifier import serving
    from tests.make import FakeEngine, make_card, make_version

    make_version(live=True)
    live = serving.LiveEngine()
    live.engine, live.problem = FakeEngine(make_card()), ""
    monkeypatch.setattr(serving, "_live", live)
    return live.engine


@pytest.fixture
def tiny_engine(db, settings, tmp_path, monkeypatch):
    """A live version with a real network, which says "cat" and can show what it looked at."""
    import numpy as np

    from classifier import explaining, serving
    from classifier.models import ModelVersion
    from ml.registry import load_card
    from tests.networks import tiny_network, write_tiny_version

    settings.MODELS_DIR = tmp_path / "models"
    network = tiny_network((4.0, 0.0), np.zeros((3, 2), np.float32))
    folder = write_tiny_version(settings.MODELS_DIR, files={"model.onnx": network})
    ModelVersion.objects.register(load_card(folder)).promote()
    live = serving.LiveEngine()
    live.follow()
    assert live.engine, live.problem
    monkeypatch.setattr(serving, "_live", live)
    monkeypatch.setattr(explaining, "_remembered", explaining.Remembered())
    return live.engine


@pytest.fixture
def client_factory():
    """Further visitors: each client has cookies of its own."""
    from django.test import Client

    return Client


@pytest.fixture(autouse=True)
def no_language_stays():
    """A page that was asked for in French leaves its thread speaking it: the next test's, too."""
    yield
    translation.deactivate()
