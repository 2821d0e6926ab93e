from pathlib import Path

import pytest

from ml.strangers import describe_strangers, kind_of, show_strangers
from tests.make import FakeEngine, make_card
from tests.photos import photo_bytes


@pytest.fixture
def folder(tmp_path):
    """Two cars, an oak, and a file that is no photo."""
    for name in ("car.0001.png", "car.0002.png", "trees/oak.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(photo_bytes(format="PNG"))
    (tmp_path / "notes.txt").write_text("no photo")
    return tmp_path


@pytest.mark.parametrize(("threshold", "answered"), [(None, 3), (0.999, 0)])
def test_photos_of_something_else_that_are_answered_are_counted(folder, threshold, answered):
    engine = FakeEngine(make_card(unsure_below=threshold))

    strangers = show_strangers(engine, folder)

    share = strangers.share()
    assert (share.count, share.answered, share.unsure) == (3, answered, 3 - answered)
    assert len(strangers.answered()) == answered
    assert describe_strangers(strangers)[0].startswith(f"{answered / 3:.2%} of 3 photos")


def test_each_kind_is_counted_apart(folder):
    strangers = show_strangers(FakeEngine(make_card()), folder)

    assert {kind: share.count for kind, share in strangers.by_kind().items()} == {
        "car": 2,
        "trees": 1,
    }
    assert any(line.startswith("car ") for line in describe_strangers(strangers))


def test_a_folder_of_one_kind_is_counted_once(folder):
    (folder / "trees" / "oak.png").unlink()

    assert show_strangers(FakeEngine(make_card()), folder).by_kind() == {}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("people/1.jpg", "people"), ("people.0001.jpg", "people"), ("1.jpg", ""), ("a/b.c.d", "a")],
)
def test_a_kind_is_a_folder_or_what_a_name_begins_with(name, kind):
    assert kind_of(Path("shown") / name, Path("shown")) == kind


def test_novelty_is_known_of_all_photos_or_of_none(folder):
    assert show_strangers(FakeEngine(make_card()), folder).novelties is None


def test_a_folder_without_photos_of_something_else_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no photo that can be decoded"):
        show_strangers(FakeEngine(make_card()), tmp_path)
