"""What a linter cannot see: what is loaded, and when."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("keras", "tensorflow", "onnx", "tf2onnx", "torch")

# Says no to the training parts, as an environment does that has only requirements/serve.txt.
WITHOUT_TRAINING_PARTS = f"""
import sys
for name in {HEAVY}:
    sys.modules[name] = None
"""

ASK = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "catsdogs.settings"
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("register_models")
from django.test import Client
from tests.photos import photo_upload
response = Client(SERVER_NAME="localhost").post("/api/predict", {"image": photo_upload()})
assert response.status_code == 201, response.text
"""


@pytest.fixture
def run(tmp_path):
    """Runs code in a Python of its own, on a site of its own."""

    def run(code, **environment):
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "CATSDOGS_VAR": str(tmp_path / "var"),
                "DATABASE_URL": f"sqlite:///{tmp_path}/site.sqlite3",
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_site_answers_without_the_training_parts(run):
    result = run(WITHOUT_TRAINING_PARTS + ASK)

    assert result.returncode == 0, result.stderr


def test_answering_imports_none_of_the_training_parts(run):
    result = run(ASK + f"\nprint([name for name in {HEAVY} if name in sys.modules])")

    assert result.stdout.splitlines()[-1] == "[]", result.stderr


def test_answering_leaves_nothing_in_the_home_folder(run, tmp_path):
    home = tmp_path / "home"
    home.mkdir()

    result = run(ASK, HOME=str(home), XDG_CACHE_HOME="", XDG_CONFIG_HOME="")

    assert result.returncode == 0, result.stderr
    assert list(home.rglob("*")) == []


def test_production_does_not_start_without_a_secret_key(run):
    result = run("import catsdogs.settings", DEBUG="false", SECRET_KEY="")

    assert result.returncode != 0
    assert "SECRET_KEY is not set" in result.stderr


def test_a_bad_value_stops_the_start_with_its_name(run):
    result = run("import catsdogs.settings", CATSDOGS_API_ACCESS="everyone")

    assert result.returncode != 0
    assert "CATSDOGS_API_ACCESS is 'open' or 'token'. Received: 'everyone'" in result.stderr


def test_a_newcomers_secret_key_is_made_once_and_private(run, tmp_path):
    say = "import catsdogs.settings as s; print(s.SECRET_KEY)"

    first, second = run(say).stdout, run(say).stdout

    assert first == second
    assert len(first.strip()) > 50
    assert (tmp_path / "var" / "secret_key").stat().st_mode & 0o077 == 0


def test_the_api_is_closed_in_production_unless_opened(run):
    result = run(
        "import catsdogs.settings as s; print(s.API_ACCESS)", DEBUG="false", SECRET_KEY="x" * 50
    )

    assert result.stdout.strip() == "token"


def test_no_model_has_changed_without_a_migration(run):
    result = run(
        "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'catsdogs.settings'\n"
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('makemigrations', check=True, dry_run=True)"
    )

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("command", "expected"), [("classify", "1"), ("check", "None")])
def test_numpy_takes_no_core_of_photos_that_are_answered_by_the_thousand(run, command, expected):
    code = f"""
import atexit, os, runpy, sys
atexit.register(lambda: print(os.environ.get("OPENBLAS_NUM_THREADS")))
sys.argv = ["manage.py", "{command}", "--help"]
runpy.run_path("manage.py", run_name="__main__")
"""

    result = run(code)

    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == expected
