"""A network in whole numbers of 8 bits instead of floating point: half the time, half the file.

Each weight and each value between two layers is rounded to one of 256 steps. How far apart the
steps of a value lie is set once, by what real photos excite it to (static quantisation); the
steps of weights are set for each channel by itself. The result is another network: it answers
slightly differently, so that temperature, thresholds and novelty are to be chosen anew, on its own
features. `quantised` therefore gives another `ml.features.Backbone`, cached apart.

Needs the training parts; what it makes runs on ONNX Runtime alone.

Source: B. Jacob et al., "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference", CVPR 2018.
"""

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from ml.examples import Example, in_split
from ml.features import Backbone, session_from
from ml.inference import softmax
from ml.parity import FEATURE_PARITY, ParityError
from ml.photos import PhotoError, decode_photo, fit

# Photos that set the steps. With 256 and 512 in their place the features were no nearer to those
# in floating point, and the time grows with them.
NUM_PHOTOS = 64

# Changes with anything below that changes what comes out: features are cached by it.
_RECIPE = "int8-1"


@dataclass(frozen=True)
class Cost:
    """How far a network's answers moved when it was quantised.

    Attributes:
        largest: Largest difference of a probability.
        mean: Mean over photos of the largest difference of a probability.
        changed: Share of photos whose most probable label is another one.
    """

    largest: float
    mean: float
    changed: float


def quantise(network: bytes, photos: np.ndarray) -> bytes:
    """A network whose convolutions and sums compute in whole numbers of 8 bits.

    What takes in photos and what gives features and logits stays in floating point: the first
    convolution, the mean over the picture and the head. In EfficientNet-Lite0 they do 3 % of the
    multiplications, so there is little to win.

    Args:
        network: From `ml.export.to_onnx`.
        photos: `uint8`, shape `(n, side, side, 3)`; real ones, from the train split.

    Returns:
        A graph with the same inputs and outputs. The same network and photos give the same bytes.

    Raises:
        ValueError: if there are no photos.
    """
    if not len(photos):
        raise ValueError("Quantisation needs photos to set its steps by. Received none.")
    model = onnx.load_from_string(network)
    _unfold_casts(model.graph)
    for number, node in enumerate(model.graph.node):
        node.name = f"node{number}"  # the quantiser goes by names
    # It advises to optimise the graph first, where there is nothing left to optimise.
    onnx.helper.set_model_props(model, {"onnx.quant.pre_process": "onnxruntime.quant"})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        quantize_static(
            model,
            path,
            _OneByOne(photos),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            # Processors without VNNI add up pairs of products in 16 bits, and cut off what does
            # not fit: with weights of 7 bits it always fits (2 × 255 × 64 < 2^15), so that each
            # machine computes what the thresholds were chosen on.
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv", "Add", "Clip"],
            nodes_to_exclude=_kept_in_floating_point(model.graph),
            extra_options={"TensorQuantOverrides": _whole_range(model.graph)},
        )
        return path.read_bytes()


def quantised(backbone: Backbone, photos: np.ndarray) -> Backbone:
    """A backbone that sees in whole numbers; its features are cached apart.

    Args:
        backbone: In floating point.
        photos: As for `quantise`, and the same ones as for the network that will ship: only
            then does that network give the features that its head was fitted to.
    """
    digest = hashlib.sha256(f"{backbone.weights_sha256} {_RECIPE} {photos.shape}".encode())
    digest.update(np.ascontiguousarray(photos).tobytes())
    return Backbone(digest.hexdigest(), backbone.side, lambda: quantise(backbone.to_onnx(), photos))


def calibration_photos(
    examples: Sequence[Example], side: int, number: int = NUM_PHOTOS
) -> np.ndarray:
    """Photos of the train split to set the steps by: always the same ones of the same data.

    Args:
        examples: Photos of all splits.
        side: Side in pixels of what the network takes in.
        number: How many: those with the lowest SHA-256, wherever they lie and whatever they are
            called. A new photo can be one of them; all features are then computed anew.

    Returns:
        `uint8`, shape `(number, side, side, 3)`, or fewer where fewer can be decoded.
    """
    chosen: list[np.ndarray] = []
    for example in sorted(in_split(examples, "train"), key=lambda example: example.sha256):
        if len(chosen) == number:
            break
        try:
            chosen.append(fit(decode_photo(example.path.read_bytes()).pixels, side))
        except (PhotoError, OSError):
            continue  # told, by its name, when the features are computed
    return np.array(chosen, np.uint8).reshape(-1, side, side, 3)


def cost_of(quantised: bytes, network: bytes, photos: np.ndarray, temperature: float = 1) -> Cost:
    """What quantisation did to the answers on photos.

    Args:
        quantised: From `quantise`.
        network: What it was made of.
        photos: `uint8`, shape `(n, side, side, 3)`.
        temperature: Divides the logits of both.
    """
    before, after = (
        softmax(_run(each, photos, "logits") / temperature) for each in (network, quantised)
    )
    moved = np.abs(before - after).max(axis=1)
    changed = before.argmax(axis=1) != after.argmax(axis=1)
    return Cost(float(moved.max()), float(moved.mean()), float(changed.mean()))


def check_features(network: bytes, photos: np.ndarray, features: np.ndarray) -> None:
    """Refuse a network that sees something else than what its head was fitted to.

    Args:
        network: The one that will ship.
        photos: `uint8`, shape `(n, side, side, 3)`.
        features: What the backbone in training gave for them, shape `(n, d)`.

    Raises:
        ParityError: if a feature differs by more than `FEATURE_PARITY`.
    """
    difference = float(np.abs(_run(network, photos, "features") - features).max())
    if not difference <= FEATURE_PARITY:
        raise ParityError(
            f"The network's features differ by {difference:.2g} from those in training on "
            f"{len(photos)} photos; at most {FEATURE_PARITY:g} is accepted."
        )


class _OneByOne(CalibrationDataReader):  # type: ignore[misc]  # it ships no types
    """Photos one at a time: what lies between the layers of all at once would fill memory."""

    def __init__(self, photos: np.ndarray) -> None:
        self._photos = iter(photos)

    def get_next(self) -> dict[str, np.ndarray] | None:
        photo = next(self._photos, None)
        return None if photo is None else {"photos": photo[np.newaxis]}


def _run(network: bytes, photos: np.ndarray, output: str) -> np.ndarray:
    session = session_from(network)
    rows = [session.run([output], {"photos": photo[np.newaxis]})[0] for photo in photos]
    return np.concatenate(rows)


def _unfold_casts(graph: onnx.GraphProto) -> None:
    """Turn weights stored in half precision back into single: the quantiser knows no others."""
    weights = {tensor.name: tensor for tensor in graph.initializer}
    kept = []
    for node in graph.node:
        tensor = weights.get(node.input[0]) if node.op_type == "Cast" else None
        if tensor is not None and tensor.data_type == TensorProto.FLOAT16:
            array = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(array, node.output[0]))
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def _kept_in_floating_point(graph: onnx.GraphProto) -> list[str]:
    """Names of the first convolution with its activation, and of sums with a constant.

    Those are the rescaling of pixels and the head's bias, where nothing is won.
    """
    constants = {tensor.name for tensor in graph.initializer}
    first = next(node for node in graph.node if node.op_type == "Conv")
    return [
        node.name
        for node in graph.node
        if node.name == first.name
        or (node.op_type == "Clip" and node.input[0] == first.output[0])
        or (node.op_type == "Add" and constants.intersection(node.input))
    ]


def _whole_range(graph: onnx.GraphProto) -> dict[str, list[dict[str, object]]]:
    """For the weights of convolutions channel by channel: all 8 bits.

    Each machine multiplies and adds these in 32 bits, and with 9 or 25 weights a channel they
    suffer most from rounding.
    """
    whole = {"axis": 0, "quant_type": QuantType.QInt8, "symmetric": True, "reduce_range": False}
    return {node.input[1]: [dict(whole)] for node in graph.node if _groups(node) > 1}


def _groups(node: onnx.NodeProto) -> int:
    return next((each.i for each in node.attribute if each.name == "group"), 1)
