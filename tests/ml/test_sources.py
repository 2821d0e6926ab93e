import shutil

import pytest

from ml.sources import DataError, read_folder
from tests.ml.drawn import draw_folder


@pytest.fixture
def folder(tmp_path):
    return draw_folder(tmp_path / "photos")


def content_of(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_sub_folder_is_a_label(folder):
    source = read_folder(folder)

    assert {example.label for example in source.examples} == {"rings", "stripes"}
    assert all(example.path.parent.name == example.label for example in source.examples)
    assert source.report() == []


def test_a_photo_that_lies_there_twice_is_kept_once_and_reported(folder):
    shutil.copy(folder / "rings" / "000.png", folder / "rings" / "again.png")

    source = read_folder(folder)

    assert [path.name for path in source.duplicates] == ["again.png"]
    assert len({example.sha256 for example in source.examples}) == len(source.examples)
    assert "rings/again.png" in source.report()[0]


def test_a_photo_under_two_labels_is_reported_and_left_out(folder):
    shutil.copy(folder / "rings" / "000.png", folder / "stripes" / "odd.png")

    source = read_folder(folder)

    assert {path.name for path in source.conflicting} == {"000.png", "odd.png"}
    assert not {example.path for example in source.examples} & set(source.conflicting)


def test_empty_files_and_files_of_other_kinds_are_reported_and_stop_nothing(folder):
    (folder / "rings" / "empty.jpg").touch()
    (folder / "rings" / "notes.txt").write_text("not a photo")

    source = read_folder(folder)

    assert [path.name for path in source.unreadable] == ["empty.jpg"]
    assert [path.name for path in source.ignored] == ["notes.txt"]


def test_nothing_in_the_folder_is_changed(folder):
    shutil.copy(folder / "rings" / "000.png", folder / "stripes" / "odd.png")
    before = content_of(folder)

    read_folder(folder)

    assert content_of(folder) == before


def test_it_refuses_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="There is no folder .*missing"):
        read_folder(tmp_path / "missing")


def test_it_refuses_an_empty_folder(tmp_path):
    with pytest.raises(DataError, match="at least two sub-folders.* Found photos for: none"):
        read_folder(tmp_path)


def test_it_refuses_one_label_alone(folder):
    shutil.rmtree(folder / "stripes")

    with pytest.raises(DataError, match="at least two sub-folders.* Found photos for: rings"):
        read_folder(folder)


def test_it_refuses_a_label_with_too_few_photos(folder):
    for path in sorted((folder / "stripes").iterdir())[1:]:
        path.unlink()

    with pytest.raises(DataError, match="'stripes' has 1 photo that.*at least 20"):
        read_folder(folder)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("neither", "No label can be called 'neither', which is an answer of its own"),
        ("unsure", "No label can be called 'unsure'"),
        ("s" * 65, "at most 64 characters. Received: .*, of 65"),
    ],
)
def test_it_refuses_a_label_that_no_answer_could_tell(folder, name, reason):
    (folder / "stripes").rename(folder / name)

    with pytest.raises(DataError, match=reason):
        read_folder(folder)


def test_it_refuses_a_label_that_a_split_has_no_photo_of(tmp_path):
    folder = draw_folder(tmp_path / "many", at_least=40)
    for example in read_folder(folder).examples:
        if example.split == "holdout":
            example.path.unlink()

    with pytest.raises(DataError, match="No photo of .* falls into the holdout split"):
        read_folder(folder)
