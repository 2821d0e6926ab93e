import numpy as np
import pytest

from ml.inference import OnnxEngine, softmax
from ml.photos import decode_photo, fit
from ml.registry import VersionError

pytest.importorskip("keras", reason="training is not installed: pip install -r requirements.txt")

import onnx  # noqa: E402
from onnx import helper, numpy_helper  # noqa: E402

from ml.export import ParityError, check_parity, load_keras_version, to_onnx  # noqa: E402


@pytest.fixture
def photos(trained):
    """A few photos as a network takes them in, shape `(6, 224, 224, 3)`."""
    paths = [
        trained.folder / label / f"00{i}.png" for label in trained.card.labels for i in range(3)
    ]
    return np.stack([fit(decode_photo(path.read_bytes()).pixels, 224) for path in paths])


@pytest.fixture
def network(trained):
    """The exported network of the trained version, to be changed by a test."""
    return onnx.load(trained.version / "model.onnx")


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


def test_a_network_is_its_own_equal(trained, network, photos):
    model = load_keras_version(trained.version)

    assert check_parity(model, network.SerializeToString(), photos) < 1e-4


def test_parity_is_refused_between_heads_that_differ(trained, network, photos):
    model = load_keras_version(trained.version)
    kernel, bias = model.get_layer("head").get_weights()
    model.get_layer("head").set_weights([kernel / 2, bias])

    with pytest.raises(ParityError, match=r"differ by .* in a probability on 6 photos"):
        check_parity(model, network.SerializeToString(), photos)


def one_grey_level_brighter(graph):
    """(x - 126) / 128 in place of (x - 127) / 128."""
    offset = weight(graph, np.full((), -127 / 128, np.float32))
    offset.CopyFrom(numpy_helper.from_array(np.array(-126 / 128, np.float32), offset.name))


def divided_by_127(graph):
    scale = weight(graph, np.full((), 1 / 128, np.float32))
    scale.CopyFrom(numpy_helper.from_array(np.array(1 / 127, np.float32), scale.name))


def blue_before_red(graph):
    """Channels the other way round, before anything else sees them."""
    turned = helper.make_node("Gather", ["photos", "bgr"], ["turned"], axis=3)
    graph.initializer.append(numpy_helper.from_array(np.array([2, 1, 0]), "bgr"))
    insert_first(graph, turned)


def mirrored(graph):
    turned = helper.make_node("Gather", ["photos", "columns"], ["turned"], axis=2)
    graph.initializer.append(numpy_helper.from_array(np.arange(223, -1, -1), "columns"))
    insert_first(graph, turned)


@pytest.mark.parametrize(
    "differently", [one_grey_level_brighter, divided_by_127, blue_before_red, mirrored]
)
def test_parity_is_refused_where_pixels_are_prepared_differently(
    trained, network, photos, differently
):
    differently(network.graph)
    onnx.checker.check_model(network)

    with pytest.raises(ParityError, match="differ by"):
        check_parity(load_keras_version(trained.version), network.SerializeToString(), photos)


def test_parity_is_refused_even_where_the_answers_are_certain(trained, network, photos):
    model = load_keras_version(trained.version)
    kernel, bias = model.get_layer("head").get_weights()
    model.get_layer("head").set_weights([kernel * 0, np.array([50, -50], np.float32)])
    network = onnx.load_from_string(to_onnx(model))
    one_grey_level_brighter(network.graph)

    with pytest.raises(ParityError, match="in a feature on 6 photos"):
        check_parity(model, network.SerializeToString(), photos)


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


def weight(graph, value):
    """The one weight of that value."""
    (found,) = [
        tensor
        for tensor in graph.initializer
        if np.array_equal(numpy_helper.to_array(tensor).squeeze(), value)
    ]
    return found


def insert_first(graph, node):
    """Put a node between the photos and what takes them in."""
    for each in graph.node:
        each.input[:] = [node.output[0] if name == "photos" else name for name in each.input]
    nodes = [node, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
