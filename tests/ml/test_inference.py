import numpy as np
import pytest

from ml.inference import OnnxEngine, answer_from, softmax
from ml.registry import VersionError
from tests.make import make_card, write_version


def answer(*logits, novelty=None, **card):
    return answer_from(np.array(logits, np.float32), make_card(**card), novelty)


def test_probabilities_are_ranked_and_sum_to_one():
    said = answer(1.0, 3.0, 2.0, labels=("ant", "bee", "cow"))

    assert list(said.probabilities) == ["bee", "cow", "ant"]
    assert sum(said.probabilities.values()) == pytest.approx(1, abs=1e-12)
    assert (said.answer, said.label) == ("bee", "bee")


def test_a_temperature_above_one_makes_it_less_sure():
    assert answer(2.0, 0.0, temperature=2.0).confidence < answer(2.0, 0.0).confidence


@pytest.mark.parametrize(("logits", "expected"), [((1.0, 0.0), "unsure"), ((5.0, 0.0), "cat")])
def test_it_is_unsure_below_its_threshold(logits, expected):
    said = answer(*logits, unsure_below=0.9)

    assert (said.answer, said.label) == (expected, "cat")


@pytest.mark.parametrize(("novelty", "expected"), [(0.6, "neither"), (0.5, "cat"), (None, "cat")])
def test_it_says_neither_above_its_threshold(novelty, expected):
    assert answer(5.0, 0.0, novelty=novelty, neither_above=0.5).answer == expected


def test_neither_comes_before_unsure():
    assert answer(0.0, 0.0, novelty=1, neither_above=0.5, unsure_below=0.9).answer == "neither"


def test_huge_logits_do_not_overflow():
    assert softmax(np.array([1e30, 0.0], np.float32)).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("nonsense", [float("nan"), float("inf"), float("-inf")])
def test_nonsense_is_an_error_and_never_an_answer(nonsense):
    with pytest.raises(FloatingPointError):
        answer(nonsense, 0.0)


def test_a_version_for_other_preprocessing_is_refused(tmp_path):
    with pytest.raises(VersionError, match="prepares them by"):
        OnnxEngine(write_version(tmp_path, preprocessing="squash-1"))


def test_what_is_no_network_is_refused(tmp_path):
    with pytest.raises(VersionError, match=r"cannot load model\.onnx"):
        OnnxEngine(write_version(tmp_path))
