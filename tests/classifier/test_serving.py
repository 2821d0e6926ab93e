import pytest
from django.db import IntegrityError, transaction

from classifier import serving
from classifier.models import ModelVersion
from ml.registry import list_versions
from tests.make import make_version, write_version


@pytest.fixture
def live(monkeypatch):
    """An engine that has loaded nothing yet."""
    live = serving.LiveEngine()
    monkeypatch.setattr(serving, "_live", live)
    return live


@pytest.fixture
def shipped(settings):
    """The card of the newest version that ships."""
    from ml.registry import load_card

    return load_card(settings.MODELS_DIR / list_versions(settings.MODELS_DIR)[-1])


def test_it_loads_the_live_version_at_the_first_question(db, live, shipped):
    ModelVersion.objects.register(shipped).promote()

    assert serving.engine().card.version == shipped.version
    assert serving.readiness() == (True, "")


def test_without_a_live_version_it_says_what_to_do(db, live):
    with pytest.raises(serving.NoLiveModel, match="register_models"):
        serving.engine()


def test_it_does_not_load_the_same_version_again(db, live, shipped):
    ModelVersion.objects.register(shipped).promote()
    first = serving.engine()

    live.follow()

    assert serving.engine() is first


@pytest.mark.parametrize("model", [b"not a network", None], ids=["no network", "missing"])
def test_the_old_version_answers_on_when_the_new_one_is_broken(
    db, live, shipped, settings, tmp_path, model
):
    ModelVersion.objects.register(shipped).promote()
    first = serving.engine()
    settings.MODELS_DIR = tmp_path
    if model:
        write_version(tmp_path, "2026-02-02.1", model)
    make_version("2026-02-02.1", live=True)

    live.follow()

    assert serving.engine() is first
    ready, problem = serving.readiness()
    assert ready
    assert "2026-02-02.1" in problem


def test_a_changed_byte_is_refused(db, live, settings, tmp_path):
    folder = write_version(tmp_path, "2026-02-02.1")
    (folder / "model.onnx").write_bytes(b"another network")
    settings.MODELS_DIR = tmp_path
    make_version("2026-02-02.1", live=True)

    with pytest.raises(serving.NoLiveModel, match="not the file that was saved"):
        serving.engine()


def test_promotion_moves_the_one_live_mark(db):
    old, new = make_version("1", live=True), make_version("2")

    new.promote()

    assert [version.name for version in ModelVersion.objects.live()] == ["2"]
    assert ModelVersion.objects.get(pk="2").promoted_at
    assert old.promoted_at


def test_the_database_refuses_two_live_versions(db):
    make_version("1", live=True)
    make_version("2")

    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.update(is_live=True)


def test_registering_twice_changes_nothing(db):
    make_version("1", live=True)

    assert make_version("1", architecture="another").architecture == "made-for-tests"
    assert ModelVersion.objects.get().is_live
