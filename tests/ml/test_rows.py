import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.rows import COLUMNS, Limits, answer_file, real_path, written
from tests.ml.answers import LookingEngine
from tests.photos import photo_bytes

# Whatever a file may be called: bytes but for the null byte, many of them no UTF-8.
pieces = st.sampled_from([b"\\", b"x", b"f", b"ff", b"\xff", b"=", b"/", b"."])
paths = st.one_of(
    st.binary(min_size=1).map(lambda name: name.replace(b"\0", b"/")),
    st.lists(pieces, min_size=1).map(b"".join),
).map(os.fsdecode)


class BrokenEngine(LookingEngine):
    def predict(self, pixels):
        raise FloatingPointError("The network's output is not a finite number.")


def ask(path, engine=None, **limits):
    return answer_file(engine or LookingEngine(), str(path), Limits(**limits))


def test_an_answer_has_what_a_prediction_has(tmp_path):
    (tmp_path / "cat.jpg").write_bytes(photo_bytes())

    row = ask(tmp_path / "cat.jpg")

    assert ("path", *row) == COLUMNS[: len(row) + 1]
    assert (row["answer"], row["label"], row["version"]) == ("cat", "cat", "2026-01-01.1")
    assert row["probabilities"]["cat"] == row["confidence"] > 0.9


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"no photo", "unsupported_format"),
        (photo_bytes()[:400], "broken_image"),
        (photo_bytes(size=(80, 80)), "too_many_pixels"),
        (photo_bytes() + bytes(5000), "too_large"),
    ],
)
def test_a_photo_that_is_refused_has_a_code_and_says_why(tmp_path, data, code):
    (tmp_path / "photo.jpg").write_bytes(data)

    row = ask(tmp_path / "photo.jpg", max_bytes=5000, max_pixels=5000)

    assert list(row) == ["code", "detail"]
    assert row["code"] == code
    assert row["detail"].endswith(".")


@pytest.mark.parametrize("kind", ["nothing", "folder", "pipe", "dangling link", "device"])
def test_what_cannot_be_read_is_unreadable_and_nobody_waits_for_it(tmp_path, kind):
    path = tmp_path / "photo.jpg"
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "dangling link":
            path.symlink_to("nowhere")
        case "device":
            path.symlink_to("/dev/zero")

    row = ask(path)

    assert row["code"] == "unreadable"
    assert row["detail"].startswith("The file cannot be read: ")


def test_a_photo_that_no_answer_comes_of_ends_nothing(tmp_path):
    (tmp_path / "cat.jpg").write_bytes(photo_bytes())

    row = ask(tmp_path / "cat.jpg", BrokenEngine())

    assert row["code"] == "no_answer"
    assert "not a finite number" in row["detail"]


@settings(deadline=None)  # a busy machine is no failure
@given(paths)
def test_any_path_can_be_written_and_had_back(path):
    text = written(path)

    text.encode("utf-8")
    assert os.path.normpath(real_path(text)) == os.path.normpath(path)
    assert not text.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@settings(deadline=None)
@given(paths, paths)
def test_two_paths_are_never_written_alike(one, other):
    if os.path.normpath(one) != os.path.normpath(other):
        assert written(one) != written(other)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"photos/\xc3\xa9t\xc3\xa9.jpg", "photos/été.jpg"),
        (b"photos/\xe9t\xe9.jpg", r"photos/\xe9t\xe9.jpg"),
        (rb"photos/a\b.jpg", r"photos/a\b.jpg"),
        (rb"photos/a\xe9.jpg", r"photos/a\\xe9.jpg"),
        (b"=1+2.jpg", "./=1+2.jpg"),
        (b"-rf", "./-rf"),
    ],
)
def test_a_path_is_written_for_any_program(name, expected):
    assert written(os.fsdecode(name)) == expected
