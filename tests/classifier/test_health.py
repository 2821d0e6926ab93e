from classifier import serving


def test_healthz_is_200_with_no_version_and_no_database(client):
    # No `db` fixture: a query would fail this test.
    assert client.get("/healthz").json() == {"status": "alive"}


def test_readyz_is_200_once_a_version_is_loaded(client, engine):
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {"status": "ready", "version": "2026-01-01.1"}


def test_readyz_is_503_with_the_reason_before(client, monkeypatch):
    monkeypatch.setattr(serving, "_live", serving.LiveEngine())

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["problem"] == "The live version is still being loaded."


def test_any_host_name_may_be_asked_for_from_inside(client):
    assert client.get("/healthz", headers={"Host": "localhost"}).status_code == 200
