"""From Keras to ONNX, checked for parity; and a version's Keras file, written and read back."""

import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ml.architectures import build_named
from ml.features import session_from
from ml.parity import FEATURE_PARITY, PARITY, ParityError, compare
from ml.registry import VersionError, load_version

if TYPE_CHECKING:
    import keras

__all__ = [
    "FEATURE_PARITY",
    "KERAS",
    "PARITY",
    "SECOND_KERAS",
    "ParityError",
    "check_parity",
    "load_keras_version",
    "to_keras",
    "to_onnx",
]

# It tells of its every optimisation, which is nothing that whoever trains can act on.
logging.getLogger("tf2onnx").setLevel(logging.WARNING)

# The networks in Keras: of the first look, and of the second.
KERAS, SECOND_KERAS = "model.keras", "second.keras"

# Halving a bias saves less than the node that would double it again.
_WORTH_HALVING = 1024


def to_onnx(model: "keras.Model") -> bytes:
    """A Keras network as ONNX: weights stored in half precision, arithmetic in single.

    Args:
        model: From `ml.backbones.build`, its weights rounded to half already.

    Returns:
        A graph from `photos`, `uint8`, shape `(n, side, side, 3)`, to `logits`, `float32`, shape
        `(n, labels)`, and `features`, `float32`, shape `(n, 1280)`.

    Raises:
        ValueError: if storing a weight in half precision would change it.
    """
    model(np.zeros((1, *model.input_shape[1:]), np.uint8))  # Keras exports no model never called
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        with _without_warnings():
            model.export(path, format="onnx", verbose=False)
        network = onnx.load(path)
    for value in (*network.graph.input, *network.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "n"
    _halve_weights(network.graph)
    _rename(network.graph)
    onnx.checker.check_model(network)
    return bytes(network.SerializeToString())


def to_keras(model: "keras.Model") -> bytes:
    """A network as a `.keras` file, its weights in half precision."""
    num_labels = model.output["logits"].shape[-1]
    half = build_named(model.name, model.input_shape[1], num_labels, dtype="float16")
    half.set_weights(model.get_weights())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.keras")
        with _without_warnings():
            half.save(path)
        return path.read_bytes()


def load_keras_version(folder: Path, name: str = KERAS) -> "keras.Model":
    """A Keras network of a version: the first one, or that of its second look.

    Its checksums are verified first; then the architecture is built by our own code and only
    weights are read, so the file has no way to run anything.

    Args:
        folder: The version's.
        name: `KERAS` or `SECOND_KERAS`.

    Raises:
        VersionError: if the version is changed, incomplete or does not fit its architecture.
    """
    card = load_version(folder)
    network = card.second if name == SECOND_KERAS else card
    if name not in card.files or network is None:
        raise VersionError(f"Version {card.version} has no {name}.")
    try:
        model = build_named(network.architecture, network.side, len(card.labels))
        model.load_weights(folder / name)
    except ValueError as error:
        raise VersionError(f"Version {card.version}: its weights do not fit ({error}).") from error
    return model


def check_parity(model: "keras.Model", network: bytes, photos: np.ndarray) -> float:
    """Compare Keras and ONNX Runtime on the same photos.

    Args:
        model: The Keras network.
        network: Its ONNX form.
        photos: `uint8`, shape `(n, side, side, 3)`; real ones, for noise excites a network less.

    Returns:
        The largest difference of a probability.

    Raises:
        ParityError: if it is above `PARITY`, or that of a feature above `FEATURE_PARITY`.
        FloatingPointError: if an output is not a finite number.
    """
    by_keras = {name: np.asarray(each) for name, each in model.predict_on_batch(photos).items()}
    features, logits = session_from(network).run(["features", "logits"], {"photos": photos})
    return compare((by_keras["features"], by_keras["logits"]), (features, logits))


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keras 3.15 and TensorFlow 2.21 use what NumPy 2 warns of; users can do nothing about it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _halve_weights(graph: onnx.GraphProto) -> None:
    """Store large weights as half precision, with a cast behind each.

    ONNX Runtime carries the casts out once, when it loads the graph, and then computes in single
    precision as before.
    """
    casts = []
    used = [name for node in graph.node for name in node.input]
    for tensor in sorted(graph.initializer, key=lambda tensor: used.index(tensor.name)):
        if tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) >= _WORTH_HALVING:
            name, half = tensor.name, _half(tensor)
            tensor.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]  # a graph's nodes come in the order of computation
    del graph.node[:]
    graph.node.extend(nodes)


def _rename(graph: onnx.GraphProto) -> None:
    """Number tensors in the order of their use, and put weights into that order.

    The exporter's own names change from run to run; so would the SHA-256 of the same network.
    """
    kept = {value.name for value in (*graph.input, *graph.output)}
    used = [name for node in graph.node for name in (*node.input, *node.output) if name]
    names = {name: f"t{i}" for i, name in enumerate(dict.fromkeys(used)) if name not in kept}
    for node in graph.node:
        node.name = ""
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    weights = {names[t.name]: t for t in graph.initializer if t.name in names}
    for name, tensor in weights.items():
        tensor.name = name
    ordered = [weights[name] for name in names.values() if name in weights]
    graph.doc_string = ""
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(ordered)


def _half(tensor: onnx.TensorProto) -> np.ndarray:
    array = numpy_helper.to_array(tensor)
    half = array.astype(np.float16)
    if not np.array_equal(half.astype(np.float32), array):
        raise ValueError(f"{tensor.name} was not rounded to half precision before the export.")
    return half
