"""Let a network also say what it saw where: the features before they are averaged over the photo.

Our networks end alike: a map of features, its mean over all places, and a linear head on that mean.
So the head can be asked about each place alone, and the mean of what it says there is the answer.
Where the head is also given each feature's peak, its largest value, that part of the answer belongs
to the place that has it.

Naming more of a network's tensors as outputs costs nothing: ONNX Runtime computes them anyway. The
names are found here, in the file's own format (Protocol Buffers, of which two messages one behind
the other are one message), because the package `onnx` would take 25 MB of a server's memory.
"""

from collections.abc import Iterator

import numpy as np
import onnxruntime

# Numbers of fields in onnx.proto: of a model, of its graph, of a node, of a value.
_GRAPH = 7
_NODE, _OUTPUT = 1, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_TYPE = 1, 2, 4
_VALUE_NAME = 1
# How many bytes a field of this wire type has, after its number; type 2 says its length itself.
_FIXED = {1: 8, 5: 4}
_VARINT, _LENGTH = 0, 2

_POOLING = {"GlobalAveragePool", "ReduceMean"}
_PEAKS = {"GlobalMaxPool", "ReduceMax"}
_RESHAPING = {"Squeeze", "Flatten", "Reshape"}
_OWN_OUTPUTS = 2  # features and logits
# Of a logit, between the mean over all places and what the network computes itself.
_TOLERANCE = 1e-2

# Type, inputs and outputs.
_Node = tuple[str, list[str], list[str]]


class SpatialError(Exception):
    """A network cannot say what it saw where; the message says why."""


def with_spatial(network: bytes) -> bytes:
    """A network that also gives its last map of features, and its head's kernel and bias.

    Answers stay the same to the last bit. What is not built as our networks are is given back
    unchanged: it answers all the same, and only its answers cannot be explained.

    Args:
        network: An ONNX file.
    """
    try:
        names = _inner_names(network)
    except (ValueError, IndexError, KeyError, UnicodeDecodeError):
        return network
    outputs = (_field(_OUTPUT, _field(_VALUE_NAME, name.encode())) for name in names)
    return network + _field(_GRAPH, b"".join(outputs))


def local_logits(
    session: onnxruntime.InferenceSession, batch: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Logits of photos, and the logits of each place as if the whole photo looked like it.

    Args:
        session: Of a network from `with_spatial`.
        batch: `uint8`, shape `(n, side, side, 3)`.

    Returns:
        Logits, `float32`, shape `(n, labels)`, and those of places, `float32`, shape `(n, rows,
        columns, labels)`. The mean over a photo's places is its logits.

    Raises:
        SpatialError: if the network is not built as ours are.
    """
    inner = [each.name for each in session.get_outputs()[_OWN_OUTPUTS:]]
    if not inner:
        raise SpatialError("The network does not end in a mean over places and a linear head.")
    logits, spatial, kernel, *bias = session.run(["logits", *inner], {"photos": batch})
    widths = len(kernel), len(kernel) // 2  # with peaks, twice as many features as maps
    if spatial.shape[-1] not in widths and spatial.shape[1] in widths:  # channels first
        spatial = np.moveaxis(spatial, 1, -1)
    if spatial.ndim != 4 or spatial.shape[-1] not in widths:
        raise SpatialError(f"The network's last map has an unknown shape: {spatial.shape}")
    of_means, of_peaks = np.split(kernel, [spatial.shape[-1]])
    local = spatial @ of_means + (bias[0] if bias else 0)
    if len(of_peaks):
        local = local + _where_peaks_are(spatial, of_peaks)
    if not np.allclose(local.mean(axis=(1, 2)), logits, rtol=_TOLERANCE, atol=_TOLERANCE):
        raise SpatialError("What the network says of places does not add up to its answer.")
    return logits, local


def _where_peaks_are(spatial: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """What peaks say, at the places that have them.

    A place has seen more of the photo than its own square, so a peak is spread over its neighbours.

    Args:
        spatial: Maps of features, shape `(n, rows, columns, c)`.
        kernel: From peaks to logits, shape `(c, labels)`.

    Returns:
        Logits, shape `(n, rows, columns, labels)`; their mean is that of the peaks.
    """
    number, rows, columns, width = spatial.shape
    places = spatial.reshape(number, rows * columns, width)
    peaks = places.max(axis=1, keepdims=True)
    has_it = places == peaks
    shares = has_it / has_it.sum(axis=1, keepdims=True)
    said = (shares * peaks) @ kernel * (rows * columns)  # (n, places, labels)
    grid = said.reshape(number, rows, columns, -1)
    return np.asarray(np.einsum("ir,jc,nrcl->nijl", _spread(rows), _spread(columns), grid))


def _spread(number: int) -> np.ndarray:
    """Half of a value stays and a quarter goes to each neighbour; what would leave an end stays."""
    spread = np.eye(number) / 2 + np.eye(number, k=1) / 4 + np.eye(number, k=-1) / 4
    return np.asarray(spread + np.diag(1 - spread.sum(axis=0)))


def _inner_names(network: bytes) -> list[str]:
    """Names of the last map, the kernel and, where there is one, the bias.

    Raises:
        ValueError, IndexError, KeyError, UnicodeDecodeError: if they are not where ours are.
    """
    made_by = {name: node for node in _nodes(network) for name in node[2]}
    spatial = _map_behind(made_by)
    kind, inputs, _ = made_by["logits"]
    if kind == "MatMul" and inputs[0] == "features":
        return [spatial, inputs[1]]
    products = [name for name in inputs if made_by.get(name, ("",))[0] == "MatMul"]
    if kind != "Add" or len(products) != 1 or made_by[products[0]][1][0] != "features":
        raise ValueError("The logits are no linear head on the features.")
    bias = next(name for name in inputs if name != products[0])
    return [spatial, made_by[products[0]][1][1], bias]


def _map_behind(made_by: dict[str, _Node]) -> str:
    """Name of the map of features whose mean, or mean and peaks, are the features."""
    parts = ["features"]
    if made_by["features"][0] == "Concat":
        parts = made_by["features"][1]
    found = [_pooled(name, made_by) for name in parts]
    kinds, maps = [kind for kind, _ in found], {name for _, name in found}
    if len(maps) > 1 or kinds[0] not in _POOLING or any(kind not in _PEAKS for kind in kinds[1:]):
        raise ValueError("The features are no mean, nor a mean and peaks.")
    return maps.pop()


def _pooled(name: str, made_by: dict[str, _Node]) -> tuple[str, str]:
    """How a map was pooled, and its name."""
    kind, inputs, _ = made_by[name]
    while kind in _RESHAPING:
        kind, inputs, _ = made_by[inputs[0]]
    spatial = inputs[0]
    # Before it is turned: turned here, ONNX Runtime computes the mean in another order.
    if spatial in made_by and made_by[spatial][0] == "Transpose":
        spatial = made_by[spatial][1][0]
    return kind, spatial


def _nodes(network: bytes) -> Iterator[_Node]:
    for number, graph in _fields(memoryview(network)):
        if number == _GRAPH:
            yield from (_node(part) for field, part in _fields(graph) if field == _NODE)


def _node(part: memoryview) -> _Node:
    texts: dict[int, list[str]] = {_NODE_INPUT: [], _NODE_OUTPUT: [], _NODE_TYPE: []}
    for number, value in _fields(part):
        if number in texts:
            texts[number].append(bytes(value).decode())
    return texts[_NODE_TYPE][0], texts[_NODE_INPUT], texts[_NODE_OUTPUT]


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The fields of a message that hold bytes: number and content.

    Source: Protocol Buffers, "Encoding", https://protobuf.dev/programming-guides/encoding/.
    """
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            _, place = _varint(message, place)
        elif kind == _LENGTH:
            length, place = _varint(message, place)
            if place + length > len(message):
                raise ValueError("The message is cut short.")
            yield number, message[place : place + length]
            place += length
        else:
            place += _FIXED[kind]


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """A number, seven bits a byte, lowest first; and the place behind it."""
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7


def _field(number: int, content: bytes) -> bytes:
    return _as_varint(number << 3 | _LENGTH) + _as_varint(len(content)) + content


def _as_varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _as_varint(rest) if rest else bytes([low])
