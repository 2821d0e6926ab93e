import json
import subprocess
import sys
from pathlib import Path

import pytest

from ml.evaluation import evaluate
from ml.examples import in_split
from ml.inference import OnnxEngine
from ml.photos import decode_photo
from ml.registry import load_version
from ml.sources import read_folder

pytest.importorskip("keras", reason="training is not installed: pip install -r requirements.txt")

from ml import learning, scratch, training  # noqa: E402
from ml.architectures import FROM_SCRATCH  # noqa: E402
from ml.export import load_keras_version  # noqa: E402
from ml.heads import TrainingError  # noqa: E402
from tests.ml.drawn import draw_folder  # noqa: E402


@pytest.fixture
def decodable(trained):
    """Examples of the folder, the broken photo left out."""
    examples = read_folder(trained.folder).examples
    return [example for example in examples if example.path.name != "broken.png"]


def test_a_trained_version_tells_its_labels_apart(trained):
    engine = OnnxEngine(trained.version)

    for label in trained.card.labels:
        pixels = decode_photo((trained.folder / label / "000.png").read_bytes()).pixels
        assert engine.predict(pixels).label == label


def test_what_it_scored_while_training_is_what_it_scores_when_asked(trained, decodable):
    evaluation = evaluate(OnnxEngine(trained.version), in_split(decodable, "holdout"))

    kept, found = trained.card.scores, evaluation.for_card()
    assert found["confusion"] == kept["confusion"]
    assert found["log_loss"] == pytest.approx(kept["log_loss"], abs=1e-5)


def test_a_broken_photo_is_named_and_stops_nothing(trained):
    assert any("rings/broken.png" in sentence for sentence in trained.said)
    assert trained.card.labels == ("rings", "stripes")


def test_the_card_says_what_it_was_made_of(trained, decodable):
    card = load_version(trained.version)

    counted = sum(sum(row.values()) for row in card.data["counts"].values())
    assert counted == len(decodable)
    assert card.training["config"]["architecture"] == card.architecture == "efficientnet-lite0"
    assert {"seed", "l2", "views"} <= card.training["config"].keys()
    figures = {name for name in card.files if name.endswith(".svg")}
    assert set(card.files) - figures == {"model.onnx", "model.keras", "MODEL_CARD.md"}
    assert {"roc.svg", "reliability.svg", "risk_coverage.svg", "training.svg"} <= figures
    assert str(trained.folder) not in json.dumps(card.data) + json.dumps(card.training)


def test_the_same_data_and_seed_give_the_same_head(trained, tmp_path):
    examples = read_folder(trained.folder).examples

    again = training.train(examples, training.TrainConfig(), tmp_path / "another_cache")

    assert again.learnt.head.sha256 == trained.card.training["head_sha256"]


def test_a_dry_run_saves_nothing(trained, tmp_path):
    said = []

    card = training.train_version(
        trained.folder,
        tmp_path / "models",
        trained.cache,
        training.TrainConfig(),
        dry_run=True,
        say=said.append,
    )

    assert card.scores == trained.card.scores
    assert not (tmp_path / "models").exists()
    assert "Dry run" in said[-1]


def test_three_labels_work_all_the_way(tmp_path, trained):
    folder = draw_folder(tmp_path / "photos", kinds=("checks", "rings", "stripes"))

    card = training.train_version(
        folder, tmp_path / "models", trained.cache, training.TrainConfig()
    )

    engine = OnnxEngine(tmp_path / "models" / card.version)
    answer = engine.predict(decode_photo((folder / "checks" / "000.png").read_bytes()).pixels)
    assert answer.label == "checks"
    assert len(answer.probabilities) == 3


def test_a_run_that_fails_leaves_no_version(trained, tmp_path, monkeypatch):
    def fail(*_args, **_options):
        raise TrainingError("The loss became nan.")

    monkeypatch.setattr(learning, "fit_head", fail)

    with pytest.raises(TrainingError):
        training.train_version(
            trained.folder, tmp_path / "models", trained.cache, training.TrainConfig()
        )
    assert not list(tmp_path.iterdir())


def test_the_model_card_says_what_the_card_says(trained):
    page = (trained.version / "MODEL_CARD.md").read_text(encoding="utf-8")

    assert page.startswith("---\nlicense: apache-2.0\n")
    assert f"python -m ml evaluate {trained.card.version} --data DIR" in page
    assert trained.card.data["digest"] in page
    assert trained.card.training["head_sha256"] in page
    for name, scores in trained.card.scores["slices"].items():
        assert f"| {name} | {scores['count']} | {scores['accuracy']:.2%} |" in page


def test_a_version_is_half_as_large_as_its_numbers(trained):
    model = load_keras_version(trained.version)
    single = 4 * model.count_params()

    for name in ("model.onnx", "model.keras"):
        assert (trained.version / name).stat().st_size < 0.6 * single


def test_that_keras_is_missing_is_told_before_anything_is_read():
    code = (
        "import sys; sys.modules['keras'] = None; from ml.__main__ import main;"
        "sys.exit(main(['train', '--data', 'nowhere']))"
    )

    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 1
    assert "Training needs: pip install -r requirements.txt" in told.stderr


def test_the_networks_from_scratch_are_those_there_are():
    assert tuple(scratch.NETWORKS) == FROM_SCRATCH
