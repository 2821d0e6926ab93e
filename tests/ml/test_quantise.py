import hashlib
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ml.features import Backbone, FeatureCache, features_of, session_from
from ml.inference import OnnxEngine
from ml.photos import decode_photo, fit
from ml.registry import save_version
from ml.sources import read_folder
from tests.make import make_card

pytest.importorskip("keras", reason="training is not installed: pip install -r requirements.txt")

import onnx  # noqa: E402
from onnx import TensorProto  # noqa: E402

from ml.export import ParityError  # noqa: E402
from ml.quantise import (  # noqa: E402
    calibration_photos,
    check_features,
    cost_of,
    quantise,
    quantised,
)


@pytest.fixture(scope="module")
def network(trained):
    """In floating point."""
    return (trained.version / "model.onnx").read_bytes()


@pytest.fixture(scope="module")
def photos(trained):
    """A few photos to set the steps by, shape `(8, 224, 224, 3)`."""
    return calibration_photos(read_folder(trained.folder).examples, 224, number=8)


@pytest.fixture(scope="module")
def small(network, photos):
    """The same network in whole numbers."""
    return quantise(network, photos)


@pytest.fixture(scope="module")
def unseen(trained):
    """Photos of each label that the steps were not set by, shape `(8, 224, 224, 3)`."""
    paths = [
        trained.folder / label / f"00{i}.png" for label in trained.card.labels for i in range(4)
    ]
    return np.stack([fit(decode_photo(path.read_bytes()).pixels, 224) for path in paths])


def ends(network):
    graph = onnx.load_from_string(network).graph
    return [
        (
            value.name,
            value.type.tensor_type.elem_type,
            [each.dim_param or each.dim_value for each in value.type.tensor_type.shape.dim],
        )
        for value in (*graph.input, *graph.output)
    ]


def test_the_graph_takes_and_gives_what_it_did(network, small):
    assert ends(small) == ends(network)
    assert [kind for _, kind, _ in ends(small)] == [TensorProto.UINT8, *[TensorProto.FLOAT] * 2]


def test_convolutions_but_the_first_hold_whole_numbers(network, small):
    graph = onnx.load_from_string(small).graph
    kinds = {tensor.name: tensor.data_type for tensor in graph.initializer}
    made_of = {node.output[0]: node.input[0] for node in graph.node}
    weights = [node.input[1] for node in graph.node if node.op_type == "Conv"]

    assert kinds[weights[0]] == TensorProto.FLOAT
    assert {kinds[made_of[each]] for each in weights[1:]} == {TensorProto.INT8}
    assert len(small) < 0.6 * len(network)


def test_it_hardly_moves_the_answers(network, small, unseen):
    cost = cost_of(small, network, unseen)

    assert cost.changed == 0
    assert 0 < cost.mean <= cost.largest < 0.2


def test_the_same_network_and_photos_give_the_same_bytes(network, photos, small, tmp_path):
    (tmp_path / "network").write_bytes(network)
    np.save(tmp_path / "photos.npy", photos)
    # In another process, where sets and dictionaries hash differently.
    code = (
        "import sys, hashlib, numpy; from pathlib import Path; from ml.quantise import quantise;"
        "place = Path(sys.argv[1]); photos = numpy.load(place / 'photos.npy');"
        "made = quantise((place / 'network').read_bytes(), photos);"
        "print(hashlib.sha256(made).hexdigest())"
    )

    told = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout.strip() == hashlib.sha256(small).hexdigest()


def test_any_number_of_photos_gives_the_same_features(small, unseen):
    session = session_from(small)

    (together,) = session.run(["features"], {"photos": unseen})
    one_by_one = [session.run(["features"], {"photos": each[np.newaxis]})[0][0] for each in unseen]

    assert together == pytest.approx(np.stack(one_by_one), abs=1e-5)


def test_weights_of_dense_convolutions_leave_a_bit_free_for_machines_without_vnni(small):
    graph = onnx.load_from_string(small).graph
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    made_of = {node.output[0]: node.input[0] for node in graph.node}
    largest = {True: 0, False: 0}
    for node in [node for node in graph.node if node.op_type == "Conv"][1:]:
        weights = arrays[made_of[node.input[1]]].astype(int)
        alone = weights.shape[1] == 1
        largest[alone] = max(largest[alone], abs(weights).max())

    assert 2 * 255 * largest[False] < 2**15
    assert largest[True] == 127


def test_other_heads_leave_the_features_as_they_were(small, photos, unseen, trained):
    """So a head fitted to a quantised backbone's features fits the version that ships."""
    from ml.frozen import frozen

    backbone = quantised(frozen("efficientnet-lite0"), photos)

    (before,) = session_from(backbone.to_onnx()).run(["features"], {"photos": unseen})
    (after,) = session_from(small).run(["features"], {"photos": unseen})

    assert np.array_equal(before, after)
    check_features(small, unseen, before)


def test_a_version_quantised_on_other_photos_than_its_backbone_is_refused(network, small, unseen):
    (features,) = session_from(small).run(["features"], {"photos": unseen})

    with pytest.raises(ParityError, match=r"features differ by .* on 8 photos"):
        check_features(quantise(network, 255 - unseen[:1]), unseen, features)


def test_features_in_whole_numbers_are_cached_apart(small, photos, trained, tmp_path):
    float_one = Backbone("f" * 64, 224, lambda: (trained.version / "model.onnx").read_bytes())
    examples = read_folder(trained.folder).examples[:2]
    cache = FeatureCache(tmp_path)

    both = [
        features_of(examples, each, ["plain"], cache).vectors
        for each in (float_one, quantised(float_one, photos))
    ]

    assert not np.array_equal(*both)
    assert np.linalg.norm(both[0] - both[1]) < 0.5 * np.linalg.norm(both[0])


def test_other_photos_to_set_the_steps_by_are_another_backbone(photos):
    one = Backbone("f" * 64, 224, bytes)

    names = {quantised(one, each).weights_sha256 for each in (photos, photos[:4], 255 - photos)}

    assert len(names | {one.weights_sha256}) == 4
    assert quantised(one, photos).weights_sha256 == quantised(one, photos.copy()).weights_sha256


def test_the_photos_to_set_the_steps_by_are_the_same_whatever_their_order_and_place(trained):
    examples = read_folder(trained.folder).examples

    chosen = calibration_photos(examples, 32, number=5)

    assert chosen.shape == (5, 32, 32, 3)
    assert np.array_equal(chosen, calibration_photos(examples[::-1], 32, number=5))
    held_back = [example for example in examples if example.split != "train"]
    assert calibration_photos(held_back, 32).shape == (0, 32, 32, 3)


def test_without_photos_it_refuses(network):
    with pytest.raises(ValueError, match="needs photos"):
        quantise(network, np.zeros((0, 224, 224, 3), np.uint8))


def test_a_version_in_whole_numbers_is_served_like_any_other(trained, small, tmp_path):
    folder = save_version(
        tmp_path,
        make_card(labels=trained.card.labels, side=224),
        {"model.onnx": small},
    )
    engine = OnnxEngine(folder)

    for label in trained.card.labels:
        drawing = decode_photo((trained.folder / label / "000.png").read_bytes())
        assert engine.predict(drawing.pixels).label == label


def test_it_says_nothing_of_its_own_accord(network, photos, caplog):
    with caplog.at_level(logging.WARNING):
        quantise(network, photos[:1])

    assert caplog.messages == []
