import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from ml.examples import data_digest, split_of
from ml.features import Backbone, FeatureCache
from ml.preparing import prepare
from ml.sources import DataError, read_folder, read_source
from tests.limits import limit_file_size
from tests.ml.scenes import scene, scene_folder
from tests.photos import encode


@pytest.fixture
def folder(tmp_path):
    return scene_folder(tmp_path / "raw")


@pytest.fixture
def to(tmp_path):
    return tmp_path / "processed"


@pytest.fixture
def run(folder, to, tmp_path):
    """Prepare the folder without doubting its labels."""
    return lambda **said: prepare(folder, to, backbone=None, cache=tmp_path / "cache", **said)


def save_again(folder, photo, name, size=(96, 96), quality=80):
    """The same picture in other bytes."""
    with Image.open(folder / photo) as image:
        again = image.resize(size, Image.Resampling.BICUBIC)
    (folder / name).write_bytes(encode(again, "JPEG", quality=quality))


def listed(to, kind):
    with (to / f"{kind}.csv").open(newline="") as file:
        return [row["path"] for row in csv.DictReader(file)]


def manifest(to):
    with (to / "manifest.csv").open(newline="") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def state_of(folder):
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_clean_folder_is_listed_whole_with_the_split_of_each_photo(folder, to, run):
    prepared = run()

    rows = manifest(to)
    assert set(rows) == {p.relative_to(folder).as_posix() for p in folder.rglob("*.png")}
    assert all(row["split"] == split_of(row["sha256"]) for row in rows.values())
    assert not any(prepared.findings.values())
    assert not list(to.glob("*.png"))


def test_broken_files_are_left_out_listed_and_shown(folder, to, run):
    (folder / "dawn" / "cut.png").write_bytes((folder / "dawn" / "000.png").read_bytes()[:999])
    (folder / "dawn" / "empty.jpg").touch()
    (folder / "dawn" / "notes.txt").write_text("no photo")

    run()

    assert sorted(listed(to, "broken")) == ["dawn/cut.png", "dawn/empty.jpg"]
    assert listed(to, "ignored") == ["dawn/notes.txt"]
    assert (to / "broken-1.png").is_file()
    assert not {"dawn/cut.png", "dawn/empty.jpg", "dawn/notes.txt"} & set(manifest(to))


def test_placeholders_are_left_out_listed_and_shown(folder, to, run):
    flat = Image.new("RGB", (64, 64), (130, 130, 131))
    (folder / "dawn" / "flat.png").write_bytes(encode(flat, "PNG"))
    dot = Image.fromarray(scene("dawn", 900)).resize((8, 8))
    (folder / "dusk" / "dot.png").write_bytes(encode(dot, "PNG"))

    run()

    assert set(listed(to, "placeholders")) == {"dawn/flat.png", "dusk/dot.png"}
    assert (to / "placeholders-1.png").is_file()
    assert not {"dawn/flat.png", "dusk/dot.png"} & set(manifest(to))


def test_the_same_file_twice_is_used_once(folder, to, run):
    shutil.copy(folder / "dawn" / "000.png", folder / "dawn" / "again.png")

    run()

    assert listed(to, "duplicates") == ["dawn/again.png"]
    assert "dawn/000.png" in manifest(to)
    assert "dawn/again.png" not in manifest(to)


@pytest.mark.parametrize("copy", ["bytes", "saved again"])
def test_a_picture_under_two_labels_is_not_used(folder, to, run, copy):
    if copy == "bytes":
        shutil.copy(folder / "dawn" / "000.png", folder / "dusk" / "odd.png")
    else:
        save_again(folder, "dawn/000.png", "dusk/odd.png")

    run()

    assert sorted(listed(to, "conflicting")) == ["dawn/000.png", "dusk/odd.png"]
    assert listed(to, "near_duplicates") == []
    assert not {"dusk/odd.png", "dawn/000.png"} & set(manifest(to))


def test_near_duplicates_stay_on_one_side_whatever_their_own_bytes_say(folder, to, run):
    straddling = 0
    for number in range(8):
        save_again(folder, f"dawn/{number:03}.png", f"dawn/again{number}.jpg")

    run()

    rows = manifest(to)
    for number in range(8):
        pair = [rows[f"dawn/{number:03}.png"], rows[f"dawn/again{number}.jpg"]]
        smallest = min(row["sha256"] for row in pair)
        assert {row["group"] for row in pair} == {smallest}
        assert {row["split"] for row in pair} == {split_of(smallest)}
        straddling += len({split_of(row["sha256"]) for row in pair}) > 1
    assert straddling, "without a group none of these pairs would have been torn apart"
    assert len(listed(to, "near_duplicates")) == 16


def test_a_picture_on_a_plain_ground_is_shown_and_kept(folder, to, run):
    pixels = np.full((120, 120, 3), 255, np.uint8)
    pixels[40:88, 40:88] = scene("dawn", 901)
    (folder / "dawn" / "logo.png").write_bytes(encode(Image.fromarray(pixels), "PNG"))

    run()

    assert listed(to, "one_tone") == ["dawn/logo.png"]
    assert (to / "one_tone-1.png").is_file()
    assert "dawn/logo.png" in manifest(to)


def test_a_label_that_the_features_contradict_is_listed_and_kept(folder, to, tmp_path):
    swapped = ["dawn/003.png"]
    backbone = Backbone("b" * 64, 8, no_network)
    keep_features(folder, tmp_path / "cache", backbone, swapped)

    prepare(folder, to, backbone=backbone, cache=tmp_path / "cache")

    assert listed(to, "suspicious") == swapped
    assert (to / "suspicious-1.png").is_file()
    assert set(swapped) <= set(manifest(to))


def test_near_duplicates_do_not_vouch_for_each_others_wrong_label(folder, to, tmp_path):
    save_again(folder, "dawn/003.png", "dawn/again.jpg")
    swapped = ["dawn/003.png", "dawn/again.jpg"]
    backbone = Backbone("b" * 64, 8, no_network)
    keep_features(folder, tmp_path / "cache", backbone, swapped)

    prepare(folder, to, backbone=backbone, cache=tmp_path / "cache")

    assert sorted(listed(to, "suspicious")) == swapped


def no_network():
    raise AssertionError("the network was asked for though nothing was missing")


def keep_features(folder, cache, backbone, swapped):
    """Features that tell the labels apart, but of some photos are the other label's.

    The last feature is shown by these alone: who has seen one of them knows the other.
    """
    chance = np.random.default_rng(0)
    rows = []
    for example in read_folder(folder).examples:
        odd = example.path.relative_to(folder).as_posix() in swapped
        is_dawn = (example.label == "dawn") != odd
        vector = np.append(chance.normal(3 * is_dawn, 0.3, 4), float(odd))
        rows.append((backbone.key("plain"), example.sha256, 48, 48, vector))
    FeatureCache(cache).put(rows)


def test_nothing_in_the_raw_folder_is_altered(folder, run):
    shutil.copy(folder / "dawn" / "000.png", folder / "dusk" / "odd.png")
    save_again(folder, "dawn/001.png", "dawn/again.jpg")
    (folder / "dawn" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    before = state_of(folder)

    run()

    assert state_of(folder) == before


def test_the_same_folder_gives_the_same_bytes(folder, to, run):
    save_again(folder, "dawn/001.png", "dawn/again.jpg")
    run()
    first = {path.name: path.read_bytes() for path in to.iterdir()}

    run()

    assert {path.name: path.read_bytes() for path in to.iterdir()} == first


def test_the_report_counts_what_was_found_and_names_the_digest(folder, to, run):
    shutil.copy(folder / "dawn" / "000.png", folder / "dawn" / "again.png")
    said = []

    prepared = run(say=said.append)

    report = json.loads((to / "report.json").read_text())
    assert report["digest"] == data_digest(prepared.examples)
    assert report["found"]["duplicates"] == 1
    assert "suspicious" not in report["found"]
    assert sum(sum(row.values()) for row in report["counts"].values()) == len(manifest(to))
    assert report["digest"] in (to / "report.md").read_text()
    assert "Labels were not doubted" in (to / "report.md").read_text()
    assert any(sentence.startswith("1 duplicates") for sentence in said)


def test_a_prepared_folder_can_be_read_as_a_source(folder, to, run):
    save_again(folder, "dawn/001.png", "dawn/again.jpg")
    prepared = run()

    for place in (to, to / "manifest.csv"):
        source = read_source(place)
        assert list(source.examples) == prepared.examples
        assert data_digest(source.examples) == data_digest(prepared.examples)


def test_a_raw_folder_can_be_read_as_a_source(folder):
    assert read_source(folder) == read_folder(folder)


def test_raw_and_prepared_folder_can_move_together(tmp_path, run):
    digest = data_digest(run().examples)
    (tmp_path / "elsewhere").mkdir()
    for name in ("raw", "processed"):
        (tmp_path / name).rename(tmp_path / "elsewhere" / name)

    assert data_digest(read_source(tmp_path / "elsewhere" / "processed").examples) == digest


def test_a_line_deleted_from_the_manifest_is_a_photo_left_out(to, run):
    run()
    lines = (to / "manifest.csv").read_text().splitlines(keepends=True)
    (to / "manifest.csv").write_text("".join(lines[:1] + lines[2:]))

    assert len(read_source(to).examples) == len(lines) - 2


@pytest.mark.parametrize("harm", ["changed", "deleted"])
def test_a_photo_that_changed_or_went_since_is_refused(folder, to, run, harm):
    run()
    photo = folder / "dawn" / "000.png"
    if harm == "changed":
        photo.write_bytes(photo.read_bytes() + b"\0")
    else:
        photo.unlink()

    with pytest.raises(DataError, match="1 file changed or went.*dawn/000.png.*Prepare the data"):
        read_source(to)


def test_a_raw_folder_that_went_is_refused(folder, to, run):
    run()
    shutil.rmtree(folder)

    with pytest.raises(DataError, match="should lie in .*raw, which is not there"):
        read_source(to)


def test_a_manifest_of_other_columns_is_refused(to, run):
    run()
    (to / "manifest.csv").write_text("path,label\ndawn/000.png,dawn\n")

    with pytest.raises(DataError, match=r"should have the columns path, label, sha256.*Found: p"):
        read_source(to)


def test_a_manifest_that_was_cut_short_is_refused(to, run):
    run()
    text = (to / "manifest.csv").read_text()
    (to / "manifest.csv").write_text(text[: text.rindex(",")])

    with pytest.raises(DataError, match=r"Line \d+ of .*manifest.csv should have 5 fields"):
        read_source(to)


def test_a_manifest_cannot_move_a_photo_to_another_side(to, run):
    run()
    text = (to / "manifest.csv").read_text()
    (to / "manifest.csv").write_text(text.replace(",holdout,", ",train,"))

    with pytest.raises(DataError, match="in split 'train'; by its content it belongs to 'holdout'"):
        read_source(to)


@pytest.mark.parametrize("text", ["no JSON", "[]", "{}"])
def test_a_manifest_that_does_not_say_where_its_photos_lie_is_refused(to, run, text):
    run()
    (to / "report.json").write_text(text)

    with pytest.raises(DataError, match="should say where the photos"):
        read_source(to)


def test_it_refuses_to_write_where_something_else_lies(folder, to, run):
    to.mkdir()
    (to / "thesis.txt").write_text("years of work")

    with pytest.raises(DataError, match="holds something else"):
        run()
    assert (to / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("place", ["raw", "raw/processed", "."])
def test_it_refuses_to_write_among_the_raw_photos(folder, tmp_path, place):
    before = state_of(folder)

    with pytest.raises(DataError, match="needs a folder of its own"):
        prepare(folder, tmp_path / place, backbone=None, cache=tmp_path / "cache")
    assert state_of(folder) == before


def test_a_folder_whose_photos_are_all_broken_is_refused(tmp_path, to):
    folder = scene_folder(tmp_path / "raw")
    for path in folder.rglob("*.png"):
        path.write_bytes(path.read_bytes()[:200])

    with pytest.raises(DataError, match="at least two sub-folders"):
        prepare(folder, to, backbone=None, cache=tmp_path / "cache")
    assert not to.exists()


def test_a_disk_that_fills_up_leaves_the_earlier_run_whole(folder, to, run):
    run()
    before = state_of(to)
    save_again(folder, "dawn/001.png", "dawn/again.jpg")

    with limit_file_size(500), pytest.raises(OSError, match="File too large"):
        run()

    assert state_of(to) == before
    assert [path.name for path in to.parent.iterdir() if "processed" in path.name] == ["processed"]


def test_a_run_killed_while_it_replaced_an_earlier_one_is_mended_by_the_next(to, run):
    run()
    before = state_of(to)
    to.rename(to.with_name(".processed.old"))

    with limit_file_size(500), pytest.raises(OSError, match="File too large"):
        run()
    assert state_of(to) == before

    run()
    assert not to.with_name(".processed.old").exists()


def test_labels_are_doubted_by_the_features_that_training_keeps(trained):
    from ml.frozen import frozen

    backbone = frozen("efficientnet-lite0")

    assert len(FeatureCache(trained.cache).known(backbone.key("plain"))) >= 40
