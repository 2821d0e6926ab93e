import numpy as np
import pytest

from ml.calibration import choose_unsure_below, fit_temperature, log_loss


def drawn_logits(count=20_000, seed=0):
    """Logits and targets drawn from the very probabilities they state."""
    chance = np.random.default_rng(seed)
    logits = chance.normal(0, 2, (count, 2))
    probability = 1 / (1 + np.exp(logits[:, 0] - logits[:, 1]))
    return logits, (chance.random(count) < probability).astype(int)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_it_finds_the_temperature_that_logits_were_spoilt_by(temperature):
    logits, targets = drawn_logits()

    assert fit_temperature(logits * temperature, targets) == pytest.approx(temperature, rel=0.05)


def test_it_is_the_best_of_its_neighbours():
    logits, targets = drawn_logits()
    best = fit_temperature(logits * 3, targets)

    losses = [log_loss(logits * 3, targets, best * factor) for factor in (0.98, 1, 1.02)]

    assert min(losses) == losses[1]


def test_photos_too_few_to_calibrate_on_leave_it_at_one():
    logits, targets = drawn_logits(99)

    assert fit_temperature(logits * 3, targets) == 1.0


def test_answers_that_are_all_right_do_not_make_it_infinitely_sure():
    assert fit_temperature(np.tile([5.0, 0.0], (200, 1)), np.zeros(200, int)) >= 0.2


def test_the_log_loss_of_a_fair_coin_is_log_two():
    assert log_loss(np.zeros((4, 2)), np.array([0, 1, 0, 1])) == pytest.approx(np.log(2))


def test_huge_logits_do_not_overflow():
    assert log_loss(np.array([[1e4, 0.0]]), np.array([1])) == pytest.approx(1e4)


def test_the_threshold_keeps_the_error_rate_that_was_asked_for_and_answers_most():
    confidence = np.linspace(0.5, 1, 1000)
    is_right = np.ones(1000, bool)
    is_right[:100:2] = False  # every second answer below 0.55 is wrong

    threshold = choose_unsure_below(confidence, is_right, max_error=0.01)

    answered = confidence >= threshold
    assert (~is_right[answered]).mean() <= 0.01
    assert (~is_right[confidence >= threshold - 0.002]).mean() > 0.01


def test_a_version_that_is_always_right_is_never_unsure():
    confidence = np.linspace(0.5, 1, 1000)

    assert choose_unsure_below(confidence, np.ones(1000, bool), max_error=0.01) == 0.5


def test_a_version_that_is_always_wrong_is_always_unsure():
    assert choose_unsure_below(np.full(200, 0.9), np.zeros(200, bool), max_error=0.01) == 1.0


def test_with_too_few_photos_there_is_no_threshold():
    assert choose_unsure_below(np.full(99, 0.9), np.ones(99, bool), max_error=0.01) is None
