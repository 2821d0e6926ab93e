"""A candidate that learns passes; one that forgets, guesses, slows down or grows does not."""

import json

import numpy as np
import pytest

from ml.exams import Exam
from ml.inference import NEITHER, UNSURE
from ml.promotion import Costs, chance_of_loss, judge
from ml.verdicts import Check, Verdict
from tests.ml.answers import LABELS, make_answer

SAME = Costs(milliseconds=10.0, looked_again=0.08, num_bytes=30_000_000)


def exam(live, candidate=None, targets=None, slices=None):
    """An exam on photos of cats unless said otherwise; answers as probabilities of "cat"."""
    candidate = live if candidate is None else candidate
    targets = [0] * len(live) if targets is None else targets

    def answers(row):
        return [each if not isinstance(each, float) else make_answer(each) for each in row]

    return Exam(LABELS, np.array(targets), answers(candidate), answers(live), slices or {})


def told(verdict):
    return {check.name: check.passed for check in verdict.checks}


def verdict(base=None, feedback=None, strangers=None, candidate=SAME, live=SAME):
    return judge(
        exam([0.99] * 200) if base is None else base,
        exam([0.2] * 20, [0.9] * 20) if feedback is None else feedback,
        exam([]) if strangers is None else strangers,
        candidate,
        live,
    )


def test_a_candidate_that_learns_and_forgets_nothing_passes():
    found = verdict()

    assert found.passed
    assert found.reasons() == []


def test_one_that_gains_nothing_is_refused_with_the_reason():
    found = verdict(feedback=exam([0.2] * 20))

    assert not found.passed
    assert [reason[:7] for reason in found.reasons()] == ["No gain"]


def test_without_photos_to_measure_a_gain_on_there_is_none():
    found = verdict(feedback=exam([]))

    assert found.reasons() == ["No gain: there is no photo from feedback to measure one on."]


def test_a_fall_of_the_log_loss_is_a_gain_too():
    assert verdict(feedback=exam([0.6] * 20, [0.9] * 20)).passed


def test_photos_that_are_known_already_are_no_gain():
    found = verdict(feedback=exam([0.97] * 20, [0.99] * 20))

    assert [reason[:7] for reason in found.reasons()] == ["No gain"]


def test_one_that_breaks_as_many_answers_as_it_mends_gains_nothing():
    found = verdict(feedback=exam([0.2] * 10 + [0.8] * 10, [0.8] * 10 + [0.2] * 10))

    assert not told(found)["gain"]


def test_one_that_forgets_is_refused():
    found = verdict(base=exam([0.99] * 500, [0.99] * 490 + [0.4] * 10))

    assert not told(found)["base accuracy"]
    assert "10 broken, 0 mended" in found.reasons()[0]


def test_one_photo_lost_is_chance():
    assert told(verdict(base=exam([0.9] * 200, [0.9] * 199 + [0.4])))["base accuracy"]


def test_a_slice_of_twenty_does_not_veto_by_one_photo():
    mask = np.arange(400) < 20
    live = [0.99] * 400

    one = exam(live, [0.1] + [0.99] * 399, slices={"brightness: dark": mask})
    many = exam(live, [0.1] * 8 + [0.99] * 392, slices={"brightness: dark": mask})

    assert told(verdict(base=one))["slice brightness: dark"]
    assert not told(verdict(base=many))["slice brightness: dark"]


def test_one_that_says_unsure_to_everybody_is_refused():
    shy = [make_answer(0.99, UNSURE) for _ in range(200)]

    assert not told(verdict(base=exam([0.99] * 200, shy)))["base told"]


def test_one_that_calls_known_photos_neither_is_refused():
    blind = [make_answer(0.99, NEITHER) for _ in range(10)] + [0.99] * 190

    assert not told(verdict(base=exam([0.99] * 200, blind)))["base neither"]


def test_one_that_answers_strangers_is_refused():
    strange = [make_answer(0.9, NEITHER) for _ in range(100)]

    found = verdict(strangers=exam(strange, [0.9] * 10 + strange[10:], [-1] * 100))

    assert not told(found)["strangers answered"]


def test_known_strangers_that_are_now_called_neither_are_a_gain():
    now = [make_answer(0.9, NEITHER) for _ in range(10)]

    assert verdict(feedback=exam([0.9] * 10, now, [-1] * 10)).passed


def test_one_that_answers_where_the_live_one_was_silent_has_to_be_right():
    silent = [make_answer(0.6, NEITHER) for _ in range(20)]

    good = verdict(feedback=exam(silent, [0.9] * 17 + [0.1] * 3))
    bad = verdict(feedback=exam(silent, [0.9] * 12 + [0.1] * 8))

    assert told(good)["newly answered"]
    assert not told(bad)["newly answered"]


def test_one_that_is_too_sure_is_refused():
    modest, sure = [0.7] * 140 + [0.3] * 60, [0.999] * 140 + [0.001] * 60

    found = told(verdict(base=exam(modest, sure)))

    assert not found["calibration"]
    assert not found["base log loss"]


@pytest.mark.parametrize(
    ("costs", "name"),
    [
        (Costs(16.0, 0.08, 30_000_000), "latency"),
        (Costs(10.0, 0.14, 30_000_000), "looked at again"),
        (Costs(10.0, 0.08, 33_500_000), "size"),
    ],
)
def test_one_that_costs_more_is_refused(costs, name):
    found = told(verdict(candidate=costs))

    assert [check for check, passed in found.items() if not passed] == [name]


def test_no_version_is_larger_than_the_limit():
    large = Costs(10.0, 0.08, 41_000_000)

    assert not told(verdict(candidate=large, live=large))["size"]


def test_what_is_not_a_number_never_passes():
    found = verdict(candidate=Costs(float("nan"), float("nan"), 30_000_000))

    assert not told(found)["latency"]
    assert not told(found)["looked at again"]
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["passed"] is False


def test_a_verdict_without_checks_is_no_leave():
    assert not Verdict(()).passed


def test_chance_is_that_of_mcnemars_exact_test():
    assert chance_of_loss(0, 0) == 1
    assert chance_of_loss(0, 5) == 1
    assert chance_of_loss(5, 0) == pytest.approx(1 / 32)
    assert chance_of_loss(8, 2) == pytest.approx(56 / 1024)


def test_a_verdict_survives_being_stored_as_json():
    found = verdict()

    again = Verdict.from_dict(json.loads(json.dumps(found.as_dict())))

    assert again == found


@pytest.mark.parametrize("content", [{}, {"checks": [{"name": "x"}]}, {"checks": 3}])
def test_what_is_no_verdict_is_refused(content):
    with pytest.raises(ValueError, match="no verdict"):
        Verdict.from_dict(content)


def test_every_check_says_what_it_found():
    for check in verdict().checks:
        assert isinstance(check, Check)
        assert check.words.endswith(".")
        assert check.limit
