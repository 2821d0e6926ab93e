"""A network that begins with nothing becomes a version like any other."""

from types import SimpleNamespace

import pytest

from ml.evaluation import evaluate
from ml.examples import in_split
from ml.inference import OnnxEngine
from ml.sources import read_folder
from tests.ml.drawn import draw_folder

pytest.importorskip("keras", reason="training is not installed: pip install -r requirements.txt")

from ml import fitting, training  # noqa: E402
from ml.export import load_keras_version  # noqa: E402
from ml.fitting import FitConfig  # noqa: E402


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A version of `pawnet` that was shown a few drawn photos."""
    place = tmp_path_factory.mktemp("begun")
    folder = draw_folder(place / "photos")
    with pytest.MonkeyPatch.context() as patch:
        recipe = FitConfig(sides=(32, 48), batch_size=16, peak_rate=0.02)
        patch.setattr(fitting, "RECIPES", {"pawnet": recipe})
        config = training.TrainConfig("pawnet")
        card = training.train_version(folder, place / "models", place / "cache", config)
    return SimpleNamespace(folder=folder, card=card, version=place / "models" / card.version)


def test_it_answers_as_it_was_scored(begun):
    holdout = in_split(read_folder(begun.folder).examples, "holdout")

    found = evaluate(OnnxEngine(begun.version), holdout).for_card()

    assert found["confusion"] == begun.card.scores["confusion"]
    assert found["log_loss"] == pytest.approx(begun.card.scores["log_loss"], abs=1e-4)


def test_its_card_says_how_it_was_trained(begun):
    training_notes = begun.card.training
    page = (begun.version / "MODEL_CARD.md").read_text(encoding="utf-8")

    assert [row["side"] for row in training_notes["history"]] == [32, 48]
    assert training_notes["recipe"]["peak_rate"] == 0.02
    assert training_notes["device"]["name"]
    assert "pawnet, trained from random weights" in page
    assert "epoch 2 was kept" in page
    assert "ImageNet" not in page


def test_its_keras_file_is_the_same_network(begun):
    model = load_keras_version(begun.version)

    assert model.name == "pawnet"
    assert model.input_shape[1:3] == (begun.card.side, begun.card.side)
