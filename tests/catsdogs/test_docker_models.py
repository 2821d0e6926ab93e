import runpy
from pathlib import Path

import pytest

copy_models = runpy.run_path(str(Path("docker/copy_models.py")))["copy_models"]


@pytest.fixture
def shipped(tmp_path):
    folder = tmp_path / "shipped"
    for name in ("card.json", "model.onnx"):
        (folder / "1").mkdir(parents=True, exist_ok=True)
        (folder / "1" / name).write_text(name)
    (folder / "bases").mkdir()
    (folder / "bases" / "abc.npz").write_text("features")
    return folder


def test_a_fresh_volume_gets_every_version_and_base(shipped, tmp_path):
    assert copy_models(shipped, tmp_path / "volume") == ["1", "bases/abc.npz"]

    assert (tmp_path / "volume" / "1" / "model.onnx").read_text() == "model.onnx"
    assert sorted(path.name for path in (tmp_path / "volume").iterdir()) == ["1", "bases"]


def test_what_is_there_is_left_as_it_is(shipped, tmp_path):
    trained = tmp_path / "volume" / "1"
    trained.mkdir(parents=True)
    (trained / "card.json").write_text("of the volume")

    assert copy_models(shipped, tmp_path / "volume") == ["bases/abc.npz"]
    assert copy_models(shipped, tmp_path / "volume") == []
    assert (trained / "card.json").read_text() == "of the volume"


def test_a_disk_that_refuses_is_no_silence_and_leaves_nothing(shipped, tmp_path, monkeypatch):
    def refuse(self, target):
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "rename", refuse)

    with pytest.raises(OSError, match="could not be copied"):
        copy_models(shipped, tmp_path / "volume")

    assert list((tmp_path / "volume").iterdir()) == []
