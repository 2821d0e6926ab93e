"""A server follows the live version; whatever is wrong with a new one, the old one answers on."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from django.db import OperationalError

from classifier import loading, serving
from classifier.models import ModelVersion, Prediction
from ml.novelty import NOVELTY, NoveltyMeasure, to_bytes
from ml.registry import load_card, save_version
from tests.make import make_card, make_version
from tests.networks import tiny_network, write_tiny_version
from tests.photos import drawn_pixels, photo_upload

ROOT = Path(__file__).resolve().parents[2]
OLD, NEW = "2026-01-01.1", "2026-01-01.2"


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def models_dir(settings, tmp_path):
    settings.MODELS_DIR = tmp_path / "models"
    return settings.MODELS_DIR


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def live(db, models_dir, clock, monkeypatch):
    """This process's engine, with the old version loaded; the new one says "dog"."""
    write_tiny_version(models_dir, OLD)
    write_tiny_version(models_dir, NEW, logits=(0.0, 4.0))
    register(models_dir, OLD).promote()
    live = serving.LiveEngine(clock)
    monkeypatch.setattr(serving, "_live", live)
    live.follow()
    assert (live.version, live.problem) == (OLD, "")
    return live


def register(models_dir, name):
    return ModelVersion.objects.register(load_card(models_dir / name))


@pytest.fixture
def loads(monkeypatch):
    """The names of the versions that are loaded, or tried to be, from now on."""
    names, load = [], loading.OnnxEngine
    monkeypatch.setattr(loading, "OnnxEngine", lambda path: names.append(path.name) or load(path))
    return names


def truncate(folder):
    os.truncate(folder / "model.onnx", 100)


def tamper(folder):
    with (folder / "model.onnx").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\xff")


def lose_the_network(folder):
    (folder / "model.onnx").unlink()


def lose_the_folder(folder):
    shutil.rmtree(folder)


def spoil_the_card(folder):
    (folder / "card.json").write_text('{"version": "2026')


def put_nothing_of_a_network(folder):
    replace(folder, model=b"not a network")


def put_a_network_that_says_nan(folder):
    replace(folder, tiny_network((float("nan"), 0.0)))


def put_one_that_says_infinity(folder):
    replace(folder, tiny_network((float("inf"), 0.0)))


def put_a_network_for_other_labels(folder):
    replace(folder, tiny_network((1.0, 2.0, 3.0)))


def put_novelty_that_is_nan(folder):
    none = np.zeros((3, 0)), np.zeros(0, np.float32), np.zeros(0, np.float32)
    nan = np.array([np.nan, np.nan])
    measure = NoveltyMeasure(*none, np.ones((5, 3)), nan, np.ones(2), 1.0, 0.0)
    replace(folder, tiny_network(), **{NOVELTY: to_bytes(measure)})


def replace(folder, model, **files):
    """Save another version in the place of this one, with sums that are right."""
    shutil.rmtree(folder)
    save_version(folder.parent, make_card(folder.name), {"model.onnx": model, **files})


DAMAGES = [
    *((truncate, "not the file that was saved"), (tamper, "not the file that was saved")),
    *((lose_the_network, "model.onnx cannot be read"), (lose_the_folder, "card.json cannot")),
    *((spoil_the_card, "card.json cannot"), (put_nothing_of_a_network, "cannot load model.onnx")),
    *((put_a_network_that_says_nan, "not a finite"), (put_one_that_says_infinity, "not a finite")),
    *((put_a_network_for_other_labels, "cannot answer"), (put_novelty_that_is_nan, "not a finite")),
]


@pytest.mark.parametrize(("damage", "reason"), DAMAGES, ids=lambda d: getattr(d, "__name__", None))
def test_the_old_version_answers_on_and_the_reason_is_told(
    live, models_dir, client, damage, reason
):
    damage(models_dir / NEW)
    # As a release of files would: what is registered is what lies there, where that can be read.
    version = make_version(NEW) if damage in (lose_the_folder, spoil_the_card) else None
    (version or register(models_dir, NEW)).promote()

    live.follow()

    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["version"]) == (200, OLD)
    assert NEW in ready.json()["problem"]
    assert reason in ready.json()["problem"]
    assert client.post("/api/predict", {"image": photo_upload()}).json()["answer"] == "cat"


def test_a_promoted_version_answers_at_the_next_look(live, models_dir, client):
    register(models_dir, NEW).promote()

    live.follow()

    answer = client.post("/api/predict", {"image": photo_upload()}).json()
    assert (answer["answer"], answer["model"]["version"]) == ("dog", NEW)
    assert Prediction.objects.get().version_id == NEW


def test_a_rollback_is_followed_as_well(live, models_dir):
    register(models_dir, NEW).promote()
    live.follow()
    ModelVersion.objects.roll_back()

    live.follow()

    assert (live.version, live.problem) == (OLD, "")


def test_a_question_in_the_middle_of_a_swap_gets_its_answer_from_the_old_version(
    live, models_dir, monkeypatch
):
    register(models_dir, NEW).promote()
    loading_began, may_end = threading.Event(), threading.Event()
    load = loading.OnnxEngine

    def load_slowly(path):
        loading_began.set()
        assert may_end.wait(30)
        return load(path)

    monkeypatch.setattr(loading, "OnnxEngine", load_slowly)
    version = ModelVersion.objects.get(pk=NEW)
    swap = threading.Thread(target=live._replace, args=(version,))
    swap.start()
    assert loading_began.wait(30)

    during = serving.engine().predict(drawn_pixels())  # waits for no lock

    may_end.set()
    swap.join()
    assert during.answer == "cat"
    assert serving.engine().predict(drawn_pixels()).answer == "dog"


def test_the_old_engine_is_closed_once_nobody_asks_it(live, models_dir):
    old = weakref.ref(live.engine)
    register(models_dir, NEW).promote()

    live.follow()

    assert old() is None


def test_another_version_of_the_same_name_is_not_taken(live, models_dir):
    register(models_dir, NEW).promote()
    replace(models_dir / NEW, tiny_network((9.0, 0.0)))

    live.follow()

    assert live.version == OLD
    assert "not the file that was registered" in live.problem


def test_a_broken_version_is_not_read_again_at_each_look(live, models_dir, loads):
    truncate(models_dir / NEW)
    register(models_dir, NEW).promote()

    for _ in range(5):
        live.follow()

    assert loads == [NEW]
    assert "not the file that was saved" in live.problem


def test_it_is_read_again_after_a_while(live, models_dir, loads, clock):
    truncate(models_dir / NEW)
    register(models_dir, NEW).promote()
    live.follow()
    (models_dir / NEW / "model.onnx").write_bytes(tiny_network((0.0, 4.0)))

    clock.now = 29.0
    live.follow()
    assert live.version == OLD
    clock.now = 30.0
    live.follow()

    assert (live.version, live.problem) == (NEW, "")
    assert loads == [NEW, NEW]


def test_it_is_read_again_at_once_when_its_folder_is_put_right(live, models_dir):
    register(models_dir, NEW).promote()
    (models_dir / NEW).rename(models_dir / "elsewhere")
    live.follow()
    assert live.version == OLD

    (models_dir / "elsewhere").rename(models_dir / NEW)
    live.follow()

    assert (live.version, live.problem) == (NEW, "")


def test_going_back_from_a_broken_version_ends_the_problem(live, models_dir):
    truncate(models_dir / NEW)
    register(models_dir, NEW).promote()
    live.follow()
    ModelVersion.objects.roll_back()

    live.follow()

    assert (live.version, live.problem) == (OLD, "")


def test_while_the_database_is_away_the_old_version_answers_on(live, monkeypatch, client):
    def away(*args):
        raise OperationalError("could not connect")

    with monkeypatch.context() as patch:
        patch.setattr(type(ModelVersion.objects.all()), "live", away)
        live.follow()
        ready = client.get("/readyz").json()
    live.follow()

    assert ready["version"] == OLD
    assert ready["problem"] == "The database cannot be asked which version is live."
    assert live.problem == ""


def test_no_failure_ends_the_following(caplog, monkeypatch):
    class EndOfTheTest(BaseException):
        """Ends what would run for ever."""

    failures = iter([RuntimeError("never seen before"), EndOfTheTest])
    monkeypatch.setattr(serving, "close_old_connections", lambda: None)

    def fail():
        raise next(failures)

    with pytest.raises(EndOfTheTest):
        serving._for_ever(fail, seconds=0)
    assert "never seen before" in caplog.text


IN_ANOTHER_PROCESS = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "catsdogs.settings"
import django
django.setup()
from django.core.management import call_command
from classifier import loading, promoting, serving
from classifier.models import Promotion, Server
"""
SET_UP = """
call_command("migrate", verbosity=0)
promoting.promote_version("2026-01-01.1", by="someone")
"""
DIE_IN_THE_MIDDLE = """
import sys
serving._live.follow()
serving._tell()
promoting.promote_version("2026-01-01.2", by="someone")
load = loading.OnnxEngine
def stop_here(path):
    loaded = load(path)
    print("loading", serving._live.version, flush=True)
    sys.stdin.read()  # until the end comes
loading.OnnxEngine = stop_here
serving._live.follow()
"""
START_AGAIN = """
serving._live.follow()
serving._tell()
print(serving._live.version, serving._live.problem or "fine", Promotion.objects.count())
print(*Server.objects.order_by("id").values_list("version", flat=True))
"""


def test_a_server_killed_in_the_middle_of_a_swap_starts_with_the_live_version(tmp_path):
    for name, logits in ((OLD, (4.0, 0.0)), (NEW, (0.0, 4.0))):
        write_tiny_version(tmp_path / "models", name, logits)

    def start(code):
        return subprocess.Popen(
            [sys.executable, "-c", IN_ANOTHER_PROCESS + code],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "CATSDOGS_VAR": str(tmp_path / "var"),
                "CATSDOGS_MODELS": str(tmp_path / "models"),
                "DATABASE_URL": f"sqlite:///{tmp_path}/site.sqlite3",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    start(SET_UP).communicate(timeout=60)
    with start(DIE_IN_THE_MIDDLE) as dying:
        assert dying.stdout.readline() == f"loading {OLD}\n"
        dying.send_signal(signal.SIGKILL)
    said, _ = start(START_AGAIN).communicate(timeout=60)

    assert said.splitlines() == [f"{NEW} fine 2", f"{OLD} {NEW}"]
