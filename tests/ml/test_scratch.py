import numpy as np
import pytest

pytest.importorskip("keras", reason="training is not installed: pip install -r requirements.txt")

from ml import scratch  # noqa: E402
from ml.export import check_parity, to_onnx  # noqa: E402
from ml.pytorch_stream import WeightsError  # noqa: E402
from tests.ml.drawn import draw  # noqa: E402

SIDE = 32


def tiny_body(x, painter):
    """Every kind of layer that a `Painter` has, few channels."""
    x = painter.relu(painter.conv(x, 4, 3, "stem", stride=2), "stem")
    return painter.add(x, painter.separable(x, 4, "filter"), "filter")


TINY = scratch.Network("tiny", SIDE, tiny_body, dropout=0.5)


def photos(side=SIDE):
    return np.stack([draw(kind, i)[:side, :side] for kind in ("rings", "checks") for i in range(4)])


def trained_a_little(network, num_labels=3):
    """As after some training: no normalisation is what it began as."""
    model = scratch.build_to_train(network, num_labels)
    chance = np.random.default_rng(0)
    for layer in model.layers:
        if layer.name.endswith("_norm"):
            layer.set_weights([chance.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


def test_folding_a_trained_network_changes_no_answer():
    trained = trained_a_little(TINY)

    served = scratch.fold(trained, TINY)

    expected = trained.predict_on_batch(photos())
    found = served.predict_on_batch(photos())
    for output in ("logits", "features"):
        # Half precision keeps three digits of each weight.
        assert found[output] == pytest.approx(expected[output], abs=5e-3)
        assert np.ptp(expected[output]) > 0.05


@pytest.mark.parametrize("name", scratch.NETWORKS)
def test_each_network_folds_to_the_same_answers(name):
    network = scratch.network_named(name)
    small = scratch.Network(name, SIDE, network.body)
    trained = scratch.build_to_train(small, 2)

    served = scratch.fold(trained, small)

    expected = trained.predict_on_batch(photos())["logits"]
    assert served.predict_on_batch(photos())["logits"] == pytest.approx(expected, abs=2e-2)


@pytest.mark.parametrize("name", scratch.NETWORKS)
def test_a_network_that_serves_has_no_batch_normalisation_and_the_outputs_of_all_others(name):
    model = scratch.build(scratch.NETWORKS[name], num_labels=5)

    assert not any("norm" in layer.name for layer in model.layers)
    side = scratch.NETWORKS[name].side
    assert model.input.name == "photos"
    assert (model.input_shape, model.input.dtype) == ((None, side, side, 3), "uint8")
    assert model.output["logits"].shape == (None, 5)
    assert model.output["features"].shape == (None, {"small-xception": 1024, "pawnet": 384}[name])
    assert model.get_layer("head").count_params() == 5 * (model.output["features"].shape[1] + 1)


def test_the_small_xception_is_as_large_as_the_tutorials():
    model = scratch.build_to_train(scratch.NETWORKS["small-xception"], 2)

    assert model.count_params() == pytest.approx(2.7e6, rel=0.02)


def test_a_network_in_training_takes_photos_of_any_side():
    model = scratch.build_to_train(TINY, 2)

    assert model.predict_on_batch(photos(32))["logits"].shape == (8, 2)
    assert model.predict_on_batch(photos(24))["logits"].shape == (8, 2)


def test_a_network_exports_with_its_weights_in_half_precision():
    served = scratch.fold(trained_a_little(TINY), TINY)

    assert check_parity(served, to_onnx(served), photos()) < 1e-5


def test_its_weights_fit_a_half_precision_twin_to_the_last_digit():
    served = scratch.fold(trained_a_little(TINY), TINY)

    half = scratch.build(TINY, 3, dtype="float16")
    half.set_weights(served.get_weights())

    for stored, used in zip(half.get_weights(), served.get_weights(), strict=True):
        assert stored.dtype == np.float16
        assert np.array_equal(stored.astype(np.float32), used)


def test_a_weight_too_large_for_half_precision_is_refused():
    trained = trained_a_little(TINY)
    trained.get_layer("head").set_weights([np.full((4, 3), 1e6), np.zeros(3)])

    with pytest.raises(WeightsError, match="does not fit half precision"):
        scratch.fold(trained, TINY)


def test_an_unknown_network_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="small-xception, pawnet.*Received: 'lite0'"):
        scratch.network_named("lite0")
