import numpy as np
import pytest

from ml.inference import NEITHER, UNSURE
from ml.scores import (
    bins_of,
    count_told,
    expected_calibration_error,
    score_answers,
    wilson_interval,
)
from tests.ml.answers import LABELS, make_answer


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


def test_scores_follow_their_definitions():
    scores = score_answers(
        np.array([[0.8, 0.2], [0.4, 0.6], [0.9, 0.1]]), np.array([0, 1, 1]), LABELS
    )

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
    assert list(bins_of(np.array([0.0, 0.5, 1.0]), num_bins=10)) == [0, 5, 9]
    assert expected_calibration_error(np.array([1.0]), np.array([True])) == 0


def test_a_probability_of_nought_costs_much_but_not_infinitely():
    scores = score_answers(np.array([[1.0, 0.0]]), np.array([1]), LABELS)

    assert 30 < scores.log_loss < 40


def test_what_people_are_told_is_counted_apart():
    answers = [
        make_answer(0.9),
        make_answer(0.8),
        make_answer(0.55, UNSURE),
        make_answer(0.9, NEITHER),
    ]

    told = count_told(answers, ["cat", "dog", "dog", "cat"])

    assert (told.answered, told.right, told.unsure, told.neither) == (0.5, 0.5, 0.25, 0.25)


def test_a_version_that_answers_nothing_is_not_right_about_anything():
    told = count_told([make_answer(0.6, UNSURE)], ["cat"])

    assert (told.answered, told.right) == (0, None)
