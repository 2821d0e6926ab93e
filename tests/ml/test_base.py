"""A base holds what heads are refitted on: small, checked, and never a photo."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from ml.__main__ import main
from ml.answering import mind_of
from ml.base import BaseError
from ml.base_file import from_bytes, to_bytes
from ml.bases import BASES, base_digest, find_base, load_base, save_base
from ml.inference import OnnxEngine
from ml.photos import decode_photo
from ml.sources import read_folder

pytest.importorskip("keras", reason="training is not installed: pip install -r requirements.txt")

from ml.base_making import make_base  # noqa: E402
from ml.teaching import Teacher  # noqa: E402


@pytest.fixture(scope="module")
def base(trained):
    return find_base(trained.models, trained.card)


@pytest.fixture
def decodable(trained):
    examples = read_folder(trained.folder).examples
    return [example for example in examples if example.path.name != "broken.png"]


def test_training_makes_the_base_of_what_it_trained(trained, base, decodable):
    assert any(line.startswith("Saved its base") for line in trained.said)
    assert base.labels == trained.card.labels
    assert base.first.head.sha256 == trained.card.training["head_sha256"]
    for split, seen in (("calibration", base.calibration), ("holdout", base.holdout)):
        assert set(seen.photos) == {e.sha256[:32] for e in decodable if e.split == split}


def test_its_features_are_nearly_those_of_the_network(trained, base, decodable):
    engine = OnnxEngine(trained.version)
    by_photo = {example.sha256[:32]: example for example in decodable}

    for photo, kept in zip(base.holdout.photos, base.holdout.plain, strict=True):
        pixels = decode_photo(by_photo[photo].path.read_bytes()).pixels
        _, features = engine.run(_prepared(pixels, trained.card.side))
        assert np.linalg.norm(kept - features[0]) < 0.01 * np.linalg.norm(features[0])


def _prepared(pixels, side):
    from ml.photos import fit

    return fit(pixels, side)[np.newaxis]


def test_answers_from_its_features_are_those_of_the_engine(trained, base, decodable):
    engine, mind = OnnxEngine(trained.version), mind_of(trained.version, trained.card)
    by_photo = {example.sha256[:32]: example for example in decodable}

    for photo, said in zip(base.holdout.photos, mind.answers(base.holdout), strict=True):
        asked = engine.predict(decode_photo(by_photo[photo].path.read_bytes()).pixels)
        assert said.answer == asked.answer
        assert said.confidence == pytest.approx(asked.confidence, abs=0.02)


def test_without_feedback_the_version_stays_what_it_is(trained, base):
    mind = mind_of(trained.version, trained.card)
    nothing = base.calibration.only(np.zeros(len(base.calibration), bool))

    taught = Teacher(base, mind).teach(nothing, nothing)

    assert taught.first.sha256 == mind.first.sha256
    assert taught.card == mind.card


def test_what_is_read_is_what_was_written(base):
    again = from_bytes(to_bytes(base), base.sha256)

    assert to_bytes(again) == to_bytes(base)
    assert again.traits == base.traits
    assert again.about == base.about


def test_it_is_called_by_what_is_in_it(trained, base):
    (path,) = (trained.models / BASES).glob("*.npz")

    assert base.sha256.startswith(path.stem)
    assert base_digest(trained.models, trained.card) == path.stem


def test_it_holds_no_path_and_no_photo(trained, base):
    assert str(trained.folder.parent) not in json.dumps(base.about)
    names = {path.name for path in (trained.models / BASES).iterdir()}
    assert len(names) == 1


def test_a_changed_byte_is_refused(trained, tmp_path):
    (path,) = shutil.copytree(trained.models / BASES, tmp_path / BASES).glob("*.npz")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    with pytest.raises(BaseError, match="not the file that was saved"):
        load_base(path)


@pytest.mark.parametrize("content", [b"", b"no base", b"PK\x03\x04 and no more"])
def test_what_is_no_base_is_refused(content):
    with pytest.raises(BaseError, match="no base"):
        from_bytes(content, "")


def test_other_files_beside_it_are_passed_over(trained, tmp_path):
    shutil.copytree(trained.models / BASES, tmp_path / BASES)
    (tmp_path / BASES / "0000000000000000.npz").write_bytes(b"no base")
    (tmp_path / BASES / "notes.txt").touch()

    assert find_base(tmp_path, trained.card).labels == trained.card.labels


@pytest.mark.parametrize(
    "change",
    [
        {"labels": ("rings", "checks")},
        {"preprocessing": "another-1"},
        {"training": {"backbone_sha256": "0" * 64}},
    ],
)
def test_the_base_of_another_version_does_not_serve(trained, change):
    with pytest.raises(BaseError, match="There is no base for version"):
        find_base(trained.models, replace(trained.card, **change))


def test_a_full_disk_leaves_nothing_behind(base, tmp_path, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)

    with pytest.raises(OSError, match="No space left"):
        save_base(tmp_path, base)

    assert list((tmp_path / BASES).iterdir()) == []


def test_a_version_that_exists_gets_its_base_by_a_command(trained, tmp_path, capsys):
    root = tmp_path / "models"
    shutil.copytree(trained.version, root / trained.card.version)
    neither = tmp_path / "neither"
    shutil.copytree(trained.folder / "rings", neither / "drawings")

    command = ["--models", str(root), "base", "--version", trained.card.version]
    command += ["--data", str(trained.folder), "--neither", str(neither)]
    status = main([*command, "--cache", str(trained.cache)])

    assert status == 0
    assert "Saved its base" in capsys.readouterr().out
    made = find_base(root, trained.card)
    assert set(made.kinds) == {"drawings"}
    assert len(made.strangers) == len(list((trained.folder / "rings").glob("[0-9]*.png")))
    assert (made.strangers.targets == -1).all()


def test_a_command_without_the_version_tells_what_is_wrong(trained, tmp_path, capsys):
    command = ["--models", str(tmp_path), "base", "--version", "1", "--data", str(trained.folder)]

    assert main([*command, "--cache", str(tmp_path / "cache")]) == 1
    assert "card.json cannot be read" in capsys.readouterr().err


def test_photos_of_other_labels_make_no_base(trained, tmp_path, decodable):
    foreign = [replace(example, label="otter") for example in decodable]

    with pytest.raises(ValueError, match="The version knows rings, stripes. Received: otter"):
        make_base(trained.models, trained.card.version, foreign, tmp_path)
