"""Networks of three weights a label: real ONNX, made and loaded in milliseconds."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from ml.registry import save_version
from tests.make import make_card


def tiny_network(logits=(4.0, 0.0), weights=None):
    """A network that says the same of each photo: these logits. NaN is possible.

    With `weights`, shape `(3, labels)`, it says more: the mean colour times them is added. With
    shape `(6, labels)` the brightest red, green and blue of the photo count as well.
    """
    if weights is None:
        weights = np.zeros((3, len(logits)), np.float32)
    nodes = [
        helper.make_node("Cast", ["photos"], ["floats"], to=TensorProto.FLOAT),
        *_pooling(with_peaks=len(weights) == 6),
        helper.make_node("MatMul", ["features", "weights"], ["products"]),
        helper.make_node("Add", ["products", "bias"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("photos", TensorProto.UINT8, ["n", 32, 32, 3])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(logits)]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", len(weights)]),
        ],
        [
            numpy_helper.from_array(np.array([1, 2], np.int64), "axes"),
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array(logits, np.float32), "bias"),
        ],
    )
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def _pooling(*, with_peaks):
    if not with_peaks:
        return [helper.make_node("ReduceMean", ["floats", "axes"], ["features"], keepdims=0)]
    return [
        helper.make_node("ReduceMean", ["floats", "axes"], ["means"], keepdims=0),
        helper.make_node("ReduceMax", ["floats", "axes"], ["peaks"], keepdims=0),
        helper.make_node("Concat", ["means", "peaks"], ["features"], axis=1),
    ]


def write_tiny_version(root, name="2026-01-01.1", logits=(4.0, 0.0), files=None, **changes):
    """A version's folder on disk that answers."""
    everything = {"model.onnx": tiny_network(logits), **(files or {})}
    return save_version(root, make_card(name, **changes), everything)
