"""What is kept may be lost, changed or half-written: it is made again, and nothing fails."""

import pytest

from ml.keeping import Kept
from tests.limits import limit_file_size


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path / "networks")


def never():
    raise AssertionError("It is there already.")


def the_file(tmp_path):
    (path,) = (tmp_path / "networks").iterdir()
    return path


def test_what_was_made_is_there_the_next_time(kept):
    assert kept.get("one", lambda: b"a network") == b"a network"

    assert kept.get("one", never) == b"a network"
    assert kept.get("another", lambda: b"another network") == b"another network"


@pytest.mark.parametrize("place", [0, 31, 32, -1])
def test_a_changed_file_is_made_again(kept, tmp_path, place):
    kept.get("one", lambda: b"a network")
    content = bytearray(the_file(tmp_path).read_bytes())
    content[place] ^= 1
    the_file(tmp_path).write_bytes(content)

    assert kept.get("one", lambda: b"made again") == b"made again"
    assert kept.get("one", never) == b"made again"


@pytest.mark.parametrize("length", [0, 10, 32, 40])
def test_a_file_that_was_cut_off_is_made_again(kept, tmp_path, length):
    kept.get("one", lambda: b"a network")
    the_file(tmp_path).write_bytes(the_file(tmp_path).read_bytes()[:length])

    assert kept.get("one", lambda: b"made again") == b"made again"


def test_a_file_under_anothers_name_is_not_taken_for_it(kept, tmp_path):
    kept.get("one", lambda: b"a network")
    first = the_file(tmp_path)
    kept.get("another", lambda: b"another network")
    (second,) = set(first.parent.iterdir()) - {first}
    first.replace(second)

    assert kept.get("another", lambda: b"made again") == b"made again"


def test_on_a_full_disk_what_was_made_is_used_and_nothing_is_left(kept, tmp_path):
    with limit_file_size(16):
        assert kept.get("one", lambda: b"a network" * 1000) == b"a network" * 1000

    assert not list((tmp_path / "networks").iterdir())


def test_a_making_that_fails_or_is_interrupted_keeps_nothing(kept, tmp_path):
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept.get("one", interrupted)

    assert kept.get("one", lambda: b"a network") == b"a network"


def test_the_oldest_are_forgotten(kept, tmp_path):
    for number in range(40):
        kept.get(str(number), lambda: b"a network")

    assert len(list((tmp_path / "networks").iterdir())) == 28
    assert kept.get("39", never) == b"a network"


def test_what_says_something_of_photos_can_be_forgotten_and_nothing_else_is(kept):
    kept.get("features", lambda: b"of photos", of_photos=True)
    kept.get("one", lambda: b"a network")

    kept.forget_photos()

    assert kept.get("features", lambda: b"made again", of_photos=True) == b"made again"
    assert kept.get("one", never) == b"a network"


def test_forgetting_where_nothing_is_kept_is_no_error(kept, tmp_path):
    kept.forget_photos()

    assert not list(tmp_path.iterdir())
