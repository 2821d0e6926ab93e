"""The command in a process of its own, stopped in the middle by real signals."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.ml.sheets import make_photos, rows_in
from tests.networks import write_tiny_version

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
VERSION = "2026-01-01.1"

# Says so after the seventh row, and goes on once it is told to.
STOP_IN_THE_MIDDLE = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "catsdogs.settings"
from django.core.management import execute_from_command_line
import django
django.setup()
from ml.bulk import Tally
count = Tally.count
def count_and_stop(tally, row):
    count(tally, row)
    if tally.photos == 7:
        print("seven rows", flush=True)
        sys.stdin.readline()
Tally.count = count_and_stop
execute_from_command_line(["manage.py", "classify", *sys.argv[1:]])
"""


@pytest.fixture
def photos(tmp_path):
    return make_photos(tmp_path / "photos", 20)


@pytest.fixture
def command(settings, tmp_path, photos):
    """Starts the command in a process of its own."""
    settings.MODELS_DIR = tmp_path / "models"
    write_tiny_version(settings.MODELS_DIR, VERSION)

    def start(*arguments, code=STOP_IN_THE_MIDDLE):
        return subprocess.Popen(
            [sys.executable, "-c", code, str(photos), f"--model={VERSION}", *map(str, arguments)],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "CATSDOGS_VAR": str(tmp_path / "var"),
                "CATSDOGS_MODELS": str(settings.MODELS_DIR),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def go_on(photos, output):
    said = io.StringIO()
    call_command("classify", str(photos), output=output, model=VERSION, stderr=said)
    return said.getvalue()


def once_each(photos, output):
    return [row["path"] for row in rows_in(output)] == sorted(map(str, photos.iterdir()))


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_after_a_kill_it_goes_on_and_each_photo_has_one_row(command, photos, tmp_path, ending):
    output = tmp_path / f"rows{ending}"
    with command(f"--output={output}") as process:
        assert process.stdout.readline() == "seven rows\n"
        process.send_signal(signal.SIGKILL)

    said = go_on(photos, output)

    assert process.returncode == -signal.SIGKILL
    assert once_each(photos, output)
    assert "20 photos: 19 cat; 1 refused: 1 broken_image; 7 were there already" in said


def test_ctrl_c_stops_it_without_harm(command, photos, tmp_path):
    output = tmp_path / "rows.csv"
    with command(f"--output={output}") as process:
        assert process.stdout.readline() == "seven rows\n"
        process.send_signal(signal.SIGINT)
        process.wait(60)
        said = process.stderr.read()

    assert process.returncode == 1
    assert "Stopped. 7 rows are kept: give the same command again to go on." in said
    assert "Traceback" not in said
    assert len(rows_in(output)) == 7
    go_on(photos, output)
    assert once_each(photos, output)


def test_a_reader_that_goes_away_ends_it_without_noise(command):
    with command() as process:
        assert process.stdout.readline().startswith('{"path": ')
        process.stdout.close()
        process.stdin.write("on\n")
        process.stdin.flush()
        process.wait(60)
        said = process.stderr.read()

    assert process.returncode == 1
    assert said == "CommandError: Whoever read the rows is gone.\n"


@pytest.mark.parametrize("arguments", [["--output=rows.txt"], ["--nothing"]])
def test_wrong_usage_is_status_2(command, arguments):
    with command(*arguments) as process:
        _, said = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "usage: manage.py classify" in said
