import json
from pathlib import Path

import numpy as np
import pytest

from ml.evaluation import (
    answered_all_the_same,
    describe,
    describe_neither,
    detail,
    expected_calibration_error,
    score,
    score_answers,
    wilson_interval,
)
from ml.examples import Example
from ml.inference import NEITHER, UNSURE, Answer
from tests.make import FakeEngine, make_card
from tests.photos import photo_bytes

LABELS = ("cat", "dog")


def make_examples(*labels):
    return [Example(Path(f"{i}.jpg"), label, str(i)) for i, label in enumerate(labels)]


def make_answer(cat, answer=None):
    """An answer that gives "cat" this probability."""
    label = "cat" if cat > 0.5 else "dog"
    return Answer(answer or label, {"cat": cat, "dog": 1 - cat})


@pytest.fixture
def evaluation():
    """Three photos, the last one a dog that is called a cat with 90 %."""
    answers = [make_answer(0.8), make_answer(0.4), make_answer(0.9)]
    sizes = np.array([[200, 200], [300, 200], [300, 200]])
    return score(make_examples("cat", "dog", "dog"), answers, sizes, LABELS)


@pytest.mark.parametrize(
    ("successes", "trials", "interval"),
    # Worked out by hand from Wilson's formula with z = 1.96.
    [(0, 10, (0.0, 0.2775)), (8, 10, (0.4902, 0.9433)), (10, 10, (0.7225, 1.0))],
)
def test_the_interval_is_wilsons(successes, trials, interval):
    assert wilson_interval(successes, trials) == pytest.approx(interval, abs=1e-4)


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (2, 1), (-1, 1)])
def test_an_interval_of_impossible_counts_is_refused(successes, trials):
    with pytest.raises(ValueError, match="0 ≤ successes ≤ trials"):
        wilson_interval(successes, trials)


def test_scores_follow_their_definitions(evaluation):
    scores = evaluation.all

    assert (scores.count, scores.accuracy) == (3, pytest.approx(2 / 3))
    assert scores.log_loss == pytest.approx(-np.log([0.8, 0.6, 0.1]).mean())
    assert scores.brier == pytest.approx((2 * 0.2**2 + 2 * 0.4**2 + 2 * 0.9**2) / 3)
    assert scores.ece == pytest.approx((0.2 + 0.4 + 0.9) / 3)
    assert scores.confusion == {"cat": {"cat": 1, "dog": 0}, "dog": {"cat": 1, "dog": 1}}


def test_calibration_error_weighs_bins_by_their_photos():
    confidences = np.array([0.95, 0.95, 0.95, 0.55])
    right = np.array([True, True, False, True])

    found = expected_calibration_error(confidences, right, num_bins=10)

    assert found == pytest.approx(3 / 4 * abs(0.95 - 2 / 3) + 1 / 4 * abs(0.55 - 1))


def test_full_confidence_has_a_bin():
    assert expected_calibration_error(np.array([1.0]), np.array([True])) == 0


def test_a_probability_of_nought_costs_much_but_not_infinitely():
    scores = score_answers(np.array([[1.0, 0.0]]), np.array([1]), LABELS)

    assert 30 < scores.log_loss < 40


def test_slices_are_by_shape_and_label(evaluation):
    counts = {name: scores.count for name, scores in evaluation.slices.items()}

    assert counts == {"shape: square": 1, "shape: oblong": 2, "label: cat": 1, "label: dog": 2}
    assert evaluation.slices["shape: oblong"].accuracy == 0.5


def test_errors_are_listed_with_what_was_answered(evaluation):
    [(example, answer, confidence)] = evaluation.wrong

    assert (example.label, answer, confidence) == ("dog", "cat", 0.9)
    assert "2.jpg is a dog; answered cat, 90.0% sure" in detail(evaluation)
    assert describe(evaluation).startswith("66.67% of 3 photos right")


def test_scores_go_into_a_card_as_json(evaluation):
    kept = json.loads(json.dumps(evaluation.for_card()))

    assert kept["accuracy"] == 0.666667
    assert kept["slices"]["shape: square"]["accuracy_interval"][1] == 1.0


def test_what_people_are_told_is_counted_apart():
    answers = [
        make_answer(0.9),
        make_answer(0.8),
        make_answer(0.55, UNSURE),
        make_answer(0.9, NEITHER),
    ]

    told = score(make_examples("cat", "dog", "dog", "cat"), answers, np.ones((4, 2)), LABELS).told

    assert (told.answered, told.right, told.unsure, told.neither) == (0.5, 0.5, 0.25, 0.25)


def test_a_version_that_answers_nothing_is_not_right_about_anything():
    told = score(make_examples("cat"), [make_answer(0.6, UNSURE)], np.ones((1, 2)), LABELS).told

    assert (told.answered, told.right) == (0, None)


@pytest.mark.parametrize(("threshold", "answered"), [(None, 2), (0.999, 0)])
def test_photos_of_something_else_that_are_answered_are_counted(tmp_path, threshold, answered):
    for name in ("car.png", "trees/oak.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(photo_bytes(format="PNG"))
    (tmp_path / "notes.txt").write_text("no photo")
    engine = FakeEngine(make_card(unsure_below=threshold))

    shown, found = answered_all_the_same(engine, tmp_path)

    assert (shown, len(found)) == (2, answered)
    assert describe_neither(shown, found)[0].startswith(f"{answered / 2:.2%} of 2 photos")


def test_a_folder_without_photos_of_something_else_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no photo that can be decoded"):
        answered_all_the_same(FakeEngine(make_card()), tmp_path)
