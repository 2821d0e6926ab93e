import shutil

import pytest
from django.core.management import CommandError, call_command

from classifier.models import ModelVersion
from tests.make import make_version, write_version


@pytest.fixture
def models_dir(settings, tmp_path):
    settings.MODELS_DIR = tmp_path
    return tmp_path


def live():
    return ModelVersion.objects.live().get().name


def test_the_first_registration_makes_the_newest_version_live(db, models_dir):
    write_version(models_dir, "2026-01-01.9")
    write_version(models_dir, "2026-01-01.10")

    call_command("register_models")

    assert ModelVersion.objects.count() == 2
    assert live() == "2026-01-01.10"


def test_a_later_registration_leaves_the_live_version_alone(db, models_dir):
    write_version(models_dir, "2026-01-01.1")
    call_command("register_models")
    write_version(models_dir, "2026-01-01.2")

    call_command("register_models")

    assert live() == "2026-01-01.1"


def test_where_the_live_versions_folder_is_gone_the_newest_goes_live(db, models_dir):
    make_version("2026-01-01.1", live=True)
    write_version(models_dir, "2026-01-01.2")

    call_command("register_models")

    assert live() == "2026-01-01.2"


def test_where_the_live_versions_folder_is_gone_the_one_before_goes_live_again(db, models_dir):
    for name in ("2026-01-01.1", "2026-01-01.2"):
        write_version(models_dir, name)
        call_command("promote_model", name)
    write_version(models_dir, "2026-01-01.3")  # never was live: it may have been refused
    shutil.rmtree(models_dir / "2026-01-01.2")

    call_command("register_models")

    assert live() == "2026-01-01.1"


def test_a_broken_version_is_named_and_keeps_no_site_from_starting(db, models_dir, capsys):
    write_version(models_dir, "2026-01-01.1")
    (write_version(models_dir, "2026-01-01.2") / "model.onnx").write_bytes(b"changed")

    call_command("register_models")

    assert "2026-01-01.2: model.onnx is not the file that was saved" in capsys.readouterr().err
    assert live() == "2026-01-01.1"


def test_a_live_version_that_breaks_stays_live_until_someone_decides(db, models_dir):
    write_version(models_dir, "2026-01-01.1")
    network = write_version(models_dir, "2026-01-01.2") / "model.onnx"
    call_command("register_models")
    network.write_bytes(b"changed")

    call_command("register_models")

    assert live() == "2026-01-01.2"  # servers say what is wrong with it


def test_registering_nothing_but_changed_versions_fails(db, models_dir, capsys):
    (write_version(models_dir) / "model.onnx").write_bytes(b"changed")

    with pytest.raises(CommandError, match="No version could be registered"):
        call_command("register_models")
    assert "not the file that was saved" in capsys.readouterr().err
    assert not ModelVersion.objects.exists()


def test_no_versions_at_all_is_no_error(db, models_dir, capsys):
    call_command("register_models")

    assert "0 versions, live: none" in capsys.readouterr().out


def test_promoting_makes_a_version_live(db, models_dir):
    make_version("2026-01-01.1", live=True)
    write_version(models_dir, "2026-01-01.2")

    call_command("promote_model", "2026-01-01.2")

    assert live() == "2026-01-01.2"


def test_promoting_what_is_not_there_changes_nothing(db, models_dir):
    make_version("2026-01-01.1", live=True)

    with pytest.raises(CommandError, match="cannot be read"):
        call_command("promote_model", "nothing")
    assert live() == "2026-01-01.1"
