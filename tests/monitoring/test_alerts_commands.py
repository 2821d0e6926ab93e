"""What operators and timers call: check_alerts and measure_drift; and what runs by itself."""

import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from monitoring import alerts, judges, rollup
from monitoring.incidents import Incident, Silence, Watch
from monitoring.judges import Measured
from monitoring.models import RollUp
from tests.make import make_prediction, make_version
from tests.monitoring.rows import NEW, NOW, some_rows, store
from tests.monitoring.sinks import chat_server, mail_server, send_to

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quiet(settings, tmp_path):
    settings.VAR_DIR = tmp_path


def run(*command, **options):
    """What it says, and its exit status."""
    out = StringIO()
    try:
        call_command(*command, stdout=out, **options)
    except SystemExit as ended:
        return out.getvalue(), ended.code
    except CommandError as error:
        return str(error), error.returncode
    return out.getvalue(), 0


@pytest.fixture
def old(monkeypatch):
    """The version is old, by the rules; nothing else is wrong."""
    for name in judges.JUDGES:
        monkeypatch.setitem(judges.JUDGES, name, lambda rule, now: None)
    monkeypatch.setitem(judges.JUDGES, "old", lambda rule, now: Measured("400 days.", 400, 365))


def an_hour_ago():
    return timezone.now() - timedelta(hours=1)


def going_on():
    alerts.check(an_hour_ago())
    alerts.check(an_hour_ago() + timedelta(minutes=1))


def test_all_is_well():
    assert run("check_alerts") == ("All is well.\n", 0)


def test_what_has_not_lasted_yet_is_shown_and_is_no_failure(old):
    text, status = run("check_alerts")

    assert "info: The live version is old. 400 days." in text
    assert status == 0


def test_what_goes_on_is_a_failure(old):
    going_on()

    text, status = run("check_alerts")

    assert "Going on since" in text
    assert status == 1


def test_what_is_silenced_is_none(old):
    going_on()
    until = timezone.now() + timedelta(hours=1)
    Silence.objects.create(rule="old", since=an_hour_ago(), until=until, why="known", by="me")

    text, status = run("check_alerts")

    assert "(silenced)" in text
    assert status == 0


def test_a_dry_run_notes_nothing(old):
    text, status = run("check_alerts", "--dry-run")

    assert "400 days." in text
    assert status == 1
    assert not Incident.objects.exists()
    assert not Watch.objects.exists()


def test_rules_that_cannot_be_read_are_another_status(settings, tmp_path):
    settings.ALERT_RULES = tmp_path / "none.toml"

    text, status = run("check_alerts")

    assert "none.toml cannot be read" in text
    assert status == 2


def test_a_test_message_goes_to_all_channels(settings):
    with mail_server() as inbox, chat_server() as chat:
        send_to(settings, inbox, chat)

        assert run("check_alerts", "--test-message") == ("mail: sent.\nchat: sent.\n", 0)
        assert inbox.subjects == ["[catsdogs] Test: Nothing is wrong"]
        assert len(chat.texts) == 1


def test_a_test_message_that_does_not_get_through_says_why(settings):
    with chat_server() as chat:
        send_to(settings, None, chat)
        chat.status = 404

        text, status = run("check_alerts", "--test-message")

    assert text == "chat: not sent: the chat answered with status 404"
    assert status == 2


def test_a_test_message_to_nobody_says_what_to_set():
    text, status = run("check_alerts", "--test-message")

    assert "CATSDOGS_ALERT_MAIL_TO" in text
    assert status == 2


def lately(count, **changes):
    rows = some_rows(count, seed=5)
    for i, row in enumerate(rows):
        row.version, row.at = NEW, timezone.now() - timedelta(hours=2, seconds=i)
        for name, value in changes.items():
            setattr(row, name, value)
    return rows


@pytest.fixture
def baseline(monkeypatch):
    """Of a live version, whose first hundred predictions are long past."""
    monkeypatch.setattr(rollup, "BASELINE_PREDICTIONS", 100)
    make_version(NEW, live=True)
    rows = some_rows(100, seed=5)
    for row in rows:
        row.version = NEW
    store(rows)
    rollup.roll_up(NOW)


def test_without_a_change_there_is_no_drift(baseline):
    store(lately(100))

    text, status = run("measure_drift")

    assert f"Version {NEW}, last 7 days: 100 photos." in text
    assert "novelty" in text
    assert "beyond the limit" not in text
    assert status == 0


def test_drift_is_shown_with_its_limit_and_how_many_photos(baseline):
    store(lately(100, novelty=0.93))

    text, status = run("measure_drift", "--days", "1", "--version", NEW)

    (line,) = [line for line in text.splitlines() if line.startswith("novelty")]
    assert "baseline" in line
    assert line.endswith("beyond the limit")
    assert len(line.split()) == 9  # measure, against, index, limit, photos, reference, three words
    assert status == 1


def test_too_few_photos_tell_nothing(baseline):
    store(lately(10, novelty=0.93))

    text, status = run("measure_drift")

    assert "Fewer than 50 photos tell nothing." in text
    assert status == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--version", "9999"], "There is no version 9999."),
        ([], "No version is live"),
        (["--days", "0"], "--days is a number"),
        (["--days", "nan"], "--days is a number"),
        (["--days", "1e9"], "--days is a number"),
    ],
)
def test_what_cannot_be_measured_is_said(arguments, words):
    text, status = run("measure_drift", *arguments)

    assert words in text
    assert status == 2


@pytest.mark.django_db(transaction=True)
def test_a_server_checks_and_sums_up_in_the_background(settings, old):
    settings.ALERTS_EVERY = 60
    make_prediction(created_at=timezone.now() - timedelta(hours=3))

    assert alerts.check_in_background()

    assert Incident.objects.get().rule == "old"
    assert RollUp.objects.get().rolled_until


@pytest.mark.django_db(transaction=True)
def test_only_one_of_all_workers_checks(settings, old, monkeypatch):
    settings.ALERTS_EVERY = 60
    checks = []
    monkeypatch.setattr(alerts, "evaluate", lambda now, **kwargs: checks.append(now) or [])

    alerts.check_in_background()
    alerts.check_in_background()

    assert len(checks) == 1


@pytest.mark.django_db(transaction=True)
def test_a_check_that_fails_ends_no_worker_s_checks(settings, monkeypatch, caplog):
    settings.ALERTS_EVERY = 60

    def fail(now, **kwargs):
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(alerts, "evaluate", fail)

    assert alerts.check_in_background()
    assert "a mistake of ours" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_the_background_begins_and_ends(settings, monkeypatch):
    settings.ALERTS_EVERY = 0.01
    has_checked = threading.Event()
    monkeypatch.setattr(alerts, "check_in_background", lambda: has_checked.set() or True)

    enough = alerts.start()
    assert has_checked.wait(30)
    enough.set()
    for thread in threading.enumerate():
        if thread.name == "check-alerts":
            thread.join(30)
            assert not thread.is_alive()
