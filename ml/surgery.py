"""Give a network another head, in its ONNX and its Keras file, without Keras and TensorFlow.

All else in the files stays, byte for byte in value: an int8 network keeps its steps, and the
features that come out of it are the ones that went into the head's fit.

The packages that read these files are imported where they are used: what only asks for a verdict,
or for a digest, does not load them.
"""

import io
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

import numpy as np

from ml.heads import Head

if TYPE_CHECKING:
    import onnx

_WEIGHTS = "model.weights.h5"
# Where Keras keeps a network's only dense layer.
_DENSE = "layers/dense/vars"


class SurgeryError(Exception):
    """A file is not built as our networks are; the message says what is missing."""


def read_head(network: bytes) -> Head:
    """The head of an ONNX network.

    Raises:
        SurgeryError: if there is none where our networks have theirs.
    """
    from onnx import numpy_helper

    kernel, bias = _head_of(_with_bias(_parsed(network)))
    return Head(
        numpy_helper.to_array(kernel).astype(np.float32),
        numpy_helper.to_array(bias).astype(np.float32),
    )


def with_head(network: bytes, head: Head) -> bytes:
    """An ONNX network with another head.

    Args:
        network: From `ml.export.to_onnx` or `ml.quantise.quantise`.
        head: Its numbers rounded to half precision, of the same shape as the old one.

    Raises:
        SurgeryError: if the shapes differ, or half precision would change a number.
    """
    from onnx import numpy_helper

    model = _with_bias(_parsed(network))
    for tensor, array in zip(_head_of(model), (head.kernel, head.bias), strict=True):
        old = numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(_as(array, old.dtype, old.shape), tensor.name))
    return bytes(model.SerializeToString())


def keras_with_head(content: bytes, head: Head) -> bytes:
    """A `.keras` file with another head.

    Args:
        content: From `ml.export.to_keras`.
        head: As for `with_head`.

    Raises:
        SurgeryError: if it is no such file, or its head has another shape.
    """
    try:
        with ZipFile(io.BytesIO(content)) as old:
            parts = [(info, old.read(info)) for info in old.infolist()]
        target = io.BytesIO()
        with ZipFile(target, "w") as new:
            for info, part in parts:
                new.writestr(info, _weights(part, head) if info.filename == _WEIGHTS else part)
    except (BadZipFile, OSError, KeyError) as error:
        raise SurgeryError(
            f"The Keras file has no head where ours have theirs ({error})."
        ) from error
    return target.getvalue()


def read_keras_head(content: bytes) -> Head:
    """The head of a `.keras` file.

    Raises:
        SurgeryError: if there is none where our networks have theirs.
    """
    import h5py  # type: ignore[import-untyped]  # it ships no types

    try:
        with ZipFile(io.BytesIO(content)) as archive:
            weights = io.BytesIO(archive.read(_WEIGHTS))
        with h5py.File(weights, "r") as file:
            kernel, bias = (np.asarray(file[f"{_DENSE}/{i}"], np.float32) for i in "01")
    except (BadZipFile, OSError, KeyError) as error:
        raise SurgeryError(f"The Keras file has no head to be read ({error}).") from error
    return Head(kernel, bias)


def _weights(content: bytes, head: Head) -> bytes:
    import h5py

    place = io.BytesIO(content)
    with h5py.File(place, "r+") as file:
        for name, array in (("0", head.kernel), ("1", head.bias)):
            old = file[f"{_DENSE}/{name}"]
            old[...] = _as(array, old.dtype, old.shape)
    return place.getvalue()


def _parsed(network: bytes) -> "onnx.ModelProto":
    import onnx

    try:
        return onnx.load_from_string(network)
    except Exception as error:  # protobuf's errors share no base class below Exception
        raise SurgeryError("This is no ONNX network.") from error


def _with_bias(model: "onnx.ModelProto") -> "onnx.ModelProto":
    """A bias of 0, which the exporter leaves out, put back."""
    from onnx import helper, numpy_helper

    graph = model.graph
    last = next((node for node in graph.node if "logits" in node.output), None)
    if last is not None and last.op_type == "MatMul":
        labels = graph.output[[each.name for each in graph.output].index("logits")]
        width = labels.type.tensor_type.shape.dim[1].dim_value
        last.output[0] = "head_product"
        zeros = np.zeros(width, np.float32)
        graph.initializer.append(numpy_helper.from_array(zeros, "head_bias"))
        graph.node.append(helper.make_node("Add", ["head_product", "head_bias"], ["logits"]))
    return model


def _head_of(model: "onnx.ModelProto") -> tuple["onnx.TensorProto", "onnx.TensorProto"]:
    """Kernel and bias as they are stored: `logits = features @ kernel + bias`."""
    made_by = {name: node for node in model.graph.node for name in node.output}
    stored: dict[str, onnx.TensorProto] = {t.name: t for t in model.graph.initializer}

    def constant(names: list[str]) -> "onnx.TensorProto":
        for name in names:
            cast = made_by.get(name)
            source = cast.input[0] if cast is not None and cast.op_type == "Cast" else name
            if source in stored:
                return stored[source]
        raise SurgeryError("The network's last layer holds no weights.")

    add = made_by.get("logits")
    inputs = [] if add is None else list(add.input)
    products = [made_by[name] for name in inputs if name in made_by and name not in stored]
    product = next((node for node in products if node.op_type == "MatMul"), None)
    if product is None or product.input[0] != "features":
        raise SurgeryError("The network does not end in a head on its features.")
    return constant([product.input[1]]), constant(inputs)


def _as(array: np.ndarray, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    if array.shape != shape:
        raise SurgeryError(f"The head should have the shape {shape}. Received: {array.shape}")
    stored = array.astype(dtype)
    if not np.array_equal(stored.astype(np.float32), array):
        raise SurgeryError("A head is to be rounded to half precision before it is stored.")
    return stored
