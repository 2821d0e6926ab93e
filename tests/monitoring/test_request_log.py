"""One line of JSON for each request: what it says, and what it never says."""

import io
import json
import logging
import logging.config

import pytest
from django.conf import settings as site

from classifier.models import ApiToken
from monitoring.log_lines import JsonLine
from tests.make import make_version
from tests.photos import photo_bytes, photo_upload


class Log(io.StringIO):
    @property
    def lines(self):
        return [json.loads(line) for line in self.getvalue().splitlines()]

    @property
    def requests(self):
        return [line for line in self.lines if line["logger"] == "catsdogs.requests"]


@pytest.fixture
def log():
    """The log as production writes it, by the site's own settings."""
    stream = Log()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLine())
    own = logging.config.DictConfigurator(dict(site.LOGGING))
    own.configure()
    handler.addFilter(own.config["filters"]["with_request_id"])
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def test_a_line_says_what_was_asked_and_how_it_went(client, engine, log):
    client.post("/api/predict", {"image": photo_upload()}, headers={"X-Request-ID": "mine"})

    (line,) = log.requests
    assert line["request_id"] == "mine"
    assert line["level"] == "info"
    assert (line["method"], line["route"], line["status"]) == ("POST", "api-predict", 201)
    assert line["version"] == engine.card.version
    assert line["person"] == "address"
    assert line["duration_ms"] >= line["decode_ms"] > 0
    assert line["inference_ms"] >= 0
    assert line["bytes_in"] > len(photo_bytes())
    assert line["time"].endswith("+00:00")


def test_a_request_has_one_line_also_when_it_fails(client, engine, log):
    for path in ("/", "/nothing", "/api/nothing", "/admin/"):
        client.get(path)
    client.post("/api/predict", {"image": photo_upload(b"oops")})

    assert [line["status"] for line in log.lines] == [200, 404, 404, 302, 415]


def test_a_refusal_is_named_by_its_code(client, engine, log):
    client.post("/classify/", {"photo": photo_upload(b"oops")})

    (line,) = log.requests
    assert line["refusals"] == ["unsupported_format"]
    assert "version" not in line


def test_a_batch_has_the_times_of_all_its_photos(client, engine, log):
    client.post("/api/predict", {"image": photo_upload()})
    client.post("/api/predict/batch", {"image": [photo_upload() for _ in range(9)]})

    one, nine = log.requests
    assert nine["decode_ms"] > one["decode_ms"] / 9
    assert nine["version"] == engine.card.version


def test_what_nobody_foresaw_is_written_with_the_request_s_id(client, engine, log, monkeypatch):
    def refuse(*args, **kwargs):
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr("classifier.api.predict.classify_photo", refuse)
    client.raise_request_exception = False

    client.post("/api/predict", {"image": photo_upload()}, headers={"X-Request-ID": "mine"})

    traceback, request = log.lines
    assert traceback["request_id"] == request["request_id"] == "mine"
    assert "RuntimeError: nobody foresaw this" in traceback["exception"]
    assert (request["level"], request["status"]) == ("error", 500)


def test_lines_written_meanwhile_carry_the_id(client, engine, log, monkeypatch):
    def say(*args, **kwargs):
        logging.getLogger("classifier.anything").warning("Look at this.")
        raise RuntimeError

    monkeypatch.setattr("classifier.views.PhotoForm", say)
    client.raise_request_exception = False

    client.get("/", headers={"X-Request-ID": "mine"})

    assert {line["request_id"] for line in log.lines} == {"mine"}
    assert "Look at this." in [line["message"] for line in log.lines]


def test_outside_a_request_there_is_no_id(log):
    logging.getLogger("classifier.anything").warning("Look at this.")

    assert [line["request_id"] for line in log.lines] == ["-"]


@pytest.mark.parametrize(
    ("who", "kind"), [("visitor", "visitor"), ("user", "user"), ("token", "token")]
)
def test_only_what_kind_of_person_asked_is_said(
    client, admin_client, admin_user, engine, log, who, kind
):
    if who == "token":
        token, secret = ApiToken.objects.issue("a phone")
        bearer = {"Authorization": f"Bearer {secret}"}
        client.post("/api/predict", {"image": photo_upload()}, headers=bearer)
        unsaid = [secret, str(token.pk)]
    elif who == "user":
        admin_client.post("/classify/", {"photo": photo_upload()})
        unsaid = [admin_user.username, admin_user.email]
    else:
        client.post("/classify/", {"photo": photo_upload()})
        unsaid = [client.cookies["visitor"].value.partition(":")[0]]

    assert log.requests[-1]["person"] == kind
    assert not any(each in log.getvalue() for each in unsaid)


def test_nothing_secret_gets_out(client, engine, log, settings):
    settings.METRICS_TOKEN = "metrics-secret"
    secret = "hunter2"
    headers = {
        "Authorization": f"Bearer {secret}",
        "Cookie": f"sessionid={secret}",
        "User-Agent": f"agent {secret}",
        "Referer": f"https://example.org/{secret}",
        "X-Forwarded-For": "203.0.113.7",
    }

    client.post(
        f"/api/predict?token={secret}",
        {"image": photo_upload(b"secret bytes", name=f"{secret}.jpg")},
        headers=headers,
        REMOTE_ADDR="203.0.113.9",
    )
    client.get(f"/{secret}/?q={secret}", headers=headers)
    client.get("/metrics", headers={"Authorization": "Bearer metrics-secret"})

    assert len(log.requests) == 3
    for unsaid in (secret, "secret bytes", "metrics-secret", "203.0.113"):
        assert unsaid not in log.getvalue()


@pytest.mark.parametrize("length", ["", "-5", "many", "9" * 5000, "\u0663"])
def test_a_length_that_is_none_counts_as_nothing(client, engine, log, length):
    client.get("/", CONTENT_LENGTH=length)

    assert log.requests[-1]["bytes_in"] == 0


def test_a_message_of_several_lines_stays_one(log):
    logging.getLogger("classifier.anything").warning("one\ntwo %s", "\u2028\r\n\x1b[31mthree")

    assert len(log.getvalue().splitlines()) == 1
    assert "\x1b" not in log.getvalue()


@pytest.mark.django_db
def test_a_version_in_the_log_is_the_one_that_answered(client, engine, log):
    make_version("2026-03-03.1")

    client.post("/api/predict", {"image": photo_upload()})

    assert log.requests[-1]["version"] == "2026-01-01.1"
