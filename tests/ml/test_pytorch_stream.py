import hashlib
import pickle
from collections import OrderedDict

import numpy as np
import pytest

from ml.pytorch_stream import WeightsError, read_arrays


class Global:
    """Pickled, a reference to something PyTorch's streams name."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class StreamPickler(pickle._Pickler):
    """Writes what `torch.save` wrote before version 1.6, for tensors given as arrays."""

    dispatch = pickle._Pickler.dispatch.copy()

    def __init__(self, file):
        super().__init__(file, 2)
        self.storages = {}

    def persistent_id(self, thing):
        if not isinstance(thing, Storage):
            return None
        key = str(len(self.storages))
        self.storages[key] = thing.numbers
        return ("storage", Global("torch", thing.kind), key, "cpu", thing.numbers.size, None)

    def save_global_name(self, thing):
        self.write(pickle.GLOBAL + f"{thing.module}\n{thing.name}\n".encode())

    dispatch[Global] = save_global_name

    def save_tensor(self, tensor):
        self.save(Global("torch._utils", "_rebuild_tensor_v2"))
        self.save(tensor.arguments)
        self.write(pickle.REDUCE)


class Storage:
    def __init__(self, numbers, kind="FloatStorage"):
        self.numbers, self.kind = np.asarray(numbers), kind


class Tensor:
    def __init__(self, storage, offset, shape, strides):
        self.arguments = (storage, offset, shape, strides, False, OrderedDict())


StreamPickler.dispatch[Tensor] = StreamPickler.save_tensor


def write_stream(folder, state, name="net-{}.pth", magic=0x1950A86A20F9469CFC6C, cut=0):
    scratch = folder / "scratch"
    with scratch.open("wb") as file:
        for header in (magic, 1001, {"little_endian": True}):
            pickle.dump(header, file, 2)
        pickler = StreamPickler(file)
        pickler.dump(state)
        pickle.dump(list(pickler.storages), file, 2)
        for numbers in pickler.storages.values():
            file.write(len(numbers).to_bytes(8, "little") + numbers.tobytes())
    content = scratch.read_bytes()[: -cut or None]
    path = folder / name.format(hashlib.sha256(content).hexdigest()[:8])
    path.write_bytes(content)
    return path


def floats(count):
    return Storage(np.arange(count, dtype="<f4"))


def test_arrays_come_back_with_their_shapes_and_strides(tmp_path):
    state = OrderedDict(
        rows=Tensor(floats(6), 0, (2, 3), (3, 1)),
        columns=Tensor(floats(6), 0, (2, 3), (1, 2)),
        tail=Tensor(floats(6), 4, (2,), (1,)),
        steps=Tensor(Storage(np.array([7], "<i8"), "LongStorage"), 0, (), ()),
    )

    arrays = read_arrays(write_stream(tmp_path, state))

    assert arrays["rows"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert arrays["columns"].tolist() == [[0, 2, 4], [1, 3, 5]]
    assert arrays["tail"].tolist() == [4, 5]
    assert arrays["steps"] == 7


def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path):
    path = write_stream(tmp_path, OrderedDict(), name="net-00000000.pth")

    with pytest.raises(WeightsError, match="was changed: its SHA-256 begins with"):
        read_arrays(path)


def test_a_file_without_a_digest_in_its_name_is_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"net\.pth was changed"):
        read_arrays(write_stream(tmp_path, OrderedDict(), name="net.pth"))


def test_a_stream_that_asks_for_anything_else_is_refused_before_it_runs(tmp_path):
    state = OrderedDict(trap=Global("os", "system"))

    with pytest.raises(WeightsError, match=r"asks for os\.system"):
        read_arrays(write_stream(tmp_path, state))


@pytest.mark.parametrize(
    ("offset", "shape", "strides"),
    [(5, (2,), (1,)), (0, (7,), (1,)), (0, (2, 2), (6, 1)), (3, (2,), (-1,)), (-1, (1,), (1,))],
)
def test_a_tensor_that_reaches_outside_its_storage_is_refused(tmp_path, offset, shape, strides):
    path = write_stream(tmp_path, OrderedDict(bad=Tensor(floats(6), offset, shape, strides)))

    with pytest.raises(WeightsError, match="does not fit its storage"):
        read_arrays(path)


@pytest.mark.parametrize("fault", [{"magic": 1}, {"cut": 3}])
def test_what_is_no_such_stream_is_refused(tmp_path, fault):
    state = OrderedDict(rows=Tensor(floats(6), 0, (2, 3), (3, 1)))

    with pytest.raises(WeightsError, match="not a legacy PyTorch stream"):
        read_arrays(write_stream(tmp_path, state, **fault))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"net-12345678\.pth cannot be read"):
        read_arrays(tmp_path / "net-12345678.pth")
