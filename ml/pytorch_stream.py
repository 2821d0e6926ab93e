"""Read the arrays of a legacy PyTorch `.pth` stream without PyTorch, and without trusting it.

Before version 1.6 `torch.save` wrote five pickles (a magic number, a protocol number, a note on the
machine, the state with storages left out, the storages' keys) and then each storage's raw numbers.
"""

import hashlib
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001


class WeightsError(Exception):
    """A file of weights is missing, changed or not what it claims to be."""


@dataclass
class _Storage:
    """A flat run of numbers whose content follows at the end of the stream."""

    dtype: np.dtype
    size: int
    numbers: np.ndarray | None = None


@dataclass(frozen=True)
class _Tensor:
    """A view into a storage: offset, shape and strides are counted in numbers, not bytes."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> np.ndarray:
        numbers = self.storage.numbers
        strides = zip(self.shape, self.strides, strict=True)
        last = self.offset + sum((length - 1) * stride for length, stride in strides)
        # as_strided reads wherever it is told to: stay inside the storage.
        fits = min((self.offset, *self.strides)) >= 0 and min(self.shape, default=1) > 0
        if numbers is None or not fits or last >= numbers.size:
            raise WeightsError(f"A tensor of shape {self.shape} does not fit its storage.")
        steps = [stride * numbers.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(
            numbers[self.offset :], self.shape, steps, writeable=False
        )


def _rebuild_tensor(
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


# The only names a stream may call: a pickle is a program, and this is its whole vocabulary.
_ALLOWED: dict[tuple[str, str], Callable[..., object] | np.dtype] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in _ALLOWED:
            raise WeightsError(f"The stream asks for {module}.{name}, which no weights need.")
        return _ALLOWED[module, name]

    def persistent_load(self, pid: tuple[str, np.dtype, str, str, int, None]) -> _Storage:
        _, dtype, key, _, size, _ = pid
        return self.storages.setdefault(key, _Storage(dtype, size))


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read every array of a `.pth` file.

    Args:
        path: A file whose name ends in the first digits of its SHA-256, as PyTorch's hub writes
            them: `efficientnet-lite0-57934424.pth`.

    Returns:
        Name to array, in the file's order; kernels are `(out, in, height, width)`, as in PyTorch.

    Raises:
        WeightsError: if the file is missing, differs from its name, or holds more than arrays.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"The weights {path.name} cannot be read: {error.strerror}.") from error
    check_name(path.name, content)
    with path.open("rb") as stream:
        try:
            return _read(stream)
        except (pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError) as error:
            raise WeightsError(f"{path.name} is not a legacy PyTorch stream ({error}).") from error


def check_name(name: str, content: bytes) -> None:
    """Refuse content whose SHA-256 does not begin as the file's name says."""
    claimed = re.search(r"-([0-9a-f]{8,64})\.pth$", name)
    digest = hashlib.sha256(content).hexdigest()
    if claimed is None or not digest.startswith(claimed[1]):
        raise WeightsError(f"{name} was changed: its SHA-256 begins with {digest[:8]}.")


def _read(stream: BinaryIO) -> dict[str, np.ndarray]:
    if [_Unpickler(stream).load() for _ in range(2)] != [_MAGIC, _PROTOCOL]:
        raise ValueError("wrong magic or protocol number")
    _Unpickler(stream).load()  # byte order and integer sizes of the machine: ours is stated below
    unpickler = _Unpickler(stream)
    state = unpickler.load()
    for key in _Unpickler(stream).load():
        storage = unpickler.storages[key]
        if int.from_bytes(stream.read(8), "little") != storage.size:
            raise ValueError(f"storage {key} is not of {storage.size} numbers")
        content = stream.read(storage.size * storage.dtype.itemsize)
        storage.numbers = np.frombuffer(content, storage.dtype)
    return {name: tensor.array() for name, tensor in state.items()}
