"""The page that says what this is: true of whatever version is live."""

import pytest

from ml.architectures import FROM_SCRATCH, TRANSFER
from tests.make import make_version

SCORES = {
    "count": 2189,
    "accuracy": 0.99132,
    "accuracy_interval": [0.98648, 0.99444],
    "told": {"answered": 0.98173, "right": 0.99721},
}


def test_it_tells_the_live_version_s_own_numbers(client, db):
    version = make_version(live=True, scores=SCORES)

    page = client.get("/about").text

    assert version.name in page
    for number in (
        "2,189",
        "99.13\N{NO-BREAK SPACE}%",
        "98.17\N{NO-BREAK SPACE}%",
        "99.72\N{NO-BREAK SPACE}%",
    ):
        assert number in page


@pytest.mark.parametrize("architecture", [*TRANSFER, *FROM_SCRATCH])
def test_networks_are_called_by_their_names(client, db, architecture):
    make_version(live=True, scores=SCORES, architecture=architecture)

    assert f"Network: {architecture}" not in client.get("/about").text
    assert "Network: " in client.get("/about").text


def test_without_a_live_version_it_says_so(client, db):
    response = client.get("/about")

    assert response.status_code == 200
    assert "No version is live" in response.text


def test_its_links_lead_somewhere(client, db):
    for url in ("/privacy", "/models", "/ml-test-score", "/api/docs"):
        assert f'href="{url}"' in client.get("/about").text
        assert client.get(url).status_code == 200
