"""What every answer says to browsers, and that production settings leave nothing open."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from classifier.models import Prediction
from tests.make import make_staff
from tests.photos import photo_upload
from tests.routes import every_route

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {"DEBUG": "false", "SECRET_KEY": "not-the-real-one-" * 4}
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Https(Client):
    def generic(self, *args, **how):
        return super().generic(*args, **{**how, "secure": True})


@pytest.fixture
def https(settings):
    """The settings that HTTPS=true makes."""
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 365 * 24 * 3600
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True


@pytest.fixture
def visit(https, engine):
    """Staff's visit, which comes by HTTPS, and shows error pages."""
    client = Https(raise_request_exception=False)
    staff = make_staff()
    staff.is_superuser = True
    staff.save()
    client.force_login(staff)
    return client


def problems(response, hsts=True):
    """What an answer's headers lack."""
    lacks = [name for name, value in EVERYWHERE.items() if response.headers.get(name) != value]
    policy = response.headers.get("Content-Security-Policy", "")
    for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'self'", "form-action"):
        if part not in policy:
            lacks.append(part)
    if "unsafe" in policy or "http" in policy or "*" in policy:
        lacks.append(policy)
    if "camera=()" not in response.headers.get("Permissions-Policy", ""):
        lacks.append("Permissions-Policy")
    if "Cache-Control" not in response.headers:
        lacks.append("Cache-Control")
    if hsts and "max-age=31536000" not in response.headers.get("Strict-Transport-Security", ""):
        lacks.append("Strict-Transport-Security")
    return lacks


def test_every_address_guards_its_answers(visit):
    visit.post("/classify/", {"photo": photo_upload()})
    own = Prediction.objects.get().pk
    values = {
        **{"prediction_id": own, "pk": own, "object_id": own, "run_id": own, "replay_id": own},
        **{"name": "2026-01-01.1", "figure_name": "roc.svg", "version": "2026-01-01.1", "id": 1},
        **{"app_label": "classifier", "url": "nothing", "content_type_id": 1},
    }
    statuses = set()

    for route in every_route():
        response = visit.get(route.path(values))
        assert problems(response) == [], route
        statuses.add(response.status_code)

    assert {200, 302, 404, 405} <= statuses


@pytest.mark.parametrize(
    ("path", "how", "status"),
    [
        ("/nowhere/", {}, 404),
        ("/api/nowhere", {}, 404),
        ("/static/nowhere.css", {}, 404),
        ("/photos/0/", {}, 404),
        ("/metrics", {"REMOTE_ADDR": "203.0.113.9"}, 403),
        ("/", {"method": "TRACE"}, 405),
        ("/", {"method": "PROPFIND"}, 405),
        ("/api/predictions?since=then", {}, 400),
        ("/api/models", {"HTTP_AUTHORIZATION": "Bearer none"}, 401),
        ("/api/models", {"HTTP_ACCEPT": "text/csv"}, 406),
    ],
    ids=str,
)
def test_errors_are_guarded_too(visit, path, how, status):
    how = dict(how)

    response = visit.generic(how.pop("method", "GET"), path, **how)

    assert response.status_code == status
    assert problems(response) == []


def test_a_photo_too_large_is_guarded_too(visit, settings):
    settings.PHOTO_MAX_BYTES = 10

    response = visit.post("/api/predict", b"x" * 11, content_type="image/jpeg")

    assert response.status_code == 413
    assert problems(response) == []


def test_what_broke_is_guarded_too(visit, monkeypatch):
    def refuse(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr("classifier.views.PhotoForm", refuse)

    response = visit.get("/")

    assert response.status_code == 500
    assert problems(response) == []


@pytest.mark.parametrize("host", ["evil.example", "testserver@evil.example", "a b", "[::1", ""])
def test_a_host_that_is_not_ours_is_refused_and_guarded(visit, host):
    response = visit.get("/", HTTP_HOST=host, SERVER_NAME="evil.example")

    assert response.status_code == 400
    assert problems(response, hsts=False) == []
    assert "evil" not in response.text


def test_no_page_keeps_what_is_private(visit):
    visit.post("/classify/", {"photo": photo_upload()})
    own = Prediction.objects.get()

    for path in (own.get_absolute_url(), f"/api/predictions/{own.pk}", "/api/predictions"):
        assert "no-store" in visit.get(path)["Cache-Control"]
    assert "private" in visit.get(f"/photos/{own.pk}/")["Cache-Control"]


def test_cookies_are_for_https_and_this_site(visit, django_user_model):
    django_user_model.objects.create_user("ada", password="right", is_staff=True)
    visit.logout()
    visit.get("/")
    visit.post("/classify/", {"photo": photo_upload()})
    visit.post("/admin/login/", {"username": "ada", "password": "right"})

    assert set(visit.cookies) == {"csrftoken", "visitor", "sessionid"}
    for name, cookie in visit.cookies.items():
        assert cookie["secure"], name
        assert cookie["samesite"] == "Lax", name
        assert cookie["httponly"] or name == "csrftoken", name


def test_http_leads_to_https(client, https, db):
    answer = Client().get("/privacy?x=1")

    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/privacy?x=1")


def test_a_form_without_its_token_changes_nothing(engine, https):
    outsider = Client(enforce_csrf_checks=True)

    for path in ("/classify/", "/privacy/erase/", "/admin/login/"):
        answer = outsider.post(path, {"photo": photo_upload()}, secure=True)
        assert answer.status_code == 403
        assert problems(answer) == []
    assert not Prediction.objects.exists()


def test_production_passes_django_s_own_inspection(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "manage.py", "check", "--deploy", "--fail-level=WARNING"],
        cwd=ROOT,
        env={
            **{"PATH": os.environ["PATH"], "CATSDOGS_VAR": str(tmp_path), **PRODUCTION},
            "DATABASE_URL": f"sqlite:///{tmp_path}/site.sqlite3",
            "NUM_PROXIES": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues (0 silenced)" in done.stdout
