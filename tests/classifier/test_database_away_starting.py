"""A server that starts while the database is away answers with the version that was live last."""

import json

import pytest
from django.db import InterfaceError, OperationalError

from classifier import journal, remembering, serving
from classifier.models import ModelVersion, Prediction
from ml.registry import load_card
from tests.networks import write_tiny_version
from tests.photos import photo_upload

OLD, NEW = "2026-01-01.1", "2026-01-01.2"


@pytest.fixture(autouse=True)
def place(settings, tmp_path, monkeypatch):
    settings.VAR_DIR = tmp_path
    settings.MODELS_DIR = tmp_path / "models"
    write_tiny_version(settings.MODELS_DIR, OLD)
    write_tiny_version(settings.MODELS_DIR, NEW, logits=(0.0, 4.0))
    return tmp_path


def register(settings, name):
    return ModelVersion.objects.register(load_card(settings.MODELS_DIR / name))


@pytest.fixture
def was_live(db, settings):
    """The old version was live when a server ran here, which is gone."""
    register(settings, OLD).promote()
    serving.LiveEngine().follow()


@pytest.fixture
def start(monkeypatch):
    """A server of this moment."""

    def start():
        live = serving.LiveEngine()
        monkeypatch.setattr(serving, "_live", live)
        live.follow()
        return live

    return start


@pytest.fixture(params=[OperationalError, InterfaceError])
def away(request, monkeypatch):
    """No query comes through."""

    def refuse(*args, **kwargs):
        raise request.param("gone, says boss")

    with monkeypatch.context() as patch:
        patch.setattr("django.db.models.sql.compiler.SQLCompiler.execute_sql", refuse)
        patch.setattr("classifier.rows.insert", refuse)
        yield patch
    journal._is_refused.clear()


def test_it_answers_and_says_why_with_what(was_live, away, start, client):
    start()

    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["version"]) == (200, OLD)
    assert "The database cannot be asked" in ready.json()["problem"]
    assert f"Version {OLD} answers" in ready.json()["problem"]
    response = client.post("/api/predict", {"image": photo_upload()})
    assert (response.status_code, response.json()["logged"]) == (200, "spooled")
    assert response.json()["model"]["weights_sha256"]

    away.undo()
    journal.drain()
    assert Prediction.objects.get().version.name == OLD


def test_the_database_is_the_truth_again_once_it_is_back(was_live, settings, away, start):
    live = start()
    assert live.version == OLD

    away.undo()
    register(settings, NEW).promote()
    live.follow()

    assert (live.version, live.problem) == (NEW, "")
    assert remembering.remembered() == ModelVersion(name=NEW)


def test_it_says_it_once(was_live, away, start, caplog):
    live = start()
    for _ in range(3):
        live.follow()

    assert caplog.text.count("cannot be asked") == 1
    assert "boss" not in caplog.text


def test_where_nothing_was_live_before_nothing_answers(away, start, client):
    start()

    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["problem"] == "The database cannot be asked which version is live."


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"name": 3}', '{"name": "..", "weights_sha256": "", "files": {}}']
)
def test_a_broken_file_is_no_file(away, start, place, text):
    (place / "live-version.json").write_text(text)

    assert start().version is None


def test_a_version_that_was_changed_since_is_refused(was_live, away, start, settings):
    path = settings.MODELS_DIR / OLD / "model.onnx"
    path.write_bytes(path.read_bytes() + b"x")

    live = start()

    assert live.version is None
    assert "model.onnx" in live.problem


def test_another_version_of_the_same_name_is_refused(was_live, away, start, place):
    path = place / "live-version.json"
    known = json.loads(path.read_text())
    known["files"] = dict.fromkeys(known["files"], "0" * 64)
    path.write_text(json.dumps(known))

    live = start()

    assert live.version is None
    assert "not the file that was registered" in live.problem


def test_a_folder_that_cannot_be_written_to_stops_nobody(db, settings, start, tmp_path):
    register(settings, OLD).promote()
    (tmp_path / "file").touch()
    settings.VAR_DIR = tmp_path / "file"  # nothing can be written into a file

    assert (start().version, remembering.remembered()) == (OLD, None)
