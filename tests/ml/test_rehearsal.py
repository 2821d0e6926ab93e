"""A head learns new photos without forgetting those it was fitted to."""

import numpy as np
import pytest

from ml.halves import round_to_half
from ml.heads import Head, TrainingError, fit_head
from ml.rehearsal import draw_coreset, refit_head

L2 = 3e-2


@pytest.fixture(scope="module")
def known():
    """Features and targets of a train split in two clouds, and the head that was fitted to it."""
    chance = np.random.default_rng(0)
    targets = chance.integers(0, 2, 3000)
    vectors = chance.normal(0, 1, (3000, 12)).astype(np.float32)
    vectors[:, 0] += 2.5 * targets
    head = fit_head(vectors, targets, 2, l2=L2)
    return vectors, targets, Head(round_to_half(head.kernel), round_to_half(head.bias))


def none(width=12):
    return np.zeros((0, width), np.float32), np.zeros(0, int)


def test_without_new_photos_the_head_stays_to_the_last_digit(known):
    vectors, targets, head = known
    old = draw_coreset(head, vectors, targets, 200)

    again = refit_head(old, *none(), weight=3, l2=L2)

    assert again.sha256 == head.sha256


def test_a_coreset_stands_for_the_whole_split(known):
    vectors, targets, head = known

    old = draw_coreset(head, vectors, targets, 300)

    assert len(old.targets) == pytest.approx(300, abs=1)
    assert old.weights.sum() == pytest.approx(3000, rel=0.1)
    assert old.weights.min() >= 1


def test_a_coreset_of_a_small_split_is_all_of_it(known):
    vectors, targets, head = known

    old = draw_coreset(head, vectors[:50], targets[:50], 200)

    assert np.array_equal(old.vectors, vectors[:50])
    assert np.allclose(old.weights, 1)


def test_it_prefers_photos_that_pull(known):
    vectors, targets, head = known

    old = draw_coreset(head, vectors, targets, 200)

    def wrong(v, t):
        return (head.logits(v).argmax(axis=1) != t).mean()

    assert wrong(old.vectors, old.targets) > 2 * wrong(vectors, targets)


def test_it_learns_what_is_new_and_keeps_what_was_known(known):
    vectors, targets, head = known
    old = draw_coreset(head, vectors, targets, 400)
    chance = np.random.default_rng(1)
    # A style in which the label shows elsewhere.
    labels = chance.integers(0, 2, 60)
    new = chance.normal(0, 1, (60, 12)).astype(np.float32)
    new[:, 5] += 6
    new[:, 6] += 8.0 * labels - 4
    before = (head.logits(vectors).argmax(axis=1) == targets).mean()

    taught = refit_head(old, new[:40], labels[:40], weight=10, l2=L2)

    unseen = (taught.logits(new[40:]).argmax(axis=1) == labels[40:]).mean()
    assert unseen > (head.logits(new[40:]).argmax(axis=1) == labels[40:]).mean() + 0.2
    assert (taught.logits(vectors).argmax(axis=1) == targets).mean() > before - 0.02


def test_the_coreset_teaches_nearly_what_the_whole_split_would(known):
    vectors, targets, head = known
    chance = np.random.default_rng(2)
    new = chance.normal(1, 1, (30, 12)).astype(np.float32)
    labels = chance.integers(0, 2, 30)
    whole = draw_coreset(head, vectors, targets, 3000)
    small = draw_coreset(head, vectors, targets, 500)

    by_whole, by_small = (
        refit_head(each, new, labels, weight=10, l2=L2).logits(vectors) for each in (whole, small)
    )

    moved = np.abs(by_whole - head.logits(vectors)).mean()
    assert np.abs(by_whole - by_small).mean() < 0.5 * moved


def test_the_same_photos_give_the_same_head(known):
    vectors, targets, head = known
    old = draw_coreset(head, vectors, targets, 200)
    new, labels = vectors[:20] + 1, 1 - targets[:20]

    heads = {refit_head(old, new, labels, weight=3, l2=L2).sha256 for _ in range(2)}

    assert len(heads) == 1


def test_features_that_are_no_numbers_are_refused(known):
    vectors, targets, head = known
    old = draw_coreset(head, vectors, targets, 100)
    new = np.full((1, 12), np.nan, np.float32)

    with pytest.raises(TrainingError, match="not finite"):
        refit_head(old, new, np.array([0]), weight=3, l2=L2)
