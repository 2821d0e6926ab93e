import pytest

from tests.make import make_version


def test_versions_are_listed_with_the_live_one_marked(client, db):
    make_version("2026-01-01.1", live=True)
    make_version("2026-01-01.2", created="2026-01-02T00:00:00+00:00")

    rows = client.get("/api/models").json()

    assert [(row["version"], row["live"]) for row in rows] == [
        ("2026-01-01.2", False),
        ("2026-01-01.1", True),
    ]


def test_one_version_tells_its_scores_and_digests(client, db):
    make_version("2026-01-01.1")

    row = client.get("/api/models/2026-01-01.1").json()

    assert row["scores"] == {"accuracy": 0.5}
    assert row["labels"] == ["cat", "dog"]
    assert row["weights_sha256"] == "0" * 64
    assert row["data_digest"] == "d" * 64


@pytest.mark.parametrize("name", ["nothing", "%00", "a%20b"])
def test_an_unknown_version_is_a_404(client, db, name):
    response = client.get(f"/api/models/{name}")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
