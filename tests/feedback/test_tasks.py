import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.conf import settings as site
from django.db import connection
from django.utils import timezone

from classifier.models import ModelVersion
from feedback import heartbeat, retraining, tasks
from feedback.heartbeat import Cancelled, Overtaken, at_work
from feedback.models import Replay, TrainingRun
from tests.make import make_run, make_version

pytestmark = pytest.mark.django_db(transaction=True)

HERE = socket.gethostname()
# Works on a run until it is told to stop: it says so as soon as it has begun.
WORKER = """
import sys, threading, uuid
import django
django.setup()
from feedback.heartbeat import at_work
from feedback.models import TrainingRun
with at_work(TrainingRun.objects.get(pk=uuid.UUID(sys.argv[1]))) as heart:
    heart.step(0.4, "Fitting heads")
    print("begun", flush=True)
    threading.Event().wait(120)
"""


def environment():
    """Under which another process finds this test's database."""
    at = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{at['NAME']}"
    else:
        connection.ensure_connection()
        known = connection.connection.info.dsn_parameters
        password = f":{at['PASSWORD']}" if at["PASSWORD"] else ""
        place = f"host={known['host']}&port={known['port']}"
        url = f"postgresql://{at['USER']}{password}@/{at['NAME']}?{place}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "catsdogs.settings",
        "DATABASE_URL": url,
        "PYTHONPATH": str(site.BASE_DIR),
    }


@pytest.fixture
def worker():
    """Starts processes that work on a run; none outlives the test."""
    started = []

    def start(run):
        command = [sys.executable, "-c", WORKER, str(run.pk)]
        process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "begun\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(heartbeat, "BEAT_SECONDS", 0.05)


@pytest.fixture
def spawned(monkeypatch, settings, tmp_path):
    """What would have been started, without starting it."""
    settings.VAR_DIR = tmp_path
    calls = []

    def spawn(command, **options):
        calls.append(SimpleNamespace(command=command, **options))
        return SimpleNamespace(pid=os.getpid(), wait=lambda: 0)

    monkeypatch.setattr(tasks.subprocess, "Popen", spawn)
    return calls


def test_a_killed_worker_is_missed_at_once_and_the_run_can_start_again(worker):
    run = make_run()
    process = worker(run)
    assert tasks.reap(timezone.now()) == 0

    process.send_signal(signal.SIGKILL)
    process.wait()

    assert tasks.reap(timezone.now()) == 1
    run.refresh_from_db()
    assert run.state == "lost"
    assert "Its process is gone" in run.problem
    assert retraining.ask("ada").state == "waiting"


def test_a_worker_that_is_told_to_end_cancels_its_run(worker):
    run = make_run()
    process = worker(run)

    process.send_signal(signal.SIGTERM)
    process.wait(60)

    run.refresh_from_db()
    assert run.state == "cancelled"
    assert process.returncode != 0


def test_a_worker_that_ignores_ctrl_c_by_inheritance_can_be_cancelled(quick):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        run = make_run()
        with pytest.raises(Cancelled), at_work(run):
            tasks.cancel(run)
            threading.Event().wait(60)
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("host", [HERE, "elsewhere"])
def test_a_silent_run_is_given_up_within_a_minute(host):
    now = timezone.now()
    run = make_run(
        state="running", host=host, pid=os.getpid(), heartbeat_at=now - timedelta(seconds=45.1)
    )

    assert tasks.reap(now) == 1

    run.refresh_from_db()
    assert "has not been heard of since" in run.problem


@pytest.mark.parametrize(("host", "seconds"), [(HERE, 44), ("elsewhere", 29)])
def test_a_run_that_spoke_lately_is_left_alone(host, seconds):
    now = timezone.now()
    make_run(
        state="running", host=host, pid=os.getpid(), heartbeat_at=now - timedelta(seconds=seconds)
    )

    assert tasks.reap(now) == 0


def test_the_reaper_sees_to_it_without_being_asked(monkeypatch):
    monkeypatch.setattr(tasks, "REAP_SECONDS", 0.01)
    run = make_run(heartbeat_at=timezone.now() - timedelta(seconds=31))
    reaped, reap = threading.Event(), tasks.reap

    def reap_and_tell(now):
        reap(now)
        connection.close()
        reaped.set()

    monkeypatch.setattr(tasks, "reap", reap_and_tell)

    enough = tasks.start_reaper()

    assert reaped.wait(60)
    enough.set()
    for thread in threading.enumerate():
        if thread.name == "reap-runs":
            thread.join(60)
    run.refresh_from_db()
    assert run.state == "lost"


def test_a_waiting_run_whose_process_never_came_is_given_up():
    run = make_run(heartbeat_at=timezone.now() - timedelta(seconds=31))

    assert tasks.reap(timezone.now()) == 1
    assert retraining.ask("ada").pk != run.pk


def test_two_trainings_cannot_wait_or_run_at_once():
    first = retraining.ask("ada")

    with pytest.raises(tasks.AlreadyRunning, match="One is waiting already .*by ada"):
        retraining.ask("grace")

    with at_work(first), pytest.raises(tasks.AlreadyRunning, match="One is running already"):
        retraining.ask("grace")


def test_of_many_who_ask_at_once_one_gets_the_run():
    start, won, refused = threading.Barrier(6), [], []

    def ask(name):
        try:
            start.wait(60)
            won.append(retraining.ask(name))
        except tasks.AlreadyRunning as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask, args=[f"reviewer {i}"]) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(won), len(refused)) == (1, 5)
    assert TrainingRun.objects.count() == 1


def test_two_processes_cannot_work_on_one_run():
    run = make_run()

    with at_work(run) as heart:
        with pytest.raises(heartbeat.RunFailed, match="running, not waiting"):
            at_work(TrainingRun.objects.get()).__enter__()
        heart.finish()


def test_it_starts_in_a_session_of_its_own_with_a_log(spawned, settings):
    run = make_run()

    tasks.start(run)

    (call,) = spawned
    assert call.command[1:] == ["manage.py", "retrain", "--run", str(run.pk)]
    assert call.start_new_session
    assert (settings.VAR_DIR / "logs" / f"retrain-{run.pk}.log").exists()
    run.refresh_from_db()
    assert (run.host, run.pid, run.state) == (HERE, os.getpid(), "waiting")


def test_a_replay_is_started_by_its_own_command(spawned):
    tasks.start(Replay.objects.create(version=make_version(), last=5))

    assert spawned[0].command[2] == "replay"


def test_what_cannot_be_started_has_failed(spawned, settings, tmp_path):
    settings.VAR_DIR = tmp_path / "file"
    settings.VAR_DIR.write_text("no folder")
    run = make_run()

    tasks.start(run)

    run.refresh_from_db()
    assert run.state == "failed"
    assert "could not be started" in run.problem


def test_a_started_process_works_by_itself_and_leaves_no_zombie(settings, tmp_path, monkeypatch):
    settings.VAR_DIR = tmp_path
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    ModelVersion.objects.all().delete()
    run = make_run()

    tasks.start(run)
    for thread in threading.enumerate():
        if thread.name.startswith("wait-"):
            thread.join(120)

    run.refresh_from_db()
    assert run.state == "failed"
    assert "No version is live" in run.problem
    with pytest.raises(ChildProcessError):
        os.waitpid(run.pid, os.WNOHANG)
    assert "CommandError" in tasks.log_of(run).read_text()


def test_who_cancels_before_it_began_keeps_it_from_beginning():
    run = make_run()

    tasks.cancel(run)

    run.refresh_from_db()
    assert run.state == "cancelled"
    with pytest.raises(heartbeat.RunFailed, match="cancelled, not waiting"), at_work(run):
        pass


def test_who_cancels_what_has_ended_changes_nothing():
    run = make_run(state="done")

    tasks.cancel(run)

    run.refresh_from_db()
    assert (run.state, run.cancel_asked_at) == ("done", None)


def test_the_heart_writes_how_far_it_is(quick):
    run = make_run()
    with at_work(run) as heart:
        heart.say("Hello.")
        heart.step(0.25, "Counting")
        heart._beat()

        seen = TrainingRun.objects.get()

        heart.finish()
    assert (seen.progress, seen.step, seen.log) == (0.25, "Counting", "Hello.")
    assert seen.heartbeat_at > run.created_at


def test_the_log_keeps_its_last_lines():
    run = make_run()
    with at_work(run) as heart:
        for number in range(1000):
            heart.say(f"line {number}")
        heart.finish()

    lines = TrainingRun.objects.get().log.splitlines()
    assert len(lines) == 200
    assert lines[-1] == "line 999"


def test_a_heart_survives_a_database_that_is_away(monkeypatch, caplog):
    run = make_run()
    with at_work(run) as heart:
        with monkeypatch.context() as away:
            away.setattr(heartbeat, "ours", raise_away)
            heart._beat()
        heart._beat()
        heart.check()
        heart.finish()

    assert "cannot say that it lives" in caplog.text


def raise_away(run):
    raise heartbeat.OperationalError("gone")


def test_a_run_given_up_for_lost_is_interrupted(quick):
    run = make_run()

    with pytest.raises(Overtaken), at_work(run):
        TrainingRun.objects.update(state="lost")
        threading.Event().wait(60)

    run.refresh_from_db()
    assert run.state == "lost"


def test_an_interrupt_in_the_last_words_comes_too_late():
    run = make_run()

    with at_work(run) as heart:
        with heart.last_words():
            signal.raise_signal(signal.SIGTERM)
            heart.finish()
        signal.raise_signal(signal.SIGTERM)

    run.refresh_from_db()
    assert run.state == "done"
