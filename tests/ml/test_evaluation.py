import json

import pytest

from ml.evaluation import describe, detail, evaluate, score
from ml.examples import Example
from ml.inference import NEITHER, UNSURE
from ml.slices import Traits
from tests.make import FakeEngine, make_card
from tests.ml.answers import LABELS, make_answer, make_examples
from tests.photos import photo_bytes


@pytest.fixture
def evaluation():
    """Three photos, the last one a dog that is called a cat with 90 %."""
    answers = [make_answer(0.8), make_answer(0.4), make_answer(0.9)]
    traits = [Traits(200, 200), Traits(300, 200), Traits(300, 200)]
    return score(make_examples("cat", "dog", "dog"), answers, traits, LABELS)


def test_photos_are_scored_all_together_and_by_slice(evaluation):
    counts = {name: scores.count for name, scores in evaluation.slices.items()}

    assert evaluation.all.count == 3
    assert evaluation.slices["shape: oblong"].accuracy == 0.5
    assert counts == {
        "shape: square": 1,
        "shape: oblong": 2,
        "label: cat": 1,
        "label: dog": 2,
        "short side: 200 to 499": 3,
    }


def test_areas_under_the_curves_are_scores_too(evaluation):
    # Of two pairs of a cat and a dog one is ranked rightly.
    assert evaluation.roc_area == pytest.approx(1 / 2)
    # Surest first the answers are wrong, right, right.
    assert evaluation.risk_area == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)


def test_errors_are_listed_with_what_was_answered(evaluation):
    [(example, answer)] = evaluation.asked.errors()

    assert (example.label, answer.label, answer.confidence) == ("dog", "cat", 0.9)
    assert "2.jpg is a dog; answered cat, 90.0% sure" in detail(evaluation)
    assert describe(evaluation).startswith("66.67% of 3 photos right")


def test_the_surest_errors_come_first():
    answers = [make_answer(0.6), make_answer(0.9), make_answer(0.8)]

    asked = score(make_examples("dog", "dog", "dog"), answers, [Traits(9, 9)] * 3, LABELS).asked

    assert [answer.confidence for _, answer in asked.errors()] == [0.9, 0.8, 0.6]


def test_scores_go_into_a_card_as_json(evaluation):
    kept = json.loads(json.dumps(evaluation.for_card()))

    assert kept["accuracy"] == 0.66666667
    assert kept["roc_area"] == 0.5
    assert kept["slices"]["shape: square"]["accuracy_interval"][1] == 1.0


def test_what_people_are_told_is_part_of_it():
    answers = [make_answer(0.9), make_answer(0.6, UNSURE), make_answer(0.9, NEITHER)]

    told = score(make_examples("cat", "dog", "dog"), answers, [Traits(9, 9)] * 3, LABELS).told

    assert (told.answered, told.right) == (pytest.approx(1 / 3), 1)


def test_a_version_is_asked_about_each_photo_and_each_is_looked_at(tmp_path):
    (tmp_path / "good.png").write_bytes(photo_bytes(size=(64, 48), format="PNG"))
    (tmp_path / "bad.png").write_bytes(b"no photo")
    examples = [Example(tmp_path / name, "cat", name) for name in ("good.png", "bad.png")]

    evaluation = evaluate(FakeEngine(make_card()), examples)

    assert (evaluation.all.count, evaluation.all.accuracy) == (1, 1)
    assert [example.path.name for example, _ in evaluation.broken] == ["bad.png"]
    assert {name.split(":")[0] for name in evaluation.slices} == {
        "shape",
        "label",
        "short side",
        "brightness",
        "focus",
    }


def test_a_label_the_version_does_not_know_is_refused():
    with pytest.raises(ValueError, match="knows cat, dog. Received: horse"):
        evaluate(FakeEngine(make_card()), make_examples("horse"))


def test_photos_none_of_which_can_be_decoded_are_refused():
    with pytest.raises(ValueError, match="None of 2 photos can be decoded"):
        evaluate(FakeEngine(make_card()), make_examples("cat", "dog"))
