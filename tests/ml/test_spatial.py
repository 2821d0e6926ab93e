"""Naming more outputs changes no answer; and what each place says adds up to the answer."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from ml.heads import Head
from ml.photos import fit
from ml.spatial import SpatialError, local_logits, with_spatial
from ml.surgery import read_head, with_head
from tests.networks import tiny_network
from tests.photos import chelsea
from tests.shipped import ANSWERS, SMALL

NETWORKS = (
    *(f"{ANSWERS}/model.onnx", f"{ANSWERS}/second.onnx"),
    f"{SMALL}/model.onnx",  # in single precision
)


def session(network):
    return onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])


def shipped(settings, name):
    return (settings.BASE_DIR / "models" / name).read_bytes()


def photo_for(session):
    return fit(chelsea(), session.get_inputs()[0].shape[1])[np.newaxis]


@pytest.mark.parametrize("name", NETWORKS)
def test_answers_stay_the_same_to_the_last_bit(settings, name):
    network = shipped(settings, name)
    before, after = session(network), session(with_spatial(network))
    batch = {"photos": photo_for(before)}

    old = before.run(["logits", "features"], batch)
    new = after.run(["logits", "features"], batch)

    assert all(np.array_equal(a, b) for a, b in zip(old, new, strict=True))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_mean_over_places_is_the_answer(settings, name):
    network = session(with_spatial(shipped(settings, name)))

    logits, local = local_logits(network, photo_for(network))

    assert local.shape[1] == local.shape[2] >= 4
    assert np.abs(local.mean(axis=(1, 2)) - logits).max() < 1e-3
    assert np.ptp(local) > 1  # places differ


def test_a_new_head_speaks_for_places_too(settings):
    network = shipped(settings, NETWORKS[0])
    old = read_head(network)
    turned = Head(old.kernel[:, ::-1].copy(), old.bias[::-1].copy())

    one = session(with_spatial(network))
    other = session(with_spatial(with_head(network, turned)))

    _, before = local_logits(one, photo_for(one))
    _, after = local_logits(other, photo_for(one))
    assert np.allclose(before, after[..., ::-1], atol=1e-4)


def test_a_network_that_counts_colours_says_where_they_are():
    weights = np.array([[1, 0], [0, 0], [0, 1]], np.float32)  # red is one label, blue the other
    network = session(with_spatial(tiny_network((0.5, 0.0), weights)))
    batch = np.zeros((1, 32, 32, 3), np.uint8)
    batch[0, :, :16, 0] = 200
    batch[0, :, 16:, 2] = 100

    logits, local = local_logits(network, batch)

    assert logits.tolist() == [[100.5, 50.0]]
    assert local[0, 0, 0].tolist() == [200.5, 0.0]
    assert local[0, 31, 31].tolist() == [0.5, 100.0]


def with_peaks():
    """Of the mean red, of the brightest blue: a label each."""
    weights = np.zeros((6, 2), np.float32)
    weights[0, 0] = weights[5, 1] = 1
    return tiny_network((0.0, 0.0), weights)


def test_a_peak_counts_where_it_is_and_beside():
    network = session(with_spatial(with_peaks()))
    batch = np.zeros((2, 32, 32, 3), np.uint8)
    batch[:, 4, 20, 2] = 50
    batch[1, 0, 0, 2] = 50  # a second place as blue, in a corner

    logits, local = local_logits(network, batch)

    assert logits[:, 1].tolist() == [50, 50]
    assert local[..., 1].mean(axis=(1, 2)) == pytest.approx(50)
    assert np.argwhere(local[0, ..., 1] > 1).tolist() == [
        [row, column] for row in (3, 4, 5) for column in (19, 20, 21)
    ]
    assert local[0, 4, 20, 1] == local[0, ..., 1].max()
    assert local[1, ..., 1].max() == local[1, 0, 0, 1]  # nothing leaves the photo


def test_peaks_of_another_map_than_the_means_are_not_explained():
    model = onnx.load_from_string(with_peaks())
    model.graph.node[2].input[0] = "others"
    model.graph.node.insert(2, helper.make_node("Relu", ["floats"], ["others"]))
    network = model.SerializeToString()

    assert with_spatial(network) == network


def changed(change):
    """A tiny network that is not quite built as ours."""
    model = onnx.load_from_string(tiny_network())
    change(model.graph)
    return model.SerializeToString()


def take_the_largest(graph):
    graph.node[1].op_type = "ReduceMax"


def add_a_layer(graph):
    graph.node[2].input[0] = "bent"
    graph.node.insert(2, helper.make_node("Relu", ["features"], ["bent"]))


def scale_the_answer(graph):
    graph.node[3].output[0] = "sum"
    graph.initializer.append(numpy_helper.from_array(np.float32(2), "two"))
    graph.node.append(helper.make_node("Mul", ["sum", "two"], ["logits"]))


@pytest.mark.parametrize("change", [take_the_largest, add_a_layer, scale_the_answer])
def test_another_kind_of_network_answers_and_says_that_it_cannot_explain(change):
    network = changed(change)

    assert with_spatial(network) == network
    with pytest.raises(SpatialError):
        local_logits(session(network), np.zeros((1, 32, 32, 3), np.uint8))


def test_a_network_without_a_bias_is_understood():
    def forget_the_bias(graph):
        del graph.node[3]
        graph.node[2].output[0] = "logits"

    weights = np.array([[1, 0], [0, 0], [0, 1]], np.float32)
    model = onnx.load_from_string(tiny_network((0.0, 0.0), weights))
    forget_the_bias(model.graph)

    _, local = local_logits(
        session(with_spatial(model.SerializeToString())), np.full((1, 32, 32, 3), 7, np.uint8)
    )

    assert (local == 7).all()


def test_what_is_no_network_is_given_back_as_it_came():
    whole = tiny_network()

    for broken in (b"", b"oops", b"\xff" * 40, whole[: len(whole) // 2]):
        assert with_spatial(broken) == broken
