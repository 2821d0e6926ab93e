import sys

import pytest
from django.core.management import CommandError, call_command

from ml import download
from tests.archives import archive_of, serving, zipped
from tests.limits import limit_file_size
from tests.ml.scenes import scene_folder


@pytest.fixture
def raw(tmp_path):
    return scene_folder(tmp_path / "raw")


@pytest.fixture
def to(tmp_path):
    return tmp_path / "processed"


def test_preparing_says_what_was_found_and_where_to_look(raw, to, capsys):
    (raw / "dawn" / "empty.jpg").touch()

    call_command("prepare_data", raw, to=to, without_suspicion=True)

    said = capsys.readouterr().out
    assert "1 broken: empty, or cannot be read or decoded; left out." in said
    assert "photos to train on, digest " in said
    assert str(to / "report.md") in said
    assert (to / "manifest.csv").is_file()


def test_preparing_refuses_a_folder_that_is_not_there(tmp_path, to):
    with pytest.raises(CommandError, match="There is no folder") as refusal:
        call_command("prepare_data", tmp_path / "missing", to=to, without_suspicion=True)
    assert refusal.value.returncode == 1


def test_doubting_labels_without_the_training_parts_tells_how_to_get_them(raw, to, monkeypatch):
    monkeypatch.setitem(sys.modules, "ml.frozen", None)  # as where Keras is not installed

    with pytest.raises(CommandError, match=r"install -r requirements.txt.*--without-suspicion"):
        call_command("prepare_data", raw, to=to)
    assert not to.exists()


def test_preparing_onto_a_full_disk_fails_with_the_systems_own_words(raw, to, capsys):
    with limit_file_size(500), pytest.raises(CommandError, match="File too large"):
        call_command("prepare_data", raw, to=to, without_suspicion=True)
    assert not to.exists()


def test_stopping_the_preparing_writes_nothing(raw, to, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("ml.prepared._report", interrupted)

    with pytest.raises(CommandError, match="Nothing was written") as refusal:
        call_command("prepare_data", raw, to=to, without_suspicion=True)
    assert refusal.value.returncode == 130
    assert [path.name for path in to.parent.iterdir()] == ["raw"]


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(zipped()) as server:
        monkeypatch.setattr(download, "OFFICIAL", archive_of(server))
        yield server


def test_downloading_says_where_the_photos_lie_and_what_comes_next(server, tmp_path, capsys):
    call_command("download_dataset", url=server.url, to=tmp_path / "raw")

    said = capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "raw").iterdir()) == ["cat", "dog"]
    assert f"The photos lie in {tmp_path / 'raw' / 'cat'} and" in said
    assert f"prepare_data {tmp_path / 'raw'}" in said


def test_downloading_again_does_nothing(server, tmp_path, capsys):
    call_command("download_dataset", url=server.url, to=tmp_path)
    call_command("download_dataset", url=server.url, to=tmp_path)

    assert "There already" in capsys.readouterr().out
    assert len(server.asked) == 1


def test_a_download_that_fails_says_why(server, tmp_path):
    server.status = 404

    with pytest.raises(CommandError, match="answered 404") as refusal:
        call_command("download_dataset", url=server.url, to=tmp_path)
    assert refusal.value.returncode == 1


def test_stopping_a_download_tells_that_it_can_go_on(server, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "_check", interrupted)

    with pytest.raises(CommandError, match="go on from there") as refusal:
        call_command("download_dataset", url=server.url, to=tmp_path)
    assert refusal.value.returncode == 130
