import sys

import pytest
from django.core.management import CommandError, call_command

from classifier.models import ModelVersion
from ml.registry import list_versions
from tests.make import make_version
from tests.ml.answers import LookingEngine
from tests.ml.drawn import draw_folder

pytestmark = pytest.mark.django_db


@pytest.fixture
def places(settings, tmp_path):
    """Drawn photos, and folders of this test's own for versions and features."""
    settings.MODELS_DIR, settings.VAR_DIR = tmp_path / "models", tmp_path / "var"
    settings.DATA_DIR = draw_folder(tmp_path / "photos")
    return settings


def test_it_trains_a_candidate_that_can_be_evaluated(places, capsys):
    pytest.importorskip("keras", reason="training is not installed")
    live = make_version(live=True)

    call_command("train_model", data=places.DATA_DIR)
    call_command("evaluate_model", "--all", f"--data={places.DATA_DIR}", *saved(places))

    version = ModelVersion.objects.exclude(pk=live.pk).get()
    assert saved(places) == [version.name]
    assert not version.is_live
    assert version.labels == ["rings", "stripes"]
    assert list(places.MODELS_DIR.glob("bases/*.npz"))  # feedback can be learnt from then on
    said = capsys.readouterr().out
    assert f"promote_model {version.name}" in said
    assert "label: rings" in said


def test_a_folder_that_cannot_be_trained_on_is_a_clear_error(places, tmp_path):
    pytest.importorskip("keras", reason="training is not installed")

    with pytest.raises(CommandError, match="There is no folder .*nowhere"):
        call_command("train_model", data=tmp_path / "nowhere")

    assert saved(places) == []


def test_an_unknown_architecture_is_a_clear_error(places):
    pytest.importorskip("keras", reason="training is not installed")

    with pytest.raises(CommandError, match="efficientnet-lite0.*Received: 'lite9'"):
        call_command("train_model", data=places.DATA_DIR, architecture="lite9")


def test_without_tensorflow_it_says_what_to_install(places, monkeypatch):
    monkeypatch.setitem(sys.modules, "ml.training", None)

    with pytest.raises(CommandError, match="pip install -r requirements.txt"):
        call_command("train_model", data=places.DATA_DIR)


def test_ctrl_c_leaves_no_version(places, monkeypatch):
    learning = pytest.importorskip("ml.learning", reason="training is not installed")

    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(learning, "load_imagenet", interrupted)

    with pytest.raises(CommandError, match="No version was saved"):
        call_command("train_model", data=places.DATA_DIR)
    assert saved(places) == []
    assert not ModelVersion.objects.exists()


def test_evaluating_writes_a_report_where_it_is_asked_to(places, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib", reason="training is not installed")
    asked = "classifier.management.commands.evaluate_model.OnnxEngine"
    monkeypatch.setattr(asked, lambda _: LookingEngine(labels=("rings", "stripes")))

    call_command("evaluate_model", "2026-01-01.1", "--all", f"--report={tmp_path / 'report'}")

    assert (tmp_path / "report" / "report.md").is_file()
    assert str(tmp_path / "report" / "report.md") in capsys.readouterr().out


def test_without_matplotlib_evaluating_says_what_a_report_needs(places, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ml.figures", None)
    asked = "classifier.management.commands.evaluate_model.OnnxEngine"
    monkeypatch.setattr(asked, lambda _: LookingEngine(labels=("rings", "stripes")))

    with pytest.raises(CommandError, match="needs Matplotlib: pip install"):
        call_command("evaluate_model", "2026-01-01.1", f"--report={tmp_path / 'report'}")


def test_evaluating_a_version_that_is_not_there_is_a_clear_error(places):
    with pytest.raises(CommandError, match=r"card\.json cannot be read"):
        call_command("evaluate_model", "2026-01-01.1")


def saved(settings):
    return list_versions(settings.MODELS_DIR)
