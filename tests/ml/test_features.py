import numpy as np
import pytest
from onnx import TensorProto, helper

from ml.features import Backbone, FeatureCache, each_photo, features_of
from ml.photos import PhotoError
from ml.sources import read_folder
from ml.views import VIEWS, view
from tests.limits import limit_file_size
from tests.ml.drawn import draw, draw_folder

SIDE = 8


def mean_colour():
    """A real, if small, network: its features are the photo's mean red, green and blue."""
    photos = helper.make_tensor_value_info("photos", TensorProto.UINT8, ["n", SIDE, SIDE, 3])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 3])
    nodes = [
        helper.make_node("Cast", ["photos"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["numbers"], ["features"], axes=[1, 2], keepdims=0),
    ]
    graph = helper.make_graph(nodes, "mean colour", [photos], [features])
    opset = [helper.make_opsetid("", 13)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


@pytest.fixture
def folder(tmp_path):
    return draw_folder(tmp_path / "photos")


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path / "cache")


def no_network():
    raise AssertionError("the network was asked for though nothing was missing")


def test_features_are_those_of_the_network(folder, cache):
    examples = read_folder(folder).examples

    found = features_of(examples, Backbone("a" * 64, SIDE, mean_colour), ["plain"], cache)

    pixels = np.asarray(draw(examples[0].label, int(examples[0].path.stem)))
    expected = view(pixels, "plain", SIDE).mean(axis=(0, 1))
    assert found.vectors.shape == (len(examples), 1, 3)
    assert found.vectors[0, 0] == pytest.approx(expected, abs=1e-3)
    assert found.sizes[0].tolist() == [48, 48]


def test_a_second_run_looks_at_no_photo(folder, cache):
    examples = read_folder(folder).examples
    first = features_of(examples, Backbone("a" * 64, SIDE, mean_colour), VIEWS, cache)
    for example in examples:
        example.path.unlink()

    second = features_of(examples, Backbone("a" * 64, SIDE, no_network), VIEWS, cache)

    assert np.array_equal(first.vectors, second.vectors)


def test_a_second_run_looks_at_new_photos_alone(folder, cache):
    examples = read_folder(folder).examples
    features_of(examples[1:], Backbone("a" * 64, SIDE, mean_colour), ["plain"], cache)
    for example in examples[1:]:
        example.path.unlink()

    found = features_of(examples, Backbone("a" * 64, SIDE, mean_colour), ["plain"], cache)

    assert found.examples == examples
    assert not found.broken


def test_features_of_another_network_are_not_taken_for_its_own(folder, cache):
    examples = read_folder(folder).examples
    features_of(examples, Backbone("a" * 64, SIDE, mean_colour), ["plain"], cache)

    with pytest.raises(AssertionError, match="the network was asked for"):
        features_of(examples, Backbone("b" * 64, SIDE, no_network), ["plain"], cache)


def test_a_broken_photo_is_listed_and_stops_nothing(folder, cache):
    broken = folder / "rings" / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n and no more")

    found = features_of(
        read_folder(folder).examples, Backbone("a" * 64, SIDE, mean_colour), ["plain"], cache
    )

    [(example, why)] = found.broken
    assert (example.path, "broken" in why) == (broken, True)
    assert broken not in [example.path for example in found.examples]


def test_a_folder_of_broken_photos_is_refused(folder, cache):
    examples = read_folder(folder).examples
    for example in examples:
        example.path.write_bytes(b"not a photo")

    with pytest.raises(ValueError, match=r"None of \d+ photos can be decoded"):
        features_of(examples, Backbone("a" * 64, SIDE, mean_colour), ["plain"], cache)


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(folder, cache):
    key = Backbone("a" * 64, SIDE, mean_colour).key("plain")

    def rows():
        for number in range(300):
            yield key, f"{number:064}", 1, 1, np.ones(3, np.float32)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.put(rows())

    assert len(cache.known(key)) == 256


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path):
    with (
        limit_file_size(4096),
        pytest.raises(OSError, match=r"features\.sqlite3 cannot be used: disk I/O error"),
    ):
        FeatureCache(tmp_path)


def test_a_file_that_is_no_cache_is_an_error_that_names_it(tmp_path):
    (tmp_path / "features.sqlite3").write_bytes(b"something else, and long enough to be looked at")

    with pytest.raises(OSError, match=r"features\.sqlite3 cannot be used: file is not a database"):
        FeatureCache(tmp_path)


def test_a_forgotten_photo_has_no_features_left(folder, cache, tmp_path):
    examples = read_folder(folder).examples
    backbone = Backbone("a" * 64, SIDE, mean_colour)
    features_of(examples, backbone, VIEWS, cache)

    cache.forget(examples[0].sha256)

    for name in VIEWS:
        assert cache.known(backbone.key(name)) == {e.sha256 for e in examples[1:]}
    assert examples[0].sha256.encode() not in (tmp_path / "cache" / "features.sqlite3").read_bytes()


def test_a_photo_that_vanished_is_an_error_of_that_photo_alone(folder):
    examples = read_folder(folder).examples
    examples[0].path.unlink()

    answers = dict(each_photo(examples, lambda photo, _: photo.width, "Looking"))

    assert isinstance(answers.pop(examples[0]), PhotoError)
    assert set(answers.values()) == {48}


@pytest.mark.parametrize(("name", "shape"), [("plain", 1), ("wider", 4 / 3)])
def test_views_stretch_what_they_show(name, shape):
    pixels = np.full((120, 160, 3), 250, np.uint8)
    pixels[40:80, 60:100] = 0

    dark = view(pixels, name, 120)[:, :, 0] < 125

    assert dark.any(axis=0).sum() / dark.any(axis=1).sum() == pytest.approx(shape, abs=0.05)


def test_an_unknown_view_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="plain, wider, closer, whole. Received: 'upside"):
        view(np.zeros((8, 8, 3), np.uint8), "upside-down", 8)
