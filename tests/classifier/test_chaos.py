"""The real server, started on a broken version: it says why, and recovers once that is repaired."""

import os
import shutil
import threading
import time
from dataclasses import dataclass

import pytest
import requests

from benchmarks.site import running_site, token_in
from tests.networks import write_tiny_version
from tests.photos import photo_bytes

pytestmark = pytest.mark.once

NAME = "2026-01-01.1"
SECONDS = 120  # far more than it takes: a machine may be busy


@dataclass(frozen=True)
class Observed:
    """What people and machines see of a site at one moment, and which process answered."""

    ready: requests.Response
    alive: requests.Response
    home: requests.Response
    page: requests.Response
    api: requests.Response
    pid: int


def missing(folder):
    shutil.rmtree(folder)


def truncated(folder):
    os.truncate(folder / "model.onnx", 100)


def changed_by_one_byte(folder):
    with (folder / "model.onnx").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))


def without_its_network(folder):
    (folder / "model.onnx").unlink()


def with_half_a_card(folder):
    os.truncate(folder / "card.json", 20)


REASONS = {
    missing: "card.json cannot be read",
    truncated: "not the file that was saved",
    changed_by_one_byte: "not the file that was saved",
    without_its_network: "model.onnx cannot be read",
    with_half_a_card: "card.json cannot be",
}


def put(models, whole, damage=None):
    """Put a new copy of the version in the place of what is there, at once."""
    fresh = shutil.copytree(whole, models / ".new", copy_function=shutil.copy)
    if damage:
        damage(fresh)
    shutil.rmtree(models / NAME, ignore_errors=True)
    if fresh.exists():
        fresh.rename(models / NAME)


def observe(site, *, status, reason=""):
    """Wait until `/readyz` says so, and where it is ready nothing else; then look at everything."""
    pause, started = threading.Event(), time.monotonic()
    while True:
        ready = requests.get(f"{site.url}/readyz", timeout=30)
        problem = ready.json().get("problem", "")
        if ready.status_code == status and (reason in problem if reason else not problem):
            break
        assert time.monotonic() - started < SECONDS, ready.text
        pause.wait(0.1)
    visitor = site.visitor()
    home = visitor.get(f"{site.url}/", timeout=30)
    sent = {"csrfmiddlewaretoken": token_in(home.text)}
    photo = {"photo": ("cat.jpg", photo_bytes())}
    return Observed(
        ready=ready,
        alive=requests.get(f"{site.url}/healthz", timeout=30),
        home=home,
        page=visitor.post(f"{site.url}/classify/", sent, files=photo, timeout=30),
        api=requests.post(f"{site.url}/api/predict", files={"image": photo["photo"]}, timeout=30),
        pid=site.pid,
    )


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """One server that finds its version missing, then broken in one way after another, then whole,
    then missing again; by damage, `repaired` and `lost again`."""
    folder = tmp_path_factory.mktemp("chaos")
    models, whole = folder / "models", write_tiny_version(folder / "whole", NAME)
    put(models, whole)
    seen = {}
    with running_site(folder / "var", models, damage=lambda: missing(models / NAME)) as site:
        for damage, reason in REASONS.items():
            put(models, whole, damage)
            seen[damage] = observe(site, status=503, reason=reason)
        put(models, whole)
        seen["repaired"] = observe(site, status=200)
        missing(models / NAME)
        seen["lost again"] = observe(site, status=200)
        seen["log"] = site.log.read_text()
    return seen


@pytest.fixture(params=REASONS, ids=lambda damage: damage.__name__)
def broken(story, request):
    return story[request.param], REASONS[request.param]


def test_readyz_is_503_and_names_version_and_reason(broken):
    observed, reason = broken

    assert observed.ready.json()["status"] == "not ready"
    assert observed.ready.json()["version"] is None
    assert NAME in observed.ready.json()["problem"]
    assert reason in observed.ready.json()["problem"]
    assert observed.ready.headers["Retry-After"] == "1"


def test_the_process_lives_and_shows_its_pages(broken):
    observed, _ = broken

    assert observed.alive.json() == {"status": "alive"}
    assert observed.home.status_code == 200


def test_a_photo_is_answered_with_503_and_the_reason(broken):
    observed, reason = broken

    assert observed.api.status_code == 503
    assert observed.api.json()["code"] == "no_live_model"
    assert reason in observed.api.json()["detail"]
    assert observed.api.headers["Retry-After"]
    assert observed.page.status_code == 503
    assert reason in observed.page.text


def test_nobody_is_told_where_the_files_lie(broken):
    observed, _ = broken

    for response in (observed.ready, observed.page, observed.api):
        assert "/models/" not in response.text


def test_once_repaired_it_answers_without_a_restart(story):
    repaired = story["repaired"]

    assert repaired.ready.json() == {"status": "ready", "version": NAME}
    assert (repaired.api.status_code, repaired.page.status_code) == (201, 201)
    assert story["log"].count("Booting worker") == 1


def test_what_is_loaded_answers_on_when_its_folder_is_lost(story):
    assert story["lost again"].api.status_code == 201
    assert story["lost again"].ready.json()["version"] == NAME
