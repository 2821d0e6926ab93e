import argparse
import json
import sys
from pathlib import Path

import pytest

from ml.evaluating import (
    Plan,
    ReportError,
    add_arguments,
    evaluate_version,
    plan_from,
)
from ml.sources import DataError
from tests.limits import limit_file_size
from tests.ml.answers import LookingEngine
from tests.ml.drawn import draw_folder
from tests.photos import photo_bytes

LABELS = ("rings", "stripes")


@pytest.fixture
def data(tmp_path):
    return draw_folder(tmp_path / "photos")


@pytest.fixture
def strangers(tmp_path):
    folder = tmp_path / "strangers"
    folder.mkdir()
    for name in ("car.1.png", "tree.1.png"):
        (folder / name).write_bytes(photo_bytes(format="PNG"))
    return folder


@pytest.fixture
def report(tmp_path):
    pytest.importorskip("matplotlib", reason="training is not installed")
    return tmp_path / "report"


def run(plan, **card):
    said = []
    evaluate_version(LookingEngine(labels=LABELS, **card), plan, said.append)
    return said


def plan_of(*arguments):
    parser = argparse.ArgumentParser()
    add_arguments(parser, Path("default"))
    return plan_from(vars(parser.parse_args(["1", *arguments])))


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def test_the_holdout_is_scored_or_all_there_is(data):
    some, everything = run(Plan(data)), run(Plan(data, everything=True))

    count = len(list(data.rglob("*.png")))
    assert f"of {count} photos right" in everything[0]
    assert f"of {count} photos right" not in some[0]


def test_a_folder_too_small_to_train_on_can_be_scored_whole(tmp_path):
    (tmp_path / "rings").mkdir()
    (tmp_path / "rings" / "1.png").write_bytes(photo_bytes(format="PNG"))

    assert "of 1 photos right" in run(Plan(tmp_path, everything=True))[0]
    with pytest.raises(DataError, match="at least two sub-folders"):
        run(Plan(tmp_path))
    with pytest.raises(DataError, match="Found none"):
        run(Plan(tmp_path / "rings", everything=True))


def test_photos_of_something_else_alone_need_no_labelled_ones(strangers):
    said = run(Plan(None, neither=strangers))

    assert said[0].startswith("100.00% of 2 photos of something else")
    assert any(line.startswith("car ") for line in said)


def test_without_a_folder_the_usual_one_is_scored_unless_only_others_are_shown():
    assert plan_of().data == Path("default")
    assert plan_of("--data", "mine").data == Path("mine")
    assert plan_of("--neither", "others").data is None
    assert plan_of("--neither", "others", "--report", "r").data == Path("default")
    assert plan_of("--neither", "others", "--data", "mine").data == Path("mine")


def test_the_command_in_a_report_is_the_one_that_was_given():
    arguments = "--data mine --all --neither others --robustness --report r"

    assert plan_of(*arguments.split()).command("1") == f"python -m ml evaluate 1 {arguments}"


def test_a_report_has_words_scores_figures_and_the_worst_errors(data, strangers, report):
    plan = Plan(data, everything=True, neither=strangers, robustness=True, report=report)

    said = run(plan)

    scores = json.loads((report / "scores.json").read_text(encoding="utf-8"))
    words = (report / "report.md").read_text(encoding="utf-8")
    assert said[-1] == f"Look at {report / 'report.md'}."
    assert scores["neither"]["car"]["count"] == 1
    assert [row["change"] for row in scores["robustness"]][:2] == ["unchanged", "turned by EXIF"]
    assert len(scores["errors"]) == round(scores["count"] * (1 - scores["accuracy"]))
    assert f"    {plan.command('2026-01-01.1')}\n" in words
    for part in ("Photos of something else", "Changed photos", "Errors", "label: rings"):
        assert part in words
    shown = {name for name in names_in(report) if f"]({name})" in words}
    assert shown == names_in(report) - {"report.md", "scores.json"}
    assert {"errors.png", "answered_all_the_same.png", "roc.svg", "robustness.svg"} <= shown


def test_a_report_of_the_same_photos_is_the_same_to_the_last_byte(data, report):
    def contents():
        run(Plan(data, everything=True, report=report))
        return {path.name: path.read_bytes() for path in report.iterdir()}

    assert contents() == contents()


def test_a_disk_that_fills_up_leaves_no_half_a_report(data, report):
    plan = Plan(data, everything=True, report=report)

    with limit_file_size(3000), pytest.raises(OSError, match="File too large"):
        run(plan)
    assert names_in(report.parent) == {"photos"}

    run(plan)
    before = {path.name: path.read_bytes() for path in report.iterdir()}
    with limit_file_size(3000), pytest.raises(OSError, match="File too large"):
        run(plan)
    assert {path.name: path.read_bytes() for path in report.iterdir()} == before


def test_a_folder_with_something_else_in_it_is_refused_before_anything_is_asked(data, report):
    report.mkdir()
    (report / "thesis.tex").write_text("precious")

    with pytest.raises(ReportError, match="holds something else than a report"):
        run(Plan(data, report=report))
    assert names_in(report) == {"thesis.tex"}


def test_a_report_never_goes_among_photos(data, report):
    with pytest.raises(ReportError, match="lie one in the other"):
        run(Plan(data, report=data / "report"))
    assert names_in(data) == set(LABELS)


def test_a_report_shows_photos_so_it_never_goes_into_a_version(data, report):
    version = report.parent / "2026-01-01.1"
    version.mkdir()
    (version / "card.json").write_text("{}")

    for place in (version, version / "report"):
        with pytest.raises(ReportError, match="in a version's folder"):
            run(Plan(data, report=place))
    assert names_in(version) == {"card.json"}


def test_without_matplotlib_a_report_says_what_to_install_and_scoring_goes_on(
    data, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "ml.figures", None)  # as where Matplotlib is not installed

    with pytest.raises(ReportError, match=r"needs Matplotlib: pip install -r requirements\.txt"):
        run(Plan(data, report=tmp_path / "report"))

    assert not (tmp_path / "report").exists()
    assert "photos right" in run(Plan(data))[0]
