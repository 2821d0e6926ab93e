"""EfficientNet-Lite in Keras; `ml.imagenet` says what it is built of, and has its weights."""

import os

from ml.imagenet import (
    ARCHITECTURES,
    Architecture,
    Block,
    Weights,
    architecture_named,
    blocks,
    digest_of,
    halve,
    load_imagenet,
)

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow is imported, or too late

import keras
from keras import layers

__all__ = [
    "ARCHITECTURES",
    "FEATURES",
    "Architecture",
    "Weights",
    "architecture_named",
    "build",
    "halve",
    "load_imagenet",
    "set_weights",
    "weights_of",
]

FEATURES = 1280

_STEM = 32


def build(architecture: Architecture, num_labels: int, dtype: str = "float32") -> keras.Model:
    """The network, with random weights.

    Args:
        architecture: Which size.
        num_labels: Outputs of the head: a version's labels, or ImageNet's 1000.
        dtype: Of weights and arithmetic; `"float16"` only to store weights in half the space.

    Returns:
        A functional model from `photos`, `uint8`, shape `(n, side, side, 3)`, to a dictionary of
        `logits`, shape `(n, num_labels)`, and `features`, shape `(n, 1280)`, or `(n, 2560)` with
        peaks: all means, then all peaks.
    """
    side = architecture.side
    photos = keras.Input((side, side, 3), dtype="uint8", name="photos")
    # The network was trained on (x - 127) / 128; being a layer, serving cannot forget it.
    x = layers.Rescaling(1 / 128, offset=-127 / 128, dtype=dtype, name="rescale")(photos)
    x = _conv(x, _STEM, 3, 2, "stem", dtype)  # (n, side / 2, side / 2, 32)
    for block in blocks(architecture):
        x = _block(x, block, dtype)
    x = _conv(x, FEATURES, 1, 1, "top", dtype)  # (n, side / 32, side / 32, 1280)
    features = _pooled(x, architecture.peaks, dtype)
    logits = layers.Dense(num_labels, name="head", dtype=dtype)(features)  # (n, num_labels)
    return keras.Model(photos, {"logits": logits, "features": features}, name=architecture.name)


def set_weights(model: keras.Model, weights: Weights) -> None:
    """Give a network its weights; a layer that `weights` lacks keeps its own."""
    for name, (kernel, bias) in weights.layers.items():
        model.get_layer(name).set_weights([kernel, bias])


def weights_of(model: keras.Model) -> Weights:
    """The weights of a network that `build` made."""
    layers = {layer.name: tuple(layer.get_weights()) for layer in model.layers if layer.weights}
    return Weights(layers, digest_of(layers))


def _conv(
    x: keras.KerasTensor, channels: int, kernel: int, stride: int, name: str, dtype: str
) -> keras.KerasTensor:
    x = layers.Conv2D(channels, kernel, stride, padding="same", name=name, dtype=dtype)(x)
    return layers.ReLU(max_value=6, name=f"{name}_relu6", dtype=dtype)(x)


def _pooled(x: keras.KerasTensor, peaks: bool, dtype: str) -> keras.KerasTensor:
    if not peaks:
        return layers.GlobalAveragePooling2D(name="features", dtype=dtype)(x)  # (n, 1280)
    means = layers.GlobalAveragePooling2D(name="means", dtype=dtype)(x)
    largest = layers.GlobalMaxPooling2D(name="peaks", dtype=dtype)(x)
    return layers.Concatenate(name="features", dtype=dtype)([means, largest])  # (n, 2560)


def _block(x: keras.KerasTensor, block: Block, dtype: str) -> keras.KerasTensor:
    shortcut, channels_in = x, x.shape[-1]
    if block.expansion > 1:
        # (n, s, s, channels_in × expansion)
        x = _conv(x, channels_in * block.expansion, 1, 1, f"{block.name}_expand", dtype)
    name = f"{block.name}_filter"
    x = layers.DepthwiseConv2D(block.kernel, block.stride, padding="same", name=name, dtype=dtype)(
        x
    )  # (n, s / stride, s / stride, channels_in × expansion)
    x = layers.ReLU(max_value=6, name=f"{name}_relu6", dtype=dtype)(x)
    # No activation behind the narrow end: it would lose what little fits through.
    x = layers.Conv2D(block.channels, 1, name=f"{block.name}_project", dtype=dtype)(x)
    if block.stride == 1 and channels_in == block.channels:
        x = layers.Add(name=f"{block.name}_add", dtype=dtype)([shortcut, x])
    return x  # (n, s / stride, s / stride, channels)
