import pytest
import yaml
from django.core.management import call_command


def test_the_schema_is_openapi_3_1_and_has_every_endpoint(client, db):
    schema = yaml.safe_load(client.get("/api/schema").content)

    assert schema["openapi"].startswith("3.1")
    assert set(schema["paths"]) == {
        "/api/feedback",
        "/api/models",
        "/api/models/{version}",
        "/api/predict",
        "/api/predict/batch",
        "/api/predictions",
        "/api/predictions/{id}",
        "/api/predictions/{id}/explanation",
        "/api/predictions/{id}/receipt",
        "/api/statistics",
    }


def test_the_schema_is_made_without_a_warning(db, capsys):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")

    assert "Warning" not in capsys.readouterr().err


@pytest.mark.parametrize("url", ["/api/docs", "/api/docs?script="], ids=["page", "script"])
def test_swagger_needs_nothing_from_elsewhere(client, db, url):
    response = client.get(url)

    assert response.status_code == 200
    assert "http://" not in response.text.replace("http://testserver", "")
    assert "https://" not in response.text


@pytest.mark.parametrize(("access", "is_open"), [("open", True), ("token", False)])
def test_the_schema_says_who_may_call(client, db, settings, access, is_open):
    settings.API_ACCESS = access

    schema = yaml.safe_load(client.get("/api/schema").content)

    ways = schema["paths"]["/api/predict"]["post"]["security"]
    assert {"token": []} in ways
    assert ({} in ways) is is_open


def test_the_schema_says_that_a_photo_is_needed(client, db):
    schema = yaml.safe_load(client.get("/api/schema").content)

    assert schema["paths"]["/api/predict"]["post"]["requestBody"]["required"] is True
