"""Networks to train from nothing: the Keras tutorial's small Xception, and a fast residual one.

Each is drawn once and built twice: with batch normalisation to train, which any side of photo
passes through, and without to serve, each normalisation folded into the convolution before it.

Source: F. Chollet, "Image classification from scratch", keras.io, 2020; K. He, X. Zhang, S. Ren,
J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016; H. Touvron, A. Vedaldi,
M. Douze, H. Jégou, "Fixing the train-test resolution discrepancy", NeurIPS 2019.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ml.halves import round_to_half

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow is imported, or too late

import keras
from keras import layers

_EPSILON = 1e-3
# Of the running mean and variance: they follow the last twenty batches or so.
_MOMENTUM = 0.95


@dataclass(frozen=True)
class Painter:
    """Lays layers on layers, the same ones for training and for serving.

    Attributes:
        dtype: Of weights and arithmetic, or a policy such as `"mixed_bfloat16"`.
        trains: Whether batch normalisation and dropout are there; else convolutions have a bias.
    """

    dtype: str
    trains: bool

    def conv(
        self, x: keras.KerasTensor, channels: int, kernel: int, name: str, stride: int = 1
    ) -> keras.KerasTensor:
        """A convolution and its normalisation: `(n, ceil(h / stride), ceil(w / stride), channels)`.

        No activation follows.
        """
        conv = layers.Conv2D(
            channels,
            kernel,
            stride,
            padding="same",
            use_bias=not self.trains,
            kernel_initializer="he_normal",
            name=name,
            dtype=self.dtype,
        )
        return self._norm(conv(x), name)

    def separable(self, x: keras.KerasTensor, channels: int, name: str) -> keras.KerasTensor:
        """A 3 × 3 filter on each channel, a mixture of channels, a normalisation."""
        conv = layers.SeparableConv2D(
            channels, 3, padding="same", use_bias=not self.trains, name=name, dtype=self.dtype
        )
        return self._norm(conv(x), name)

    def relu(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """What is below zero becomes zero."""
        return layers.ReLU(name=f"{name}_relu", dtype=self.dtype)(x)

    def add(self, x: keras.KerasTensor, y: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """A shortcut joins what went the long way."""
        return layers.Add(name=f"{name}_add", dtype=self.dtype)([x, y])

    def dropout(self, x: keras.KerasTensor, share: float) -> keras.KerasTensor:
        """While training, zero a share of the numbers."""
        return layers.Dropout(share, name="dropout")(x) if self.trains and share else x

    def _norm(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        if not self.trains:
            return x
        norm = layers.BatchNormalization(
            momentum=_MOMENTUM, epsilon=_EPSILON, name=_norm_of(name), dtype=self.dtype
        )
        return norm(x)


Body = Callable[[keras.KerasTensor, Painter], keras.KerasTensor]


@dataclass(frozen=True)
class Network:
    """A network to train from scratch.

    Attributes:
        name: As in a version's card.
        side: Side in pixels of the photos it takes in once it serves.
        body: From rescaled photos, `(n, side, side, 3)`, to what is pooled into features.
        dropout: Share of the features that is zeroed while training.
    """

    name: str
    side: int
    body: Body
    dropout: float = 0.0


def small_xception(x: keras.KerasTensor, painter: Painter) -> keras.KerasTensor:
    """The tutorial's network: residual blocks of two separable convolutions, 2.7 M parameters."""
    x = painter.relu(painter.conv(x, 128, 3, "stem", stride=2), "stem")  # (n, s / 2, s / 2, 128)
    for channels in (256, 512, 728):
        name, shortcut = f"block{channels}", x
        for half in ("a", "b"):
            x = painter.relu(x, f"{name}{half}")
            x = painter.separable(x, channels, f"{name}{half}")
        x = layers.MaxPooling2D(3, 2, padding="same", name=f"{name}_pool", dtype=painter.dtype)(x)
        x = painter.add(x, _project(shortcut, channels, name, painter), name)  # a quarter as large
    return painter.relu(painter.separable(x, 1024, "top"), "top")  # (n, s / 16, s / 16, 1024)


def _project(x: keras.KerasTensor, channels: int, name: str, painter: Painter) -> keras.KerasTensor:
    """The tutorial's shortcut: a strided convolution that nothing normalises."""
    name = f"{name}_shortcut"
    return layers.Conv2D(channels, 1, 2, padding="same", name=name, dtype=painter.dtype)(x)


def pawnet(x: keras.KerasTensor, painter: Painter) -> keras.KerasTensor:
    """Four residual blocks of plain 3 × 3 convolutions, which a CPU computes near its best speed.

    The stem and each block halve the side, so that most of the work is done on few pixels with
    many channels: 80 million multiplications for a photo of 96 pixels.
    """
    x = painter.relu(painter.conv(x, 32, 3, "stem", stride=2), "stem")  # (n, s / 2, s / 2, 32)
    for channels in (48, 96, 192, 384):
        x = _residual(x, channels, f"block{channels}", painter)  # (n, s / 4 … s / 32, …, channels)
    return x


def _residual(
    x: keras.KerasTensor, channels: int, name: str, painter: Painter
) -> keras.KerasTensor:
    """Two convolutions beside a shortcut that averages four pixels; half the side comes out."""
    pool = layers.AveragePooling2D(2, padding="same", name=f"{name}_pool", dtype=painter.dtype)
    shortcut = painter.conv(pool(x), channels, 1, f"{name}_shortcut")
    x = painter.relu(painter.conv(x, channels, 3, f"{name}a", stride=2), f"{name}a")
    x = painter.conv(x, channels, 3, f"{name}b")
    return painter.relu(painter.add(x, shortcut, name), name)


NETWORKS = {
    network.name: network
    for network in (
        Network("small-xception", side=180, body=small_xception, dropout=0.25),
        # Crops enlarge what they show, so it is trained at a smaller side than it serves: weights
        # trained at 112 pixels got 94.1 % of the calibration split right there, 94.6 % at 128.
        Network("pawnet", side=128, body=pawnet),
    )
}


def network_named(name: str) -> Network:
    """The network of that name.

    Raises:
        ValueError: if there is none; the message lists those there are.
    """
    if name not in NETWORKS:
        raise ValueError(f"Networks are {', '.join(NETWORKS)}. Received: {name!r}")
    return NETWORKS[name]


def build(network: Network, num_labels: int, dtype: str = "float32") -> keras.Model:
    """A network as it serves, without batch normalisation, with random weights.

    Args:
        network: Which one.
        num_labels: Outputs of the head.
        dtype: Of weights and arithmetic; `"float16"` only to store weights in half the space.

    Returns:
        A functional model from `photos`, `uint8`, shape `(n, side, side, 3)`, to a dictionary of
        `logits`, shape `(n, num_labels)`, and `features`, shape `(n, d)`.
    """
    return _build(network, num_labels, network.side, Painter(dtype, trains=False), dtype)


def build_to_train(network: Network, num_labels: int, policy: str = "float32") -> keras.Model:
    """The same network with batch normalisation and dropout, for photos of any side.

    Args:
        network: Which one.
        num_labels: Outputs of the head.
        policy: `"float32"` or `"mixed_bfloat16"`: half precision where it is safe. Features and
            logits are computed in single precision under either.
    """
    return _build(network, num_labels, None, Painter(policy, trains=True), "float32")


def _build(
    network: Network, num_labels: int, side: int | None, painter: Painter, dtype: str
) -> keras.Model:
    photos = keras.Input((side, side, 3), dtype="uint8", name="photos")
    # From -1 to 1; being a layer, serving cannot forget it.
    rescale = layers.Rescaling(1 / 127.5, offset=-1.0, dtype=painter.dtype, name="rescale")
    x = network.body(rescale(photos), painter)
    features = layers.GlobalAveragePooling2D(name="features", dtype=dtype)(x)  # (n, d)
    x = painter.dropout(features, network.dropout)
    logits = layers.Dense(num_labels, name="head", dtype=dtype)(x)  # (n, num_labels)
    return keras.Model(photos, {"logits": logits, "features": features}, name=network.name)


def fold(trained: keras.Model, network: Network) -> keras.Model:
    """The network that serves, with the weights of the one that was trained.

    Args:
        trained: From `build_to_train`.
        network: Which one it is.

    Returns:
        As `build`, its weights rounded to half precision, as files hold them.

    Raises:
        WeightsError: if a weight does not fit half precision.
    """
    serving = build(network, trained.output["logits"].shape[-1])
    norms = {layer.name: layer for layer in trained.layers}
    for layer in serving.layers:
        weights = trained.get_layer(layer.name).get_weights()
        if _norm_of(layer.name) in norms:
            weights = _fold_one(weights, norms[_norm_of(layer.name)].get_weights())
        layer.set_weights([round_to_half(array) for array in weights])
    return serving


def _fold_one(kernels: list[np.ndarray], norm: list[np.ndarray]) -> list[np.ndarray]:
    """Kernels and bias of `norm(conv(x))`, as `gamma (conv(x) - mean) / sqrt(var + eps) + beta`."""
    gamma, beta, mean, variance = norm
    scale = gamma / np.sqrt(variance + _EPSILON)  # (channels,), the last axis of the last kernel
    return [*kernels[:-1], kernels[-1] * scale, beta - mean * scale]


def _norm_of(name: str) -> str:
    return f"{name}_norm"
