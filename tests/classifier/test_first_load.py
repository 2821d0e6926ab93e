"""The first page is light: counted as it is served, compressed, with everything it asks for."""

import re
from urllib.parse import urljoin

import pytest
from django.conf import settings as original
from django.core.management import call_command

KILOBYTE = 1000
# Attributes, a stylesheet's url(…), a module's import: whatever a browser fetches by itself.
WANTED = re.compile(
    r"""(?:\b(?:src|href)="|url\("?|from "|data-preparer=")([^"')]+\.(?:js|css|svg))"""
)


@pytest.fixture
def collected(settings, tmp_path):
    """Static files as they are served in production."""
    storage = {"BACKEND": "catsdogs.staticfiles.HashedStaticFilesStorage"}
    settings.STORAGES = {**original.STORAGES, "staticfiles": storage}
    settings.STATIC_ROOT = tmp_path / "static"
    call_command("collectstatic", verbosity=0, interactive=False)


def served(client, address):
    response = client.get(address, headers={"Accept-Encoding": "gzip, br"})
    assert response.status_code == 200, address
    return response.getvalue() if response.streaming else response.content


def fetched(client, address, sizes):
    """Add the size of what is fetched for this address, and for what it asks for in turn."""
    if address in sizes:
        return
    sizes[address] = len(served(client, address))
    plain = client.get(address)
    text = (plain.getvalue() if plain.streaming else plain.content).decode()
    for found in WANTED.findall(text):
        fetched(client, urljoin(address, found), sizes)


def test_the_first_load_stays_light(client, engine, collected):
    sizes = {}

    fetched(client, "/", sizes)

    scripts = [size for address, size in sizes.items() if address.endswith(".js")]
    assert len(scripts) >= 11  # htmx, the worker, and our modules
    assert all(re.search(r"\.[0-9a-f]{12}\.", address) for address in sizes if address != "/")
    assert sum(scripts) <= 60 * KILOBYTE
    assert sum(sizes.values()) <= 100 * KILOBYTE
