"""The database is away: told without it, once, and stored when it is back."""

import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitoring import alerts, away, judging
from monitoring.deadlines import Patient
from monitoring.incidents import Incident, Message, Silence
from tests.monitoring.sinks import free_port, mail_server, send_to

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2025, 3, 10, 12, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BEGUN = "[catsdogs] Critical: The database does not answer"
OVER = "[catsdogs] Over: The database does not answer"


@pytest.fixture(autouse=True)
def inbox(settings, tmp_path):
    settings.VAR_DIR = tmp_path
    with mail_server() as inbox:
        send_to(settings, inbox)
        yield inbox


class Clock:
    def __init__(self):
        self.now = NOW

    def check(self, *, is_away, times=1):
        for _ in range(times):
            found = alerts.check(self.now, database_answers=lambda: not is_away)
            self.now += MINUTE
        return [finding.rule for finding in found]


@pytest.fixture
def clock():
    return Clock()


def test_without_a_database_it_is_told_at_the_second_check_and_once(clock, inbox):
    # This test may not touch a database: pytest-django would refuse.
    assert clock.check(is_away=True) == ["database"]
    assert inbox.mails == []

    clock.check(is_away=True, times=5)

    assert inbox.subjects == [BEGUN]
    assert "did not answer within 3 s" in inbox.mails[0].get_content()


def test_while_mails_are_refused_it_is_tried_again(clock, inbox):
    inbox.refusal = "451 later"
    clock.check(is_away=True, times=3)
    inbox.refusal = ""
    clock.check(is_away=True, times=3)

    assert inbox.tried == 3
    assert inbox.subjects == [BEGUN]


@pytest.mark.django_db
def test_once_it_is_back_the_incident_is_stored_and_is_over_once(clock, inbox):
    clock.check(is_away=True, times=4)

    assert clock.check(is_away=False) == []
    incident = Incident.objects.get()
    assert (incident.rule, incident.noticed_at) == ("database", NOW)
    assert (incident.opened_at, incident.seen_at) == (NOW + MINUTE, NOW + 3 * MINUTE)
    assert inbox.subjects == [BEGUN]

    clock.check(is_away=False, times=5)
    assert inbox.subjects == [BEGUN, OVER]
    assert away.read() == away.Away()
    assert [str(message) for message in Message.objects.all()] == [
        "mail, begun: sent 2025-03-10 12:31",
        "mail, over: sent 2025-03-10 12:36",
    ]


@pytest.mark.django_db
def test_a_short_absence_is_nobody_s_business(clock, inbox):
    clock.check(is_away=True)
    clock.check(is_away=False, times=3)

    assert inbox.mails == []
    assert not Incident.objects.exists()


@pytest.mark.django_db
def test_a_database_that_comes_and_goes_is_one_incident(clock, inbox):
    clock.check(is_away=True, times=3)
    clock.check(is_away=False)
    clock.check(is_away=True, times=3)
    clock.check(is_away=False, times=4)

    assert inbox.subjects == [BEGUN, OVER]
    assert Incident.objects.count() == 1


@pytest.mark.django_db
def test_what_could_not_be_mailed_meanwhile_is_mailed_when_it_is_back(clock, inbox):
    inbox.refusal = "451 later"
    clock.check(is_away=True, times=3)
    inbox.refusal = ""
    clock.check(is_away=False, times=4)

    assert inbox.subjects == [BEGUN, OVER]


@pytest.mark.django_db
def test_a_silence_holds_while_it_cannot_be_read(clock, inbox):
    until = NOW + 30 * MINUTE
    Silence.objects.create(rule="database", since=NOW, until=until, why="an upgrade", by="me")
    clock.check(is_away=False)

    clock.check(is_away=True, times=10)
    assert inbox.mails == []

    clock.now = until
    clock.check(is_away=True)
    assert inbox.subjects == [BEGUN]


def test_another_process_s_turn_is_left_to_it(clock, inbox):
    with away.turn() as ours:
        assert ours
        clock.check(is_away=True, times=3)

    assert inbox.mails == []


def test_a_turn_that_somebody_died_in_ends(tmp_path):
    lock = tmp_path / "database-away.lock"
    lock.touch()
    os.utime(lock, (0, 0))

    with away.turn() as ours:
        assert ours
    assert not lock.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"since": 3, "told": {}}', '{"told": []}'])
def test_a_broken_file_is_no_file(tmp_path, text):
    (tmp_path / "database-away.json").write_text(text)

    assert away.read() == away.Away()


def test_on_a_full_disk_it_is_told_nevertheless_and_once(clock, inbox, settings, tmp_path):
    (tmp_path / "file").touch()
    settings.VAR_DIR = tmp_path / "file"  # nothing can be written into a file

    clock.check(is_away=True, times=5)

    assert inbox.subjects == [BEGUN]
    away.write(away.Away())
    away._unwritten.clear()


@pytest.mark.django_db
def test_an_error_while_it_answers_is_not_taken_for_absence(clock, inbox, monkeypatch):
    from django.db import OperationalError

    def no_such_table(*args, **kwargs):
        raise OperationalError("no such table")

    monkeypatch.setattr(alerts, "evaluate", no_such_table)

    with pytest.raises(OperationalError):
        clock.check(is_away=False)
    assert inbox.mails == []


def test_a_database_that_stands_still_is_away(monkeypatch):
    ended = threading.Event()
    monkeypatch.setattr(judging, "_database", Patient(ended.wait, 0.05))

    found = alerts.evaluate(NOW)
    ended.set()

    assert [finding.rule for finding in found] == ["database"]


def check_alerts(inbox, place, database):
    """`manage.py check_alerts` in a process of its own, as a timer runs it."""
    (place / "rules.toml").write_text("[database]\nlasts = 0\ncalm = 1\n")
    return subprocess.run(
        [sys.executable, "manage.py", "check_alerts"],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "CATSDOGS_VAR": str(place),
            "CATSDOGS_ALERT_RULES": str(place / "rules.toml"),
            "CATSDOGS_ALERT_MAIL_TO": "operator@example.org",
            "EMAIL_URL": f"smtp://127.0.0.1:{inbox.port}",
            "DATABASE_URL": database,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.django_db(transaction=True)
def test_end_to_end_with_a_server_that_is_not_there(inbox, tmp_path, settings):
    gone = f"postgresql://nobody:secret@127.0.0.1:{free_port()}/nothing"

    for _ in range(2):
        result = check_alerts(inbox, tmp_path, gone)
        assert result.returncode == 1, result.stderr
        assert "critical: The database does not answer." in result.stdout
        assert "secret" not in result.stdout + result.stderr
    assert inbox.subjects == [BEGUN]
    assert "told" in json.loads((tmp_path / "database-away.json").read_text())

    alerts.check(database_answers=lambda: True)
    assert Incident.objects.get().rule == "database"
