from dataclasses import replace

import pytest

from ml.evaluation import Evaluation
from ml.registry import SecondLook
from ml.report import FIGURES, model_card
from tests.make import make_card
from tests.ml.answers import make_evaluation


def make_trained_card(evaluation: Evaluation | None = None, **data):
    scores = (evaluation or make_evaluation()).for_card()
    training = {
        "config": {"seed": 7, "max_error": 0.005, "refused": 0.01},
        "steps": 1,
        "loss": 0.1,
        "head_sha256": "h" * 64,
        "seconds": {"head": 1.0},
        "machine": {"cores": 2, "system": "Linux", "python": "3.11"},
        "packages": {"keras": "3"},
        "largest_difference_to_keras": 1e-6,
    }
    counts = {"holdout": {"cat": 1, "dog": 2}}
    data = {"digest": "d" * 64, "counts": counts, **data}
    return make_card(scores=scores, training=training, data=data)


def test_a_card_shows_the_figures_that_lie_beside_it_and_how_to_draw_them_again():
    page = model_card(make_trained_card(), ["roc.svg", "training.svg"])

    assert "](roc.svg)" in page
    assert FIGURES["roc.svg"] in page
    assert "](novelty.svg)" not in page
    assert "    python -m ml evaluate 2026-01-01.1 --data DIR --report DIR\n" in page
    assert "`python -m ml train --data DIR --architecture made-for-tests --seed 7`" in page


@pytest.mark.parametrize("looks", [("whole",), ("closer", "whole")])
def test_a_card_says_how_hard_photos_are_looked_at_again(looks):
    card = make_trained_card()
    second = SecondLook("a-larger-one", side=64, below=0.75, looks=looks, weight=2.0)
    config = {**card.training["config"], "look_again": 0.1}
    card = replace(card, second=second, training={**card.training, "config": config})

    page = model_card(card)

    assert "Below a confidence of 0.7500, as 10.0% of the calibration photos were" in page
    assert f"It is shown: {', '.join(looks)}." in page
    assert "the second one counting 2 times" in page


def test_a_card_without_figures_does_not_speak_of_them():
    assert "Figures" not in model_card(make_trained_card())


def test_a_card_tells_every_slice_and_the_areas_under_the_curves():
    evaluation = make_evaluation()

    page = model_card(make_trained_card(evaluation))

    assert f"{evaluation.roc_area:.5f} under the ROC curve" in page
    for name, scores in evaluation.slices.items():
        assert f"| {name} | {scores.count} |" in page


def test_a_card_names_the_data_and_their_terms_or_says_that_nobody_did():
    named = model_card(make_trained_card(name="Dogs vs. Cats", terms="research use only"))

    assert "The data: Dogs vs. Cats. Their terms: research use only." in named
    assert "Nobody named the data." in model_card(make_trained_card())
