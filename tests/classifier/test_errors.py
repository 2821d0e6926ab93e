import pytest
from django.db import InterfaceError, OperationalError

from tests.photos import photo_upload

SECRET = "connection to server at db.internal failed for user boss"


@pytest.fixture
def database_away(engine, monkeypatch):
    """A query fails as it does when the database is away."""

    def refuse(*args, **kwargs):
        raise OperationalError(SECRET)

    monkeypatch.setattr("classifier.classify.ModelVersion.from_card", refuse)


def test_the_api_says_503_and_nothing_of_the_database(client, database_away):
    response = client.post("/api/predict", {"image": photo_upload()})

    assert (response.status_code, response.json()["code"]) == (503, "database_unavailable")
    assert response["Retry-After"]
    assert "boss" not in response.text


def test_the_page_says_so_in_the_answers_place(client, database_away):
    response = client.post("/classify/", {"photo": photo_upload()}, headers={"HX-Request": "true"})

    assert response.status_code == 503
    assert '<article class="card refused">' in response.text
    assert "cannot be reached" in response.text
    assert "boss" not in response.text


def test_a_whole_page_says_so_too(client, engine, monkeypatch):
    def refuse(*args, **kwargs):
        raise InterfaceError(SECRET)

    monkeypatch.setattr("classifier.views.PhotoForm", refuse)

    response = client.get("/")

    assert response.status_code == 503
    assert response["Retry-After"]
    assert "boss" not in response.text
