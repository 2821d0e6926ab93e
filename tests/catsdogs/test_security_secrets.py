"""No secret lies in the repository, and none gets out where something breaks."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRIVATE = {".venv", "var", "data", ".git", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
# Kinds of keys that have a shape of their own, and what is called a secret and looks like one.
SHAPES = {
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{20}",
    "AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60,})\b",
    "GitLab": r"\bglpat-[\w-]{20}\b",
    "Google": r"\bAIza[\w-]{35}\b",
    "Slack": r"\bxox[abprs]-[\w-]{20,}|hooks\.slack\.com/services/T\w+/B\w+/\w{20,}",
    "Stripe": r"\b[rs]k_live_[A-Za-z0-9]{20,}",
    "JSON web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "PyPI": r"\bpypi-AgE[\w-]{50,}",
    "a token of ours": r"\bcatsdogs_[A-Za-z0-9_-]{43}\b",
    "a password in an address": r"://[\w.-]+:(?![$<{%…]|password@)[^\s/@:\"'`]{6,}@(?!\[?127\.|localhost)",
    "a named secret": r"(?i)\b(?:secret|password|passwd|token|api_?key)\w*[\"']?\s*[:=]\s*"
    r"[\"'](?=[^\"']*\d)(?=[^\"']*[a-z])[A-Za-z0-9+/_=-]{24,}[\"']",
}
# Put together here, so that this file holds none.
PLANTED = {
    "private key": "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEpAIBAAKCAQEA0123456789",
    "AWS": "AKIA" + "IOSFODNN7EXAMPLE",
    "GitHub": "ghp_" + "a1" * 18,
    "GitLab": "glpat-" + "a1" * 10,
    "Google": "AIza" + "a" * 35,
    "Slack": "xoxb-" + "1234567890-" * 3,
    "Stripe": "sk_live_" + "a1" * 12,
    "JSON web token": "eyJ" + "hbGciOiJIUzI1.eyJ" + "zdWIiOiIxMjM0.abcdefghijkl",
    "PyPI": "pypi-" + "AgE" + "a" * 60,
    "a token of ours": "catsdogs_" + "a" * 43,
    "a password in an address": "postgresql://catsdogs:" + "hunter2hunter2@db.example.org/x",
    "a named secret": "SECRET_KEY = " + '"' + "a1b2" * 8 + '"',
}


def tracked():
    """The files of the repository; where it came without its history, all but what is made here."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=False
    )
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.split("\0") if name]
    found = (path for path in ROOT.rglob("*") if not PRIVATE & set(path.relative_to(ROOT).parts))
    return [path for path in found if path.is_file()]


def secrets_in(text):
    return [kind for kind, shape in SHAPES.items() if re.search(shape, text)]


@pytest.mark.parametrize("kind", SHAPES)
def test_each_kind_of_secret_would_be_found(kind):
    assert kind in secrets_in(f"# here it is: {PLANTED[kind]}\n")


def test_no_secret_lies_in_the_repository():
    found = {}
    for path in tracked():
        if path.suffix in {".onnx", ".keras", ".npz", ".png", ".jpg", ".svg"} or not path.exists():
            continue
        if kinds := secrets_in(path.read_text(encoding="utf-8", errors="replace")):
            found[str(path.relative_to(ROOT))] = kinds

    assert found == {}


def test_no_private_file_lies_in_the_repository():
    names = {path.relative_to(ROOT).as_posix() for path in tracked()}

    assert "SECURITY.md" in names
    private = re.compile(r"(^|/)(\.env|secret_key|id_rsa|.*\.(pem|p12|key|sqlite3|dump))$")
    assert [name for name in names if private.search(name)] == []


PROVOKE = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "catsdogs.settings"
import django
django.setup()
from django.test import Client
from classifier import views

def refuse(*args, **kwargs):
    raise RuntimeError("nobody foresaw this")

client = Client(raise_request_exception=False, SERVER_NAME="localhost")
client.cookies["sessionid"] = "SECRET-in-a-cookie"
how = {
    "headers": {"Authorization": "Bearer SECRET-in-a-header", "X-Api-Key": "SECRET-in-another"},
    "secure": True,
}
posted = {"password": "SECRET-in-a-form", "username": "SECRET-as-a-name", "photo": "SECRET-text"}
asked = "?token=SECRET-in-a-query"
answers = [
    client.get("/admin/" + asked, **how),
    client.get("/api/models" + asked, **how),
    client.post("/admin/login/" + asked, posted, **how),
    client.post("/classify/" + asked, posted, **how),
    client.get("/readyz" + asked, **how),
    client.get("/nothing/SECRET-in-a-path" + asked, **how),
    client.get("/" + asked, HTTP_HOST="SECRET-host.example", **how),
]
views.PhotoForm = refuse
answers += [client.get("/" + asked, **how), client.post("/classify/" + asked, posted, **how)]
for answer in answers:
    body = answer.content.decode()
    print(answer.status_code, answer.headers, body)
"""


def test_what_breaks_tells_no_secret(tmp_path):
    """With the database away for real, and a view that fails: bodies, headers and log together."""
    done = subprocess.run(
        [sys.executable, "-c", PROVOKE],
        cwd=ROOT,
        env={
            **{"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "CATSDOGS_VAR": str(tmp_path)},
            **{"DEBUG": "false", "SECRET_KEY": "SECRET-key-" * 5, "HTTPS": "true"},
            "DATABASE_URL": "postgresql://catsdogs:SECRET-password@127.0.0.1:1/catsdogs",
            "CATSDOGS_METRICS_TOKEN": "SECRET-metrics",
            "CATSDOGS_GRAFANA_PASSWORD": "SECRET-grafana",
            "EMAIL_URL": "smtp://me:SECRET-mail@localhost:25",
            "CATSDOGS_ALERT_WEBHOOK": "https://chat.example.org/SECRET-webhook",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    statuses = re.findall(r"^(\d{3}) \{", done.stdout, re.MULTILINE)
    assert (len(statuses), set(statuses)) == (9, {"400", "404", "500", "503"})
    assert "nobody foresaw this" in done.stderr
    said = done.stdout + done.stderr
    assert [said[at.start() - 200 : at.end() + 50] for at in re.finditer("SECRET", said)] == []
