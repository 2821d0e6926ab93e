"""A head is put into a network's files without Keras, and Keras agrees with what comes out."""

import numpy as np
import pytest

from ml.halves import round_to_half
from ml.heads import Head
from ml.inference import OnnxEngine
from ml.registry import save_version
from ml.surgery import SurgeryError, keras_with_head, read_head, with_head
from tests.make import make_card

pytest.importorskip("keras", reason="training is not installed: pip install -r requirements.txt")

from ml.architectures import build_named  # noqa: E402
from ml.export import check_parity, load_keras_version, to_keras, to_onnx  # noqa: E402

SIDE = 64


@pytest.fixture(scope="module")
def network():
    """A small network from scratch with its weights in half precision, in Keras."""
    model = build_named("pawnet", SIDE, 2)
    model.set_weights([round_to_half(array) for array in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def files(network):
    return to_onnx(network), to_keras(network)


def a_head(like, seed=0):
    chance = np.random.default_rng(seed)
    return Head(
        round_to_half(chance.normal(0, 1, like.kernel.shape)),
        round_to_half(chance.normal(0, 1, like.bias.shape)),
    )


def test_the_head_that_is_read_is_the_one_keras_has(network, files):
    head = read_head(files[0])

    kernel, bias = network.get_layer("head").get_weights()
    assert np.array_equal(head.kernel, kernel)
    assert np.array_equal(head.bias, bias)


def test_both_files_get_the_same_new_head_and_answer_alike(files, tmp_path):
    head = a_head(read_head(files[0]))
    by_onnx, by_keras = with_head(files[0], head), keras_with_head(files[1], head)
    folder = save_version(
        tmp_path,
        make_card(architecture="pawnet", side=SIDE),
        {"model.onnx": by_onnx, "model.keras": by_keras},
    )
    photos = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3), dtype=np.uint8)

    model = load_keras_version(folder)

    assert np.array_equal(model.get_layer("head").get_weights()[0], head.kernel)
    assert read_head(by_onnx).sha256 == head.sha256
    assert check_parity(model, by_onnx, photos) < 1e-4


def test_a_bias_of_zero_that_the_exporter_left_out_is_there(files):
    assert np.array_equal(read_head(files[0]).bias, np.zeros(2))


def test_the_features_stay_as_they_were(files, tmp_path):
    other = with_head(files[0], a_head(read_head(files[0])))
    old = save_version(tmp_path, make_card("1", side=SIDE), {"model.onnx": files[0]})
    new = save_version(tmp_path, make_card("2", side=SIDE), {"model.onnx": other})
    photo = np.random.default_rng(0).integers(0, 256, (1, SIDE, SIDE, 3), dtype=np.uint8)

    (logits, features), (other_logits, other_features) = (
        OnnxEngine(folder).run(photo) for folder in (old, new)
    )

    assert np.array_equal(features, other_features)
    assert not np.array_equal(logits, other_logits)


def test_the_same_head_gives_the_same_bytes(files):
    head = a_head(read_head(files[0]))

    assert with_head(files[0], head) == with_head(files[0], head)
    assert keras_with_head(files[1], head) == keras_with_head(files[1], head)


def test_a_large_head_stored_as_half_is_found_too(trained):
    """Three labels and more make the kernel large enough to be halved, behind a cast."""
    network = (trained.version / "model.onnx").read_bytes()
    head = a_head(read_head(network))

    assert read_head(with_head(network, head)).sha256 == head.sha256


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda head: Head(head.kernel[:, :1], head.bias[:1]), "should have the shape"),
        (lambda head: Head(head.kernel + np.float32(1e-7), head.bias + 1e-4), "rounded to half"),
    ],
)
def test_a_head_that_does_not_fit_is_refused(files, change, why):
    head = change(a_head(read_head(files[0])))

    for put, content in ((keras_with_head, files[1]),):
        with pytest.raises(SurgeryError, match=why):
            put(content, head)


@pytest.mark.parametrize("content", [b"", b"no network", b"PK\x03\x04 and no more"])
def test_what_is_no_network_is_refused(content):
    head = Head(np.zeros((4, 2), np.float32), np.zeros(2, np.float32))

    with pytest.raises(SurgeryError):
        with_head(content, head)
    with pytest.raises(SurgeryError):
        keras_with_head(content, head)
