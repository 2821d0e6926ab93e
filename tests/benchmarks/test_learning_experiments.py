"""The experiments of docs/learning, on numbers whose outcome is known."""

import math
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="training is not installed")

from benchmarks.learning import neither, transfer, unsure
from benchmarks.learning.choosing import (
    binomial_tail,
    by_conformal_risk_control,
    by_learn_then_test,
    selective_risk,
)
from benchmarks.learning.photos import Seen, poorer_copy
from benchmarks.learning_figures import PAGES, read_words, write
from ml.duplicates import MAX_DISTANCE, perceptual_hash, thumbnail
from tests.ml.scenes import scene

# Surest first; the third and the last are wrong.
CONFIDENCE = np.array([0.99, 0.95, 0.9, 0.8, 0.7, 0.6, 0.55, 0.54, 0.53, 0.52])
IS_RIGHT = np.array([True, True, False, True, True, True, True, True, True, False])


def make_seen(num=240, num_others=30, width=12, seed=0):
    """Two clouds of features, a version that mostly tells them apart, and a third cloud."""
    chance = np.random.default_rng(seed)
    targets = np.arange(num) % 2
    train_targets = np.arange(1200) % 2
    sure = np.where(chance.random(num) < 0.1, -1, 1) * chance.exponential(3, num)
    right = 1 / (1 + np.exp(-sure))
    probabilities = np.where(np.arange(2) == targets[:, None], right[:, None], 1 - right[:, None])
    hashes = chance.integers(0, 2**63, num, dtype=np.uint64)
    return Seen(
        labels=np.array(["cat", "dog"]),
        temperature=np.array(1.2),
        unsure_below=np.array(0.8),
        neither_above=np.array(0.5),
        splits=np.repeat(["calibration", "holdout"], num // 2),
        targets=targets,
        probabilities=probabilities,
        novelty=chance.uniform(0, 0.55, num),
        features=_cloud(chance, targets, width),
        tiny=chance.integers(0, 256, (num, 27), dtype=np.uint8),
        hashes=hashes,
        copy_features=_cloud(chance, targets, width),
        copy_hashes=hashes ^ np.uint64(3),
        train_targets=train_targets,
        train_features=_cloud(chance, train_targets, width),
        train_tiny=chance.integers(0, 256, (1200, 27), dtype=np.uint8),
        kinds=np.resize(["car", "tree"], num_others),
        other_probabilities=np.full((num_others, 2), 0.5),
        other_novelty=np.full(num_others, 0.9),
        other_features=chance.normal(-4, 1, (num_others, width)).astype(np.float32),
        imagenet_kernel=chance.normal(0, 1, (width, 1000)).astype(np.float32),
        imagenet_bias=np.zeros(1000, np.float32),
    )


def _cloud(chance, targets, width):
    centres = np.where(np.arange(width) % 2 == 0, 2.0, 0.5) * (2 * targets[:, None] - 1)
    return (centres + chance.normal(0, 1, (len(targets), width))).astype(np.float32)


def test_risk_is_of_the_answered_alone():
    assert selective_risk(CONFIDENCE, IS_RIGHT, 0.9) == (0.3, pytest.approx(1 / 3))
    assert selective_risk(CONFIDENCE, IS_RIGHT, math.inf) == (0, 0)


@pytest.mark.parametrize(
    # (errors + 1) / 11 at most this: one error for 0.2, none for 0.1, not even that for 0.05.
    ("max_error", "answered"),
    [(0.3, 10), (0.2, 9), (0.1, 2), (0.05, 0)],
)
def test_conformal_risk_control_counts_one_error_more(max_error, answered):
    threshold = by_conformal_risk_control(CONFIDENCE, IS_RIGHT, max_error)

    assert (threshold <= CONFIDENCE).sum() == answered


def test_the_binomial_tail_is_the_textbooks():
    # Ten coins, at most two heads: (1 + 10 + 45) / 1024.
    assert binomial_tail(2, 10, 0.5) == pytest.approx(56 / 1024)
    assert binomial_tail(0, 200, 0.01) == pytest.approx(0.99**200)
    assert binomial_tail(0, 0, 0.5) == 1


def test_learn_then_test_stops_at_the_first_threshold_that_fails():
    confidence = np.repeat([0.9, 0.8, 0.7], 100)
    is_right = np.ones(300, bool)
    is_right[100:110] = False  # 5 % of what 0.8 answers, 3.3 % of what 0.7 answers

    grid = np.array([0.7, 0.8, 0.9])

    # 0.9 ** 100 is certain enough, 10 in 200 is not at 6 %, whatever 10 in 300 would say.
    assert by_learn_then_test(confidence, is_right, 0.06, grid, 0.1) == 0.9
    assert by_learn_then_test(confidence, is_right, 0.2, grid, 0.1) == 0.7
    assert by_learn_then_test(confidence, is_right, 0.001, grid, 0.1) == math.inf


def test_learn_then_test_keeps_its_promise():
    found = unsure.experiment(make_seen(num=1000))

    risks, _ = found.curves["rule-ltt"]
    assert (risks > found.curves["max-error"]).mean() <= 0.1


def test_auroc_is_the_chance_to_be_stranger():
    assert neither.auroc(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 1
    assert neither.auroc(np.array([1.0, 3.0]), np.array([2.0, 3.0])) == pytest.approx(2.5 / 4)


def test_the_share_that_gets_through_is_at_the_limit_of_known_photos():
    known = np.arange(101.0)

    assert neither.passed(known, np.array([90.0, 95.0, 96.0, 200.0]), 0.95) == 0.5


def test_principal_components_are_those_of_the_cloud():
    chance = np.random.default_rng(0)
    cloud = chance.normal(0, [1, 10, 3], (5000, 3))

    along = transfer.two_components(cloud)

    correlation = np.corrcoef(np.hstack([cloud, along]).T)
    assert abs(correlation[1, 3]) > 0.99
    assert abs(correlation[2, 4]) > 0.99


def test_a_poorer_copy_is_smaller_and_found_again():
    pixels = scene("dawn", 1, side=100)

    copy = poorer_copy(pixels)

    first, second = perceptual_hash(np.stack([thumbnail(pixels), thumbnail(copy)]))
    assert copy.shape == (80, 80, 3)
    assert not np.array_equal(thumbnail(pixels), thumbnail(copy))
    assert np.bitwise_count(first ^ second) <= MAX_DISTANCE


def test_the_same_photos_give_the_same_plots_to_the_byte(tmp_path):
    seen = make_seen()

    for name in ("first", "second"):
        write(seen, "2026-01-01.1", tmp_path / name, list(PAGES))

    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("first", "second")
    )
    assert first == second
    assert len(first) == 13


def test_one_page_leaves_the_others_numbers(tmp_path):
    seen = make_seen()
    write(seen, "1", tmp_path, ["calibration", "neither"])
    before = read_words(tmp_path / "numbers.json")

    write(replace(seen, temperature=np.array(2.0)), "2", tmp_path, ["calibration"])

    after = read_words(tmp_path / "numbers.json")
    assert (before["version"], after["version"]) == ("1", "2")
    assert after["calibration/temperature"] != before["calibration/temperature"]
    assert after["neither/auroc-both"] == before["neither/auroc-both"]
