import io
import json
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper

from classifier.models import ModelVersion
from ml.registry import load_card
from tests.ml.sheets import make_photos, rows_in, without_nothing
from tests.networks import write_tiny_version
from tests.photos import photo_bytes

LIVE, OTHER = "2026-01-01.1", "2026-01-01.2"


@pytest.fixture
def versions(settings, tmp_path, db):
    """Two versions on disk; the one that says "cat" is live."""
    settings.MODELS_DIR = tmp_path / "models"
    folder = write_tiny_version(settings.MODELS_DIR, LIVE)
    write_tiny_version(settings.MODELS_DIR, OTHER, logits=(0.0, 4.0))
    ModelVersion.objects.register(load_card(folder)).promote()
    return settings.MODELS_DIR


@pytest.fixture
def photos(tmp_path):
    return make_photos(tmp_path / "photos")


def classify(*paths, **options):
    """Rows and words of a run."""
    out, err = io.StringIO(), io.StringIO()
    call_command("classify", *map(str, paths), stdout=out, stderr=err, **options)
    return [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()


def test_a_photo_is_answered_by_the_live_version(versions, photos):
    rows, _ = classify(photos / "000.png")

    assert [(row["path"], row["answer"], row["version"]) for row in rows] == [
        (str(photos / "000.png"), "cat", LIVE)
    ]


def test_another_version_answers_if_it_is_named_and_no_database_is_asked(
    versions, photos, django_assert_num_queries
):
    with django_assert_num_queries(0):
        rows, _ = classify(photos / "000.png", model=OTHER)

    assert [(row["answer"], row["version"]) for row in rows] == [("dog", OTHER)]


def test_a_folder_is_answered_and_the_end_is_summed_up(versions, photos):
    (photos / "notes.txt").write_text("no photo")

    rows, said = classify(photos)

    assert [row.get("answer") for row in rows] == ["cat", "cat", None, "cat", "cat"]
    assert said == (
        "5 photos: 4 cat; 1 refused: 1 broken_image; left out: 1 no photo by its name.\n"
    )


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_rows_go_to_a_file_as_its_ending_says(versions, photos, tmp_path, ending):
    output = tmp_path / f"rows{ending}"

    printed, said = classify(photos, output=output)

    assert printed == []
    assert [*map(without_nothing, rows_in(output))] == [*map(without_nothing, classify(photos)[0])]
    assert f"The rows are in {output}." in said
    assert "\r" not in said  # nothing moves in a pipe


def test_the_same_command_does_nothing_twice(versions, photos, tmp_path):
    output = tmp_path / "rows.csv"
    classify(photos, output=output)
    before = output.read_bytes()

    _, said = classify(photos, output=output)

    assert output.read_bytes() == before
    assert "5 were there already" in said


def test_a_list_names_the_photos(versions, photos, tmp_path, monkeypatch):
    listed = "".join(f"{photos / name}\n" for name in ("003.png", "000.png"))
    (tmp_path / "list.txt").write_text(listed)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(listed.encode())))

    from_file, _ = classify(listed=str(tmp_path / "list.txt"))
    from_stdin, _ = classify(listed="-")

    assert [row["path"][-7:] for row in from_file] == ["003.png", "000.png"]
    assert from_stdin == from_file


class Tty(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_that_shows_the_rows_shows_nothing_between_them(versions, photos):
    said = Tty()
    call_command("classify", str(photos), stdout=OutputWrapper(Tty()), stderr=OutputWrapper(said))

    assert "a second" not in said.getvalue()


def test_a_terminal_sees_how_far_it_is(versions, photos, tmp_path):
    said = Tty()
    call_command("classify", str(photos), output=tmp_path / "rows.csv", stderr=OutputWrapper(said))

    assert "1 of 5 photos" in said.getvalue()
    assert "left" in said.getvalue()


def test_limits_are_those_of_uploads(versions, photos, settings, tmp_path):
    settings.PHOTO_MAX_BYTES, settings.PHOTO_MAX_PIXELS = 2000, 100
    (tmp_path / "large.jpg").write_bytes(photo_bytes() + bytes(2000))

    with pytest.raises(CommandError):
        classify(tmp_path / "large.jpg", photos / "000.png", output=tmp_path / "rows.jsonl")

    codes = [row["code"] for row in rows_in(tmp_path / "rows.jsonl")]
    assert codes == ["too_large", "too_many_pixels"]


def test_where_not_one_photo_could_be_answered_it_fails_and_says_why(versions, tmp_path, capsys):
    (tmp_path / "cat.jpg").write_bytes(b"no photo")

    with pytest.raises(CommandError, match="Not one photo could be answered") as failure:
        call_command("classify", str(tmp_path / "cat.jpg"))
    assert failure.value.returncode == 1
    assert json.loads(capsys.readouterr().out)["code"] == "unsupported_format"


def test_an_empty_folder_is_no_failure(versions, tmp_path):
    (tmp_path / "empty").mkdir()

    assert classify(tmp_path / "empty") == ([], "No photo.\n")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"paths": ["missing"]}, "There is no missing"),
        ({"paths": []}, "Name a PATH, or a list by --from"),
        ({"output": Path("rows.txt")}, r"must end in \.csv, \.jsonl, \.parquet, not 'rows\.txt'"),
        ({"output": Path("missing/rows.csv")}, "No such file or directory: 'missing/rows.csv'"),
        ({"listed": "missing"}, "No such file or directory: 'missing'"),
        ({"model": "missing"}, r"Version missing: card\.json cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is(versions, photos, options, reason):
    paths = options.pop("paths", [photos])

    with pytest.raises(CommandError, match=reason):
        classify(*paths, **options)


def test_rows_of_another_version_are_not_mixed_in(versions, photos, tmp_path):
    classify(photos, output=tmp_path / "rows.csv")

    with pytest.raises(CommandError, match=f"rows of version {LIVE}.*--model {LIVE}"):
        classify(photos, output=tmp_path / "rows.csv", model=OTHER)

    classify(photos, output=tmp_path / "rows.csv", model=OTHER, overwrite=True)
    assert {row.get("version") for row in rows_in(tmp_path / "rows.csv")} == {OTHER, None}


def test_changed_files_of_a_version_answer_nothing(versions, photos):
    (versions / LIVE / "model.onnx").write_bytes(b"changed")

    with pytest.raises(CommandError, match="not the file that was saved"):
        classify(photos)


def test_a_network_that_talks_nonsense_answers_nothing(versions, photos):
    write_tiny_version(versions, "nonsense", logits=(float("nan"), 0.0))

    with pytest.raises(CommandError, match="nonsense cannot answer"):
        classify(photos, model="nonsense")


def test_without_a_live_version_it_is_said_what_to_do(db, photos):
    with pytest.raises(CommandError, match="No version is live.*register_models"):
        classify(photos)


def test_help_teaches(capsys):
    with pytest.raises(SystemExit) as end:
        call_command("classify", "--help")

    said = capsys.readouterr().out
    assert end.value.code == 0
    assert "examples:\n" in said
    assert "exit status:\n  0  " in said
    assert max(map(len, said.splitlines())) <= 100
