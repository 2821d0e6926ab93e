import numpy as np
import pytest

from ml.heads import TrainingError, fit_head, minimise


def clouds(num_labels=3, count=300, seed=0):
    """Points around one centre per label, and the labels' indices."""
    chance = np.random.default_rng(seed)
    targets = chance.integers(0, num_labels, count)
    centres = chance.normal(0, 2, (num_labels, 5))
    return (centres[targets] + chance.normal(0, 1, (count, 5))).astype(np.float32), targets


def test_it_finds_the_known_minimum_of_a_quadratic():
    matrix, aim = np.diag([1.0, 10.0, 100.0]), np.array([1.0, -2.0, 3.0])

    def quadratic(x):
        return float((x - aim) @ matrix @ (x - aim) / 2), matrix @ (x - aim)

    found, history = minimise(quadratic, np.zeros(3), 100)

    assert found == pytest.approx(aim, abs=1e-5)
    assert history == sorted(history, reverse=True)


def test_two_labels_and_three_are_told_apart():
    for num_labels in (2, 3):
        vectors, targets = clouds(num_labels)

        head = fit_head(vectors, targets, num_labels, l2=1e-3)

        assert (head.logits(vectors).argmax(axis=1) == targets).mean() > 0.9


def test_the_gradient_is_nought_at_the_fitted_head():
    """Checked from the definition of the loss, without the code that minimised it."""
    vectors, targets = clouds(2)
    l2 = 0.05
    head = fit_head(vectors, targets, 2, l2=l2)

    def loss(kernel):
        logits = (vectors @ kernel + head.bias).astype(np.float64)
        given = logits[np.arange(len(targets)), targets]
        scaled = kernel * vectors.std(axis=0)[:, None]
        return (np.logaddexp.reduce(logits, axis=1) - given).mean() + l2 / 2 * (scaled**2).sum()

    best, chance = loss(head.kernel), np.random.default_rng(1)
    nearby = [loss(head.kernel + chance.normal(0, 0.01, head.kernel.shape)) for _ in range(50)]

    assert min(nearby) > best


def test_the_same_data_and_seed_give_the_same_head_to_the_bit():
    vectors, targets = clouds()

    one, two = (fit_head(vectors, targets, 3, l2=1e-2, seed=7) for _ in range(2))

    assert one.sha256 == two.sha256


def test_other_data_give_another_head():
    vectors, targets = clouds()
    other, _ = clouds(seed=1)

    assert fit_head(vectors, targets, 3, l2=1e-2).sha256 != (
        fit_head(other, targets, 3, l2=1e-2).sha256
    )


def test_the_seed_moves_only_the_last_digits():
    vectors, targets = clouds()

    one, two = (fit_head(vectors, targets, 3, l2=1e-2, seed=seed) for seed in (0, 1))

    assert one.logits(vectors) == pytest.approx(two.logits(vectors), abs=1e-2)


def test_a_feature_that_never_varies_does_no_harm():
    vectors, targets = clouds()
    vectors[:, 0] = 3

    head = fit_head(vectors, targets, 3, l2=1e-2)

    assert np.isfinite(head.kernel).all()


def test_features_that_are_not_numbers_stop_the_training():
    vectors, targets = clouds()
    vectors[0, 0] = np.nan

    with pytest.raises(TrainingError, match="not finite numbers"):
        fit_head(vectors, targets, 3, l2=1e-2)


def test_a_loss_that_is_not_a_number_stops_the_training():
    with pytest.raises(TrainingError, match="The loss became nan"):
        minimise(lambda x: (float("nan"), x), np.ones(2), 10)
