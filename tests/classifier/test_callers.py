"""Who may call the API, and what a token's scopes let it do."""

import pytest
from django.utils import timezone

from classifier.models import ApiToken
from classifier.tokens import SCOPES
from tests.make import make_prediction
from tests.photos import photo_upload


@pytest.fixture(autouse=True)
def closed(settings):
    settings.API_ACCESS = "token"


def issue(*scopes):
    """A token with these scopes, and the headers that carry it."""
    token, secret = ApiToken.objects.issue(
        "phone", **{f"may_{scope}": scope in scopes for scope in SCOPES}
    )
    return token, {"Authorization": f"Bearer {secret}"}


def calls(client, own, headers):
    """One call for each scope."""
    return {
        "predict": lambda: client.post("/api/predict", {"image": photo_upload()}, headers=headers),
        "feedback": lambda: client.post(
            "/api/feedback", {"prediction": str(own.pk), "correct": "true"}, headers=headers
        ),
        "read": lambda: client.get(f"/api/predictions/{own.pk}", headers=headers),
        "erase": lambda: client.delete(f"/api/predictions/{own.pk}", headers=headers),
    }


@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_may_do_what_it_is_for_and_nothing_else(client, engine, scope):
    token, headers = issue(scope)
    own = make_prediction(person=f"token:{token.pk}")

    answers = {name: call() for name, call in calls(client, own, headers).items() if name != scope}
    answers[scope] = calls(client, own, headers)[scope]()

    assert answers.pop(scope).status_code in (200, 201, 204)
    for name, answer in answers.items():
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        assert repr(name) in answer.json()["detail"]


@pytest.mark.parametrize("access", ["open", "token"])
@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("post", "/api/predict", "predict"),
        ("post", "/api/predict/batch", "predict"),
        ("post", "/api/feedback", "feedback"),
        ("get", "/api/", "read"),
        ("get", "/api/predictions", "read"),
        ("get", "/api/models", "read"),
        ("get", "/api/statistics", "read"),
        ("options", "/api/predict", "read"),
    ],
)
def test_the_scope_counts_on_each_address(client, engine, settings, access, method, path, scope):
    settings.API_ACCESS = access
    _, headers = issue(*(SCOPES.keys() - {scope}))

    assert getattr(client, method)(path, headers=headers).status_code == 403


def test_a_wrong_method_is_called_so_whatever_the_scope(client, engine):
    _, headers = issue("read")

    answer = client.put("/api/models", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_a_token_from_before_scopes_may_do_everything(db):
    token, _ = ApiToken.objects.issue("phone")

    assert all(token.allows(scope) for scope in SCOPES)


def test_an_expired_token_opens_nothing(client, engine):
    _, secret = ApiToken.objects.issue("phone", expires_at=timezone.now())

    answer = client.get("/api/models", headers={"Authorization": f"Bearer {secret}"})

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_staff_choose_what_a_token_may_do(admin_client):
    url = "/admin/classifier/apitoken/"
    until = {"expires_at_0": "2999-01-01", "expires_at_1": "12:00"}
    admin_client.post(f"{url}add/", {"name": "kiosk", "may_predict": "on", **until})

    token = ApiToken.objects.get()
    assert [scope for scope in SCOPES if token.allows(scope)] == ["predict"]
    assert token.expires_at.year == 2999

    page = admin_client.post(f"{url}{token.pk}/change/", {"name": "kiosk"}, follow=True)
    token.refresh_from_db()
    assert not any(token.allows(scope) for scope in SCOPES)
    assert token.expires_at is None
    assert "within 5 seconds" in page.text
