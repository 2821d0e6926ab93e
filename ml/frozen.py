"""A frozen ImageNet backbone, ready for the feature cache. Needs the training parts."""

from ml.backbones import (
    Architecture,
    Weights,
    architecture_named,
    build,
    halve,
    load_imagenet,
    set_weights,
)
from ml.export import to_onnx
from ml.features import Backbone


def frozen(name: str) -> Backbone:
    """The backbone of an architecture with its ImageNet weights in half precision, as trained on.

    Raises:
        WeightsError: if the weights are missing or changed.
        ValueError: if there is no such architecture.
    """
    architecture = architecture_named(name)
    return backbone_of(architecture, halve(load_imagenet(architecture)))


def backbone_of(architecture: Architecture, weights: Weights) -> Backbone:
    """The backbone that has these weights, their head included."""

    def network() -> bytes:
        model = build(architecture, len(weights.layers["head"][1]))
        set_weights(model, weights)
        return to_onnx(model)

    return Backbone(weights.sha256, architecture.side, network)
