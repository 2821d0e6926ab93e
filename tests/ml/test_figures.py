import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="training is not installed")

from ml.figures import figures_of  # noqa: E402
from ml.report import FIGURES  # noqa: E402
from ml.robustness import try_changes  # noqa: E402
from ml.strangers import Strangers  # noqa: E402
from tests.make import make_card  # noqa: E402
from tests.ml.answers import LABELS, LookingEngine, make_answer, make_evaluation  # noqa: E402
from tests.ml.test_robustness import examples  # noqa: E402, F401

THREE = ("daisy", "rose", "tulip")


@pytest.fixture
def card():
    return make_card(unsure_below=0.7, neither_above=0.5)


def texts_of(svg):
    """All words of a figure, in one line."""
    return " ".join(ElementTree.fromstring(svg).itertext())  # noqa: S314


def make_strangers(count=30):
    answers = [make_answer(0.9, novelty=value) for value in np.linspace(0.3, 1, count)]
    paths = [Path(f"{number}.jpg") for number in range(count)]
    return Strangers(tuple(paths), ("",) * count, tuple(answers), LABELS)


def test_each_figure_has_a_name_the_model_card_knows(card, examples):  # noqa: F811
    tried = try_changes(LookingEngine(), examples)

    figures = figures_of(
        make_evaluation(), card, history=[2.0, 1.0], strangers=make_strangers(), tried=tried
    )

    assert set(figures) == set(FIGURES)


def test_what_there_is_nothing_to_draw_for_is_not_drawn(card):
    figures = figures_of(make_evaluation(novelty=False), card)

    assert set(figures) == {
        "confusion.svg",
        "reliability.svg",
        "risk_coverage.svg",
        "roc.svg",
        "slices.svg",
    }


def test_photos_of_one_label_have_all_figures_but_the_roc_curve(card):
    assert "roc.svg" not in figures_of(make_evaluation(1), card)


def test_the_same_numbers_give_the_same_bytes(card):
    history = [{"loss": 1.0, "accuracy": 0.5}, {"loss": 0.5, "accuracy": 0.9}]

    first = figures_of(make_evaluation(), card, history=history, strangers=make_strangers())
    second = figures_of(make_evaluation(), card, history=history, strangers=make_strangers())

    assert first == second


def test_a_users_own_style_changes_no_figure(card):
    import matplotlib

    before = figures_of(make_evaluation(), card)

    with matplotlib.rc_context({"lines.linewidth": 9, "axes.facecolor": "pink"}):
        assert figures_of(make_evaluation(), card) == before
        assert matplotlib.rcParams["lines.linewidth"] == 9


def test_figures_are_small_and_their_text_is_text(card):
    figures = figures_of(
        make_evaluation(3000), card, history=list(np.geomspace(9, 1, 5000)),
        strangers=make_strangers(),
    )  # fmt: skip

    assert max(map(len, figures.values())) < 60_000
    assert "of 3000 right" in texts_of(figures["confusion.svg"])
    assert "sure at 0.700 and above" in texts_of(figures["risk_coverage.svg"])
    assert "neither above 0.5" in texts_of(figures["novelty.svg"])
    assert not re.search(rb"\d{4}-\d{2}-\d{2}T", b"".join(figures.values()))


def test_a_curve_of_each_label_is_drawn_for_three(card):
    words = texts_of(figures_of(make_evaluation(labels=THREE), make_card(labels=THREE))["roc.svg"])

    assert all(f"{label}: area 0." in words for label in THREE)
    assert "mean" in words


def test_a_history_is_drawn_by_steps_or_by_epochs(card):
    epochs = [{"epoch": 1, "loss": 1.0}, {"epoch": 2, "loss": 0.5, "val_accuracy": 0.9}]

    by_steps = figures_of(make_evaluation(), card, history=[1.0, 0.5])["training.svg"]
    by_epochs = figures_of(make_evaluation(), card, history=epochs)["training.svg"]

    assert "step of the fit" in texts_of(by_steps)
    assert "Accuracy" not in texts_of(by_steps)
    assert "epoch" in texts_of(by_epochs)
    assert "Accuracy" in texts_of(by_epochs)


def test_a_version_that_is_never_unsure_has_no_mark_for_it():
    words = texts_of(figures_of(make_evaluation(), make_card())["risk_coverage.svg"])

    assert "sure at" not in words
    assert "as it answers" in words
