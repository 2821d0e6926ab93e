"""The real site with the version that ships, seen by a browser whose complaints fail the test."""

import io

import pytest
from django.core.management import call_command
from PIL import Image
from playwright.sync_api import expect

from classifier import serving
from tests.browser.links import mark
from tests.browser.people import log_in
from tests.make import make_staff
from tests.photos import chelsea, encode

# A slow machine fails no test.
expect.set_options(timeout=30_000)


@pytest.fixture
def site(live_server, monkeypatch):
    """The site's address; the version that ships answers there."""
    call_command("register_models", stdout=io.StringIO())
    live = serving.LiveEngine()
    live.follow()
    assert live.engine, live.problem
    monkeypatch.setattr(serving, "_live", live)
    return live_server.url


@pytest.fixture
def quick_site(live_server, engine):
    """The site's address; a stand-in answers "cat" there, whatever it is asked."""
    return live_server.url


@pytest.fixture
def page(page):
    """A page on which scripts must not fail and nothing may break the content security policy."""
    complaints = []

    def note(message):
        # Not all errors: refusals and lost connections, which tests cause on purpose, are some.
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert complaints == []


@pytest.fixture
def maria(page, site, admin_client):
    """The page, logged in as staff."""
    log_in(page, site, admin_client)
    return page


@pytest.fixture
def home(page, quick_site):
    """The first page, in a document that is marked."""
    page.goto(quick_site)
    mark(page)
    return page


@pytest.fixture
def staff(home, quick_site, client):
    """The first page as a member of staff sees it, in a document that is marked."""
    client.force_login(make_staff())
    log_in(home, quick_site, client)
    home.reload()
    mark(home)
    return home


@pytest.fixture
def cat():
    """A real cat, as a file to choose."""
    data = encode(Image.fromarray(chelsea()), "PNG")
    return {"name": "chelsea.png", "mimeType": "image/png", "buffer": data}
