import json
from datetime import date
from pathlib import Path

import pytest

from ml.registry import VersionError, list_versions, load_version, next_version, save_version
from tests.make import make_card, write_version


def test_what_is_saved_is_loaded(tmp_path):
    folder = write_version(tmp_path, labels=("ant", "bee", "cow"), temperature=1.5)

    card = load_version(folder)

    assert (card.labels, card.temperature) == (("ant", "bee", "cow"), 1.5)
    assert card.weights_sha256 == card.files["model.onnx"]


@pytest.mark.parametrize("content", [b"changed", b"not a networ", b""])
def test_a_changed_file_is_refused(tmp_path, content):
    folder = write_version(tmp_path)
    (folder / "model.onnx").write_bytes(content)

    with pytest.raises(VersionError, match="not the file that was saved"):
        load_version(folder)


def test_a_missing_file_is_refused(tmp_path):
    folder = write_version(tmp_path)
    (folder / "model.onnx").unlink()

    with pytest.raises(VersionError, match=r"model\.onnx cannot be read"):
        load_version(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"labels": 3}', '{"unknown": 1}'])
def test_a_card_that_is_no_card_is_refused(tmp_path, content):
    folder = write_version(tmp_path)
    (folder / "card.json").write_text(content)

    with pytest.raises(VersionError, match=r"card\.json cannot be read"):
        load_version(folder)


def test_a_folder_under_another_name_is_refused(tmp_path):
    folder = write_version(tmp_path)

    with pytest.raises(VersionError, match="its card is that of"):
        load_version(folder.rename(tmp_path / "renamed"))


def test_a_card_cannot_name_a_file_outside_its_folder(tmp_path):
    folder = write_version(tmp_path)
    (tmp_path / "secret").write_text("secret")
    card = json.loads((folder / "card.json").read_text())
    card["files"]["../secret"] = "0" * 64
    (folder / "card.json").write_text(json.dumps(card))

    with pytest.raises(VersionError, match="no file of ours"):
        load_version(folder)


def test_a_version_is_never_overwritten(tmp_path):
    folder = write_version(tmp_path, model=b"first")

    with pytest.raises(VersionError, match="is there already"):
        write_version(tmp_path, model=b"second")
    assert (folder / "model.onnx").read_bytes() == b"first"


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def refuse(self, content):
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", refuse)

    with pytest.raises(OSError, match="No space"):
        write_version(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_saving_leaves_nothing_behind(tmp_path, monkeypatch):
    write = Path.write_bytes

    def stop_at_the_card(path, content):
        if path.name == "card.json":
            raise KeyboardInterrupt
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", stop_at_the_card)

    with pytest.raises(KeyboardInterrupt):
        write_version(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "x" * 65])
def test_an_unfit_name_is_refused(tmp_path, name):
    with pytest.raises(VersionError, match="name"):
        write_version(tmp_path / "models", name)


def test_a_version_needs_a_network(tmp_path):
    with pytest.raises(VersionError, match=r"needs model\.onnx"):
        save_version(tmp_path, make_card(), {"notes.txt": b""})


def test_names_count_up_within_a_day(tmp_path):
    day = date(2026, 1, 1)
    assert next_version(tmp_path, day) == "2026-01-01.1"

    write_version(tmp_path, "2026-01-01.1")

    assert next_version(tmp_path, day) == "2026-01-01.2"


def test_versions_are_listed_oldest_first_and_unfinished_ones_not_at_all(tmp_path):
    for name in ("2026-01-01.10", "2026-01-01.9", "2025-12-31.1"):
        write_version(tmp_path, name)
    (tmp_path / ".saving-1").mkdir()
    (tmp_path / ".saving-1" / "card.json").touch()
    (tmp_path / "notes").mkdir()

    assert list_versions(tmp_path) == ["2025-12-31.1", "2026-01-01.9", "2026-01-01.10"]


def test_no_folder_is_no_versions(tmp_path):
    assert list_versions(tmp_path / "nothing") == []
