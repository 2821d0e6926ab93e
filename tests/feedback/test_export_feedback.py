import csv
import io

import pytest
from django.core.management import CommandError, call_command

from feedback.models import Feedback
from tests.limits import limit_file_size
from tests.make import make_feedback, make_prediction, make_review, make_teaching, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def live():
    return make_version(live=True)


def exported(**options):
    said = io.StringIO()
    call_command("export_feedback", stdout=said, stderr=io.StringIO(), **options)
    return list(csv.DictReader(io.StringIO(said.getvalue())))


def test_each_opinion_is_a_row_with_what_was_said_and_decided():
    approved, left_out, new = (make_teaching(number=number) for number in range(3))
    make_review(approved, label="dog")
    make_review(left_out, label="")

    rows = exported()

    assert [row["id"] for row in rows] == [str(each.pk) for each in (approved, left_out, new)]
    assert [row["reviewed"] for row in rows] == ["dog", "left out", ""]
    assert (rows[0]["answer"], rows[0]["label"], rows[0]["right"]) == ("cat", "dog", "False")
    assert rows[0]["photo_sha256"] == approved.prediction.photo_sha256


def test_nobody_is_named_and_no_comment_becomes_a_formula():
    make_feedback(make_prediction(person="visitor:ada"), correct=True, comment="=1+1")

    (row,) = exported()

    assert "ada" not in "".join(row.values())
    assert row["comment"] == "'=1+1"


def test_without_feedback_there_is_the_heading_alone(capsys):
    call_command("export_feedback")

    assert capsys.readouterr().out.splitlines()[0].startswith("id,created_at,prediction")
    assert not Feedback.objects.exists()


def test_approved_photos_become_a_folder_to_train_on(tmp_path):
    dog, neither, new = (make_teaching(number=number) for number in range(3))
    make_review(dog, label="dog")
    make_review(neither, label="neither")

    exported(photos=tmp_path / "out")

    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.jpg"))
    assert found == [
        f"out/labels/dog/{dog.prediction.photo_sha256}.jpg",
        f"out/neither/{neither.prediction.photo_sha256}.jpg",
    ]


def test_an_export_replaces_the_one_before(tmp_path):
    feedback = make_teaching()
    make_review(feedback, label="dog")
    exported(photos=tmp_path / "out")
    feedback.delete()

    exported(photos=tmp_path / "out")

    assert list(tmp_path.rglob("*.jpg")) == []
    assert not list(tmp_path.glob(".out*"))


def test_a_folder_of_somebody_else_s_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")

    with pytest.raises(CommandError, match="holds something else"):
        exported(photos=tmp_path)

    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_full_disk_loses_nothing_of_before(tmp_path):
    make_teaching()
    target = tmp_path / "feedback.csv"
    exported(output=target)
    before = target.read_text()

    with limit_file_size(10), pytest.raises(CommandError):
        exported(output=target)

    assert target.read_text() == before
    assert not list(tmp_path.glob(".feedback*"))
