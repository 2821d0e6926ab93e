"""A kept network with a new head is the network that would have been exported, and is checked."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from ml.halves import round_to_half
from ml.heads import Head

pytest.importorskip("keras", reason="training is not installed: pip install -r requirements.txt")

import onnx  # noqa: E402
from onnx import numpy_helper  # noqa: E402

from ml import templates, training  # noqa: E402
from ml.architectures import build_named  # noqa: E402
from ml.export import to_onnx  # noqa: E402
from ml.keeping import Kept  # noqa: E402
from ml.parity import ParityError  # noqa: E402
from ml.surgery import keras_with_head, read_head, read_keras_head, with_head  # noqa: E402
from ml.templates import Forms, Template, made_up_head  # noqa: E402

SIDE = 64


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A small network, a template of it, the models it built, and photos."""
    model = build_named("pawnet", SIDE, 2)
    model.set_weights([round_to_half(array) for array in model.get_weights()])
    width = model.get_layer("head").get_weights()[0].shape[0]
    model.get_layer("head").set_weights(made_up_head(width, 2))
    built = []

    def build():
        built.append(model)
        return model

    folder = tmp_path_factory.mktemp("templates")
    photos = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3), dtype=np.uint8)
    template = Template("a" * 64, 2, build, Kept(folder))
    chance = np.random.default_rng(1)
    head = Head(
        round_to_half(chance.normal(0, 1, (width, 2))), round_to_half(chance.normal(0, 1, 2))
    )
    return SimpleNamespace(
        model=model, template=template, built=built, folder=folder, photos=photos, head=head
    )


@pytest.fixture(scope="module")
def forms(made):
    return made.template.with_head(made.head, None)


def never():
    raise AssertionError("Nothing is missing that Keras would be needed for.")


def test_it_is_the_file_that_an_export_with_the_head_gives(made, forms):
    before = made.model.get_layer("head").get_weights()
    made.model.get_layer("head").set_weights([made.head.kernel, made.head.bias])
    try:
        exported = to_onnx(made.model)
    finally:
        made.model.get_layer("head").set_weights(before)

    assert forms.network == exported


def test_both_files_hold_the_head(made, forms):
    assert read_head(forms.network).sha256 == made.head.sha256
    assert read_keras_head(forms.by_keras).sha256 == made.head.sha256


def test_what_is_kept_needs_no_keras_and_passes_the_same_check(made, forms):
    found = made.template.check(forms, made.photos)

    again = Template("a" * 64, 2, never, Kept(made.folder))
    kept = again.with_head(made.head, None)

    assert kept == forms
    assert again.check(kept, made.photos) == found < 1e-4


def test_another_backbone_or_other_labels_are_not_taken_from_it(made, forms):
    for other in (
        Template("b" * 64, 2, never, Kept(made.folder)),
        Template("a" * 64, 3, never, Kept(made.folder)),
    ):
        with pytest.raises(AssertionError, match="Nothing is missing"):
            other.network()


def test_other_code_or_packages_export_anew(made, forms, monkeypatch):
    monkeypatch.setattr(templates, "version", lambda name: f"another {name}")

    with pytest.raises(AssertionError, match="Nothing is missing"):
        Template("a" * 64, 2, never, Kept(made.folder)).network()


def test_a_network_with_another_head_than_its_keras_file_is_refused(made, forms):
    other = Head(-made.head.kernel, made.head.bias)

    for changed in (
        Forms(with_head(forms.network, other), None, forms.by_keras),
        Forms(forms.network, None, keras_with_head(forms.by_keras, other)),
    ):
        with pytest.raises(ParityError, match="in a probability on 4 photos"):
            made.template.check(changed, made.photos)


def test_a_network_that_sees_something_else_is_refused_though_its_head_is_right(made, forms):
    network = onnx.load_from_string(forms.network)
    for tensor in network.graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.ndim == 4:
            tensor.CopyFrom(numpy_helper.from_array(array * array.dtype.type(1.5), tensor.name))
    changed = Forms(network.SerializeToString(), None, forms.by_keras)

    with pytest.raises(ParityError, match="differ by"):
        made.template.check(changed, made.photos)


def test_a_second_training_gives_the_same_networks_without_keras(trained, tmp_path, monkeypatch):
    """And a third one, whose kept networks are all damaged."""
    root = tmp_path / "models"
    for name in [name for name in sys.modules if name.split(".")[0] in ("keras", "tensorflow")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("keras", "tensorflow", "ml.backbones", "ml.scratch"):
        monkeypatch.setitem(sys.modules, name, None)

    card = training.train_version(trained.folder, root, trained.cache, training.TrainConfig())

    monkeypatch.undo()
    assert networks(card) == networks(trained.card)
    for path in (trained.cache / "networks").iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    again = training.train_version(trained.folder, root, trained.cache, training.TrainConfig())
    assert again.files["model.onnx"] == card.files["model.onnx"]
    assert again.scores == card.scores


def networks(card):
    """SHA-256 of each network's file."""
    return {name: card.files[name] for name in ("model.onnx", "model.keras")}
