import numpy as np
import pytest

from ml.curves import reliability, risk_coverage, roc, roc_area, rocs


def test_the_roc_area_is_the_chance_to_rank_a_pair_rightly():
    # Of four pairs of a positive and another photo, three are ranked rightly.
    curve = roc(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False]))

    assert curve.area == pytest.approx(3 / 4)
    assert list(curve.false_positives) == [0, 0, 0.5, 0.5, 1]
    assert list(curve.true_positives) == [0, 0.5, 0.5, 1, 1]


@pytest.mark.parametrize(("scores", "area"), [([0.9, 0.1], 1), ([0.1, 0.9], 0), ([0.5, 0.5], 0.5)])
def test_photos_that_score_the_same_are_half_a_right_pair(scores, area):
    assert roc(np.array(scores), np.array([True, False])).area == area


def test_the_area_does_not_depend_on_the_order_of_the_photos():
    chance = np.random.default_rng(0)
    scores, positive = chance.integers(0, 5, 60) / 4, chance.random(60) > 0.4
    pairs = scores[positive][:, None] - scores[~positive][None]

    shuffled = chance.permutation(60)

    expected = ((pairs > 0) + (pairs == 0) / 2).mean()
    assert roc(scores, positive).area == pytest.approx(expected)
    assert roc(scores[shuffled], positive[shuffled]).area == pytest.approx(expected)


def test_a_curve_tells_what_finding_most_of_the_positive_photos_costs():
    curve = roc(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False]))

    assert curve.false_positives_at(0.5) == 0
    assert curve.false_positives_at(0.95) == 0.5


def test_photos_all_of_a_kind_have_no_roc_curve():
    with pytest.raises(ValueError, match="needs positive photos and others"):
        roc(np.array([0.1, 0.2]), np.array([True, True]))


def test_of_several_labels_each_has_a_curve_and_the_area_is_their_mean():
    probabilities = np.array([[0.8, 0.1, 0.1], [0.3, 0.5, 0.2], [0.5, 0.2, 0.3], [0.4, 0.4, 0.2]])
    targets = np.array([0, 1, 2, 0])

    areas = {label: curve.area for label, curve in rocs(probabilities, targets, "abc")}

    assert areas == {"a": pytest.approx(3 / 4), "b": pytest.approx(1), "c": pytest.approx(1)}
    assert roc_area(probabilities, targets, "abc") == pytest.approx(11 / 12)


def test_of_two_labels_one_curve_says_all_and_of_one_there_is_none():
    probabilities = np.array([[0.8, 0.2], [0.3, 0.7]])

    assert [label for label, _ in rocs(probabilities, np.array([0, 1]), "ab")] == ["b"]
    assert roc_area(probabilities, np.array([1, 1]), "ab") is None


def test_risk_is_the_share_of_errors_among_the_surest_answers():
    confidences = np.array([0.6, 0.9, 0.8, 0.7])
    right = np.array([False, True, False, True])

    curve = risk_coverage(confidences, right)

    assert list(curve.coverage) == [0.25, 0.5, 0.75, 1]
    assert list(curve.risk) == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert list(curve.thresholds) == [0.9, 0.8, 0.7, 0.6]
    assert curve.area == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)


def test_answers_equally_sure_are_given_together():
    curve = risk_coverage(np.array([0.9, 0.9, 0.9, 0.6]), np.array([False, True, True, True]))

    assert list(curve.coverage) == [0.75, 1]
    assert curve.area == pytest.approx((3 * 1 / 3 + 1 / 4) / 4)


def test_bins_of_a_reliability_diagram_are_those_that_are_not_empty():
    low, high = reliability(
        np.array([0.55, 0.95, 0.97, 0.99]), np.array([True, True, False, True]), num_bins=10
    )

    assert (low.count, low.confidence, low.accuracy) == (1, 0.55, 1)
    assert (high.count, high.accuracy) == (3, pytest.approx(2 / 3))
    assert high.confidence == pytest.approx(0.97)
    assert high.interval[0] < 2 / 3 < high.interval[1]
