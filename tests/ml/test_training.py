import json

import numpy as np
import pytest

from ml.evaluation import evaluate
from ml.examples import in_split
from ml.inference import OnnxEngine, softmax
from ml.photos import decode_photo, fit
from ml.registry import VersionError, load_version
from ml.sources import read_folder

pytest.importorskip("keras", reason="training is not installed: pip install -r requirements.txt")

from ml import training  # noqa: E402
from ml.export import ParityError, check_parity, load_keras_version, to_onnx  # noqa: E402
from ml.heads import TrainingError  # noqa: E402
from tests.ml.drawn import draw_folder  # noqa: E402


@pytest.fixture
def decodable(trained):
    """Examples of the folder, the broken photo left out."""
    examples = read_folder(trained.folder).examples
    return [example for example in examples if example.path.name != "broken.png"]


@pytest.fixture
def photos(decodable):
    """A few photos as a network takes them in."""
    chosen = decodable[:3] + decodable[-3:]
    return np.stack([fit(decode_photo(e.path.read_bytes()).pixels, 224) for e in chosen])


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
    assert set(card.files) == {"model.onnx", "model.keras", "MODEL_CARD.md"}
    assert str(trained.folder) not in json.dumps(card.data) + json.dumps(card.training)


def test_the_same_data_and_seed_give_the_same_head(trained, tmp_path):
    examples = read_folder(trained.folder).examples

    again = training.train(examples, training.TrainConfig(), tmp_path / "another_cache")

    assert again.head.sha256 == trained.card.training["head_sha256"]


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

    monkeypatch.setattr(training, "fit_head", fail)

    with pytest.raises(TrainingError):
        training.train_version(
            trained.folder, tmp_path / "models", trained.cache, training.TrainConfig()
        )
    assert not list(tmp_path.iterdir())


def test_keras_and_onnx_hold_the_same_network(trained, photos):
    model = load_keras_version(trained.version)

    by_keras = model.predict_on_batch(photos)
    logits, features = OnnxEngine(trained.version).run(photos)

    assert softmax(np.asarray(by_keras["logits"])) == pytest.approx(softmax(logits), abs=1e-4)
    assert np.asarray(by_keras["features"]) == pytest.approx(features, abs=1e-3)


def test_the_exported_graph_takes_any_number_of_photos(trained, photos):
    engine = OnnxEngine(trained.version)

    together, _ = engine.run(photos)
    one_by_one = [engine.run(photo[np.newaxis])[0][0] for photo in photos]

    assert together == pytest.approx(np.stack(one_by_one), abs=1e-4)


def test_exporting_twice_gives_the_same_bytes(trained):
    model = load_keras_version(trained.version)

    assert to_onnx(model) == (trained.version / "model.onnx").read_bytes()


def test_parity_is_refused_between_networks_that_differ(trained, photos):
    model = load_keras_version(trained.version)
    network = to_onnx(model)
    kernel, bias = model.get_layer("head").get_weights()

    assert check_parity(model, network, photos) < 1e-4
    model.get_layer("head").set_weights([kernel / 2, bias])

    with pytest.raises(ParityError, match="differ by .* on 6 photos"):
        check_parity(model, network, photos)


def test_weights_that_half_precision_would_change_are_not_exported(trained):
    model = load_keras_version(trained.version)
    kernel, bias = model.get_layer("head").get_weights()
    model.get_layer("head").set_weights([kernel * 1.0001, bias])

    with pytest.raises(ValueError, match="was not rounded to half precision"):
        to_onnx(model)


def test_a_changed_keras_file_is_refused_before_it_is_opened(trained, tmp_path):
    copy = tmp_path / trained.version.name
    copy.mkdir()
    for path in trained.version.iterdir():
        content = bytearray(path.read_bytes())
        if path.name == "model.keras":
            content[len(content) // 2] ^= 1
        (copy / path.name).write_bytes(content)

    with pytest.raises(VersionError, match=r"model\.keras is not the file that was saved"):
        load_keras_version(copy)


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
