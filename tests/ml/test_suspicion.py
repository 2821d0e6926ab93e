import hashlib

import numpy as np
import pytest

from ml.heads import TrainingError
from ml.suspicion import cross_validate, suspicious


def names(number):
    return [hashlib.sha256(bytes([i])).hexdigest() for i in range(number)]


def two_clouds(number=200):
    """Features that tell two labels apart with ease, and the labels."""
    chance = np.random.default_rng(0)
    targets = np.arange(number) % 2
    vectors = chance.normal(0, 0.5, (number, 8)) + 2 * targets[:, None]
    return vectors.astype(np.float32), targets


def test_wrong_labels_are_found_and_right_ones_are_not():
    vectors, targets = two_clouds()
    wrong = {3, 50, 121}
    given = np.array([1 - t if i in wrong else t for i, t in enumerate(targets)])

    found = suspicious(cross_validate(vectors, given, names(200), 2), given)

    assert set(found) == wrong


def test_the_most_doubtful_comes_first():
    probabilities = np.array([[0.05, 0.95], [0.5, 0.5], [0.001, 0.999], [0.98, 0.02]])

    assert suspicious(probabilities, np.array([0, 0, 0, 0])) == [2, 0]


def test_with_many_labels_a_low_probability_alone_is_no_reason_to_doubt():
    spread = np.full((1, 20), 0.05)

    assert suspicious(spread, np.array([7])) == []


def test_a_near_duplicate_does_not_vouch_for_a_wrong_label():
    vectors, targets = two_clouds()
    twins = [10, 77]
    mark = np.zeros((200, 1), np.float32)
    mark[twins] = 1  # what only these two show: a head that sees one of them learns it by heart
    vectors = np.hstack([vectors * 0.2, mark])
    given = targets.copy()
    given[twins] = 1 - targets[10]
    vectors[77] = vectors[10]
    alone = names(200)
    together = [*alone[:77], alone[10], *alone[78:]]

    apart = cross_validate(vectors, given, alone, 2)[10, given[10]]
    joined = cross_validate(vectors, given, together, 2)[10, given[10]]

    assert joined < apart / 5


def test_the_same_photos_are_doubted_in_the_same_way():
    vectors, targets = two_clouds()

    first, second = (cross_validate(vectors, targets, names(200), 2) for _ in range(2))

    assert np.array_equal(first, second)
    assert first.sum(axis=1) == pytest.approx(np.ones(200))


def test_features_that_are_no_numbers_are_refused():
    vectors, targets = two_clouds()
    vectors[0, 0] = np.nan

    with pytest.raises(TrainingError, match="not finite"):
        cross_validate(vectors, targets, names(200), 2)
