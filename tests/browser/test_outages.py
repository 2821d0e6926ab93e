"""The real server, its database taken away or itself killed: said so, nothing lost, or twice."""

import os
import re
import signal
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from benchmarks.database_away import ROOT, site_on, stored, wait_until_arrived
from benchmarks.postgres import running_postgres
from benchmarks.site import prepare, started
from tests.browser.many import card, drawings
from tests.photos import encode

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux's /proc"),
]

SECONDS = 30_000  # in milliseconds: what a server may take to come back on a busy machine


@pytest.fixture
def postgres():
    with running_postgres() as postgres:
        yield postgres


def test_an_answer_that_waits_on_disk_and_what_is_said_of_it(page, postgres, tmp_path):
    with site_on(postgres, tmp_path) as site:
        page.goto(site.url)
        page.set_input_files("#photo", drawings(1))
        expect(page.locator("#answer [data-answer]")).to_have_count(1)

        postgres.stop()
        page.set_input_files("#photo", drawings(1, first=1))
        spooled = card(page, "1.png")
        expect(spooled.locator(".note")).to_contain_text("My notebook is out of reach")
        expect(spooled.locator("figure img")).to_be_visible()
        spooled.locator(".feedback button").first.click()
        expect(spooled.locator(".trouble")).to_contain_text("I keep trying by myself")
        expect(spooled.locator(".trouble")).to_contain_text("database cannot be reached")

        postgres.start()
        expect(spooled.locator(".thanks")).to_be_visible(timeout=SECONDS)
        expect(spooled.locator(".trouble")).to_have_count(0)
        wait_until_arrived(site)
        said = postgres.ask("SELECT prediction_id::text FROM feedback_feedback")
        rows = stored(postgres)

    assert len(rows) == len(set(rows)) == 2
    assert len(said) == 1
    assert said[0][0] in rows


def family(pid):
    """A process and those that it started."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


@contextmanager
def slowly(page, bytes_a_second):
    """A network that takes its time with what is sent."""
    session = page.context.new_cdp_session(page)
    still = {"offline": False, "latency": 0, "downloadThroughput": -1}
    session.send("Network.emulateNetworkConditions", {**still, "uploadThroughput": bytes_a_second})
    yield
    session.send("Network.emulateNetworkConditions", {**still, "uploadThroughput": -1})


def noise():
    """A photo that no compression makes small, so that sending it takes a while."""
    pixels = np.random.default_rng(7).integers(0, 256, (900, 900, 3), np.uint8)
    return {
        "name": "noise.png",
        "mimeType": "image/png",
        "buffer": encode(Image.fromarray(pixels), "PNG"),
    }


def test_a_server_that_is_killed_midway_through_an_upload(page, tmp_path):
    environment = prepare(tmp_path, ROOT / "models", None, {})
    page.goto("about:blank")
    with started(environment, tmp_path / "first.log") as site:
        page.goto(site.url)
        page.locator("#originals").check()
        with slowly(page, 300_000):
            page.set_input_files("#photo", noise())
            expect(page.locator("#answer .sure")).to_have_text(re.compile(r"^[1-8]\d\W*% sent"))
            for pid in family(site.pid):
                os.kill(pid, signal.SIGKILL)
            expect(page.locator("#answer h2")).to_have_text("The network went away")
    expect(page.locator("#answer .sure")).to_contain_text("Nothing is lost")

    with started(environment, tmp_path / "second.log") as site:
        # By itself, or where it has given up by then, by a click.
        again = page.get_by_role("button", name="Try again")
        if again.is_visible():
            again.click()
        expect(page.locator("#answer [data-answer]")).to_have_count(1, timeout=SECONDS)
        count = "from classifier.models import Prediction; print(Prediction.objects.count())"
        assert site.manage("shell", "--no-imports", "--command", count).split() == ["1"]
    expect(page.locator("#answer .card")).to_have_count(1)
