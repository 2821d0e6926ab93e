"""A larger network is asked about the photos that the first one is not sure of, and no others."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from ml.answering import mind_of
from ml.bases import find_base
from ml.evaluation import evaluate
from ml.examples import in_split
from ml.inference import OnnxEngine, answer_from, is_hard, softmax
from ml.photos import decode_photo
from ml.refitting import refit_version
from ml.registry import SecondLook, VersionError, load_card, save_version
from ml.sources import read_folder
from ml.surgery import read_head
from ml.views import view
from tests.make import make_card
from tests.ml.taught import drawn_examples

pytest.importorskip("keras", reason="training is not installed: pip install -r requirements.txt")

from ml import training  # noqa: E402
from ml.export import SECOND_KERAS, load_keras_version  # noqa: E402


@pytest.fixture(scope="module")
def looked(tmp_path_factory, trained):
    """A version with a second look, of the folder that `trained` learnt from."""
    root = tmp_path_factory.mktemp("looked")
    config = training.TrainConfig(second="efficientnet-lite1", look_again=0.5)
    card = training.train_version(trained.folder, root, trained.cache, config)
    return SimpleNamespace(card=card, folder=root / card.version, config=config)


@pytest.fixture
def decodable(trained):
    """Examples of the folder, the broken photo left out."""
    examples = read_folder(trained.folder).examples
    return [example for example in examples if example.path.name != "broken.png"]


def second(below):
    return SecondLook("made-for-tests", side=32, below=below, temperature=2.0)


def test_what_is_below_its_limit_is_looked_at_again():
    card = make_card(second=second(below=0.9))

    assert is_hard(np.array([[1.0, 0.0], [5.0, 0.0]]), card).tolist() == [True, False]
    assert not is_hard(np.array([[1.0, 0.0]]), make_card()).any()


def test_the_second_network_counts_as_much_as_its_card_says():
    logits, closer = np.array([1.0, 0.0]), np.array([0.0, 2.0])

    twice = answer_from(logits, make_card(second=second(0.9)), closer=closer)
    once = answer_from(logits, make_card(second=replace(second(0.9), weight=1.0)), closer=closer)

    # Two shares of three say 2, one says -1: the mean is 1, the temperature 2.
    assert (twice.label, twice.confidence) == ("dog", pytest.approx(1 / (1 + np.exp(-0.5))))
    assert (once.label, once.confidence) == ("dog", pytest.approx(1 / (1 + np.exp(-0.25))))


def test_a_card_that_does_not_say_how_to_look_again_means_closer_and_whole(tmp_path):
    card = make_card(second=second(0.9))
    folder = save_version(tmp_path, card, {"model.onnx": b"one", "second.onnx": b"another"})
    content = json.loads((folder / "card.json").read_text())
    del content["second"]["looks"], content["second"]["weight"]
    (folder / "card.json").write_text(json.dumps(content))

    assert load_card(folder).second == card.second
    assert (card.second.looks, card.second.weight) == (("closer", "whole"), 2)


def test_a_version_without_the_file_of_its_second_network_is_refused(tmp_path):
    card = make_card(second=second(0.9))

    with pytest.raises(VersionError, match=r"needs second\.onnx"):
        save_version(tmp_path, card, {"model.onnx": b"a network"})


def test_a_hard_photo_is_answered_by_both_networks(looked, decodable):
    always = replace(looked.card, second=replace(looked.card.second, below=1.1))
    engine, network = OnnxEngine(looked.folder), load_keras_version(looked.folder, SECOND_KERAS)
    engine.card = always
    pixels = decode_photo(decodable[0].path.read_bytes()).pixels

    first, _ = engine.run(view(pixels, "plain", always.side)[np.newaxis])
    shown = [view(pixels, look, always.second.side) for look in always.second.looks]
    closer = np.asarray(network.predict_on_batch(np.stack(shown))["logits"]).mean(axis=0)

    expected = softmax((first[0] + 2 * closer) / 3 / always.second.temperature)
    said = engine.predict(pixels).probabilities
    assert [said[label] for label in always.labels] == pytest.approx(expected, abs=1e-4)


def test_a_sure_photo_is_answered_by_the_first_network_alone(looked, decodable):
    engine = OnnxEngine(looked.folder)
    engine.card = replace(looked.card, second=replace(looked.card.second, below=0.0))
    engine._second = None  # asked, it would fail
    pixels = decode_photo(decodable[0].path.read_bytes()).pixels

    logits, _ = engine.run(view(pixels, "plain", engine.card.side)[np.newaxis])

    said = engine.predict(pixels).probabilities
    assert [said[label] for label in engine.card.labels] == pytest.approx(softmax(logits[0]))


def test_what_it_scored_while_training_is_what_it_scores_when_asked(looked, decodable):
    evaluation = evaluate(OnnxEngine(looked.folder), in_split(decodable, "holdout"))

    assert evaluation.for_card()["log_loss"] == pytest.approx(
        looked.card.scores["log_loss"], abs=1e-4
    )


def test_the_same_data_and_seed_give_the_same_second_head(looked, trained):
    again = training.train(read_folder(trained.folder).examples, looked.config, trained.cache)

    assert again.second.learnt.head.sha256 == looked.card.training["second"]["head_sha256"]


def test_networks_in_8_bits_are_scored_as_they_answer(trained, decodable, tmp_path):
    config = training.TrainConfig(second="efficientnet-lite1", look_again=0.5, int8="both")

    card = training.train_version(trained.folder, tmp_path, trained.cache, config)

    folder = tmp_path / card.version
    evaluation = evaluate(OnnxEngine(folder), in_split(decodable, "holdout"))
    assert evaluation.for_card()["log_loss"] == pytest.approx(card.scores["log_loss"], abs=1e-4)
    for name, notes in (("model", card.training), ("second", card.training["second"])):
        assert set(notes["int8"]) == {"largest", "mean", "changed"}
        small, large = folder / f"{name}.onnx", folder / f"{name}.keras"
        assert small.stat().st_size < 0.7 * large.stat().st_size

    again = training.train_version(trained.folder, tmp_path, trained.cache, config)

    for name in ("model.onnx", "second.onnx", "model.keras", "second.keras"):
        assert again.files[name] == card.files[name]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"int8": "second"}, "with --second-look only"),
        ({"int8": "both"}, "with --second-look only"),
        ({"int8": "first", "architecture": "pawnet"}, "8 bits are for efficientnet-lite0"),
        ({"architecture": "lite9"}, "Architectures are efficientnet-lite0"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, why):
    asked = {"architecture": "efficientnet-lite0", "second_look": False, "int8": None, "seed": 0}

    with pytest.raises(ValueError, match=why):
        training.config_from(**{**asked, **options})


def test_both_networks_are_refitted_and_agree_with_keras(looked, tmp_path):
    checks = drawn_examples(tmp_path / "checks", ["rings"], kinds=["checks"], number=25)
    root = looked.folder.parent

    refitted = refit_version(root, looked.card.version, checks, cache=tmp_path / "cache")

    card, folder = refitted.card, root / refitted.card.version
    before, after = (each.training["second"]["head_sha256"] for each in (looked.card, card))
    assert before != after
    head = read_head((folder / "second.onnx").read_bytes())
    assert head.sha256 == after
    kernel, _ = load_keras_version(folder, SECOND_KERAS).get_layer("head").get_weights()
    assert np.array_equal(kernel, head.kernel)
    mind = mind_of(folder, card)
    base = find_base(root, card)
    assert mind.share_looked_at_again(base.holdout) == pytest.approx(
        np.mean([each < card.second.below for each in _first_confidences(mind, base)])
    )
    assert OnnxEngine(folder).predict(decode_photo(checks[0].path.read_bytes()).pixels).label


def _first_confidences(mind, base):
    logits = mind.first.logits(base.holdout.plain)
    return softmax(logits / mind.card.temperature).max(axis=1)
