import os
import shutil
import subprocess

import pytest

from ml.bulk_paths import HIDDEN, NO_PHOTO, VISITED, Photos, Seen


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder, in which the tests are."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(*names):
    for name in names:
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        with open(name, "wb"):
            pass


def find(*places, listed=()):
    """What is found, and how much was left out."""
    with Seen() as seen:
        photos = Photos([*places], listed, seen)
        return list(photos), dict(photos.left_out)


def test_a_folder_is_gone_through_with_all_folders_in_it_in_the_order_of_paths(place):
    names = ["in/a.jpg", "in/a/b/1.png", "in/a/b/2.HEIC", "in/b.webp", "in/c/1.jpeg", "in/é.gif"]
    make(*reversed(names))

    found, left_out = find("in")

    assert found == sorted(names)
    assert not left_out


def test_what_is_no_photo_by_its_name_or_hidden_is_left_out_and_counted(place):
    make("in/a.jpg", "in/a.txt", "in/b", "in/.a.jpg", "in/.cache/a.jpg")

    assert find("in") == (["in/a.jpg"], {NO_PHOTO: 2, HIDDEN: 2})


def test_what_is_named_is_a_photo_whatever_its_name(place):
    make("notes.txt", ".hidden")

    assert find("notes.txt", ".hidden", "missing") == (["notes.txt", ".hidden", "missing"], {})


def test_each_photo_comes_once_however_often_it_is_named(place):
    make("in/a.jpg", "in/b.jpg", "c.jpg")

    found, _ = find("in/b.jpg", "in", "c.jpg", "in/a.jpg", listed=[b"c.jpg\n", b"./in//a.jpg\n"])

    assert found == ["in/b.jpg", "in/a.jpg", "c.jpg"]


def test_links_that_lead_back_end(place):
    make("in/a.jpg", "in/deep/b.jpg")
    os.symlink("..", "in/deep/loop")
    os.symlink("loop", "in/loop")  # to itself
    os.symlink("../in", "in/other")

    found, left_out = find("in")

    assert found == ["in/a.jpg", "in/deep/b.jpg"]
    assert left_out == {VISITED: 2, NO_PHOTO: 1}


def test_links_to_folders_are_followed_and_each_folder_is_looked_through_once(place):
    make("elsewhere/a.jpg", "in/b.jpg")
    os.symlink("../elsewhere", "in/c")
    os.symlink("../elsewhere", "in/d")

    assert find("in") == (["in/b.jpg", "in/c/a.jpg"], {VISITED: 1})


def test_a_link_that_leads_nowhere_is_among_the_photos_for_the_reader_to_say_so(place):
    os.mkdir("in")
    os.symlink("nowhere", "in/a.jpg")

    assert find("in")[0] == ["in/a.jpg"]


def test_a_folder_that_cannot_be_opened_is_among_the_photos_likewise(place):
    make("in/a.jpg", "in/b/1.jpg", "in/c.jpg")
    with Seen() as seen:
        photos = iter(Photos(["in"], (), seen))
        assert next(photos) == "in/a.jpg"
        shutil.rmtree("in/b")

        assert list(photos) == ["in/b/", "in/c.jpg"]


def test_a_folder_deeper_than_python_recurses_is_gone_through(place):
    here = os.open(".", os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d")
        os.chdir("d")
    make("a.jpg")
    os.fchdir(here)
    os.close(here)

    found, _ = find("d")

    assert found == ["d/" * 1500 + "a.jpg"]
    subprocess.run(["rm", "-r", "d"], check=True)  # what tidies up after tests recurses, too


def test_a_list_names_photos_and_folders_a_line_each(place):
    make("in/a.jpg", "in/ b.jpg")

    found, _ = find(listed=[b"in\r\n", b"\n", b"x y.jpg\n", b"\xff.jpg"])

    assert found == ["in/ b.jpg", "in/a.jpg", "x y.jpg", os.fsdecode(b"\xff.jpg")]


def test_a_list_is_read_as_photos_are_wanted():
    def lines():
        yield b"a.jpg\n"
        raise AssertionError("read on though nobody asked")

    with Seen() as seen:
        assert next(iter(Photos([], lines(), seen))) == "a.jpg"


def test_what_was_seen_is_told_apart_among_many():
    with Seen() as seen:
        assert all(seen.add(f"photos/{number}.jpg") for number in range(20_000))
        assert not any(seen.add(f"photos/{number}.jpg") for number in range(0, 20_000, 7))
        assert seen.add("photos/20000.jpg")
