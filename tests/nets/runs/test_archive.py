"""Checkpoints that claim what they do not hold, or would not fit into memory."""

import io
import pickle
import struct
import tracemalloc
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch

from nets.runs.checkpoint import CheckpointError, load_checkpoint, save_checkpoint

STORAGE = ("storage", torch.FloatStorage, "0", "cpu")


class Persistent:
    """Stands for a storage of `numel` numbers."""

    def __init__(self, numel):
        self.numel = numel


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return (*STORAGE, value.numel) if isinstance(value, Persistent) else None


class Tensor:
    """Pickled as torch pickles tensors, with any claims."""

    def __init__(self, numel, size, stride, offset=0):
        self.call = (Persistent(numel), offset, size, stride, False, OrderedDict())

    def __reduce__(self):
        return torch._utils._rebuild_tensor_v2, self.call


def archive(state, data=bytes(16), compression=zipfile.ZIP_STORED, structure=None):
    """A torch file of `state`, with one storage."""
    pickled, whole = io.BytesIO(), io.BytesIO()
    payload = {"format": "dreamgym", "version": 1, "state": state}
    Pickler(pickled, protocol=2).dump(payload)
    with zipfile.ZipFile(whole, "w", compression) as entries:
        entries.writestr("a/data.pkl", structure or pickled.getvalue())
        entries.writestr("a/byteorder", b"little")
        entries.writestr("a/data/0", data)
        entries.writestr("a/version", b"3\n")
    return whole.getvalue()


def refused(tmp_path, content, match):
    """Loading `content` is refused in one line, and in little memory."""
    file = tmp_path / "hostile.pt"
    file.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(CheckpointError, match=match) as caught:
        load_checkpoint(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**26
    assert "\n" not in str(caught.value)


def test_an_honest_archive_of_that_make_is_loaded(tmp_path):
    data = np.arange(4, dtype=np.float32).tobytes()
    (tmp_path / "c.pt").write_bytes(archive({"w": Tensor(4, (2, 2), (1, 2))}, data))
    assert load_checkpoint(tmp_path / "c.pt")["w"].tolist() == [[0, 2], [1, 3]]


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (Tensor(10**12, (10**12,), (1,)), "its storage '0' is to have 4,000,000,000,000 bytes"),
        (Tensor(8, (8,), (1,)), "its storage '0' is to have 32 bytes, its entry has 16"),
        (Tensor(-4, (1,), (1,)), "its storage '0' is to have -16 bytes"),
        (Tensor(4, (10**12,), (0,)), "larger than its storage of 16 bytes"),
        (Tensor(4, (2, 2), (4, 1)), "larger than its storage"),
        (Tensor(4, (2,), (1,), offset=3), "larger than its storage"),
        (Tensor(4, (2,), (1,), offset=-1), "larger than its storage"),
        (Tensor(4, (2,), (-1,), offset=3), "larger than its storage"),
    ],
)
def test_claims_beyond_the_file_are_refused(tmp_path, tensor, message):
    refused(tmp_path, archive({"w": tensor}), rf"hostile\.pt cannot be read \(.*{message}")


def test_what_is_compressed_is_refused(tmp_path):
    content = archive({}, bytes(2**28), zipfile.ZIP_DEFLATED)
    assert len(content) < 2**19
    refused(tmp_path, content, "is compressed, which torch never does")


def test_entries_that_lie_on_each_other_are_refused(tmp_path):
    """Each would be read by itself; together they are larger than the file."""
    content = bytearray(archive({}, bytes(2000)))
    end = content.rindex(b"PK\x05\x06")
    start, name = struct.unpack_from("<I", content, end + 16)[0], b"a/data/0"
    entry = content.index(name, start) - 46
    once = content[entry : entry + 46 + len(name)]
    again = b"".join(bytes(once[:-1]) + str(k).encode() for k in range(1, 10))
    content[end:end] = again
    end += len(again)
    count = struct.unpack_from("<H", content, end + 8)[0] + 9
    struct.pack_into("<HHI", content, end + 8, count, count, end - start)
    refused(tmp_path, bytes(content), "its entries have 20,.* bytes, it has")


def test_two_entries_of_one_name_are_refused(tmp_path):
    """Python and torch would read different ones."""
    content = io.BytesIO(archive({}))
    with zipfile.ZipFile(content, "a") as entries, pytest.warns(UserWarning, match="Duplicate"):
        entries.writestr("a/data.pkl", b"")
    refused(tmp_path, content.getvalue(), "two of its entries have the same name")


def test_python_objects_hidden_in_state_dicts_are_refused(tmp_path):
    state = OrderedDict()
    state.attribute = {1: 2}  # as torch's `_metadata`, which is loaded
    (tmp_path / "c.pt").write_bytes(archive({"net": state}))
    assert load_checkpoint(tmp_path / "c.pt")["net"] == {}
    for value in ({1, 2}, b"bytes", torch.float32, OrderedDict):
        refused(tmp_path, archive({"net": [value]}), "holds Python objects")


def test_attributes_of_functions_are_not_set(tmp_path):
    """A pickle may say so of anything that it has named."""
    structure = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\x01\x00\x00\x00aK\x01sb."
    refused(tmp_path, archive({}, structure=structure), "holds Python objects")


def test_a_pickle_that_reserves_memory_for_nothing_is_refused(tmp_path):
    memo = b"\x80\x02}r" + struct.pack("<I", 2**32 - 1) + b"."
    refused(tmp_path, archive({}, structure=memo), "not one that dreamgym wrote")


def test_values_without_end_are_refused(tmp_path):
    laughs = ["ha"] * 10
    for _ in range(12):
        laughs = [laughs] * 10
    refused(tmp_path, archive({"a": laughs}), "repeats its values without end")
    circle = []
    circle.append(circle)
    refused(tmp_path, archive({"a": circle}), "nested deeper than 100")


def test_a_deep_structure_is_refused(tmp_path):
    deep = b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."
    refused(tmp_path, archive({}, structure=deep), "nested deeper than 100")


def test_a_pipe_is_no_checkpoint(tmp_path):
    (tmp_path / "c.pt").mkdir()
    with pytest.raises(CheckpointError, match="is no file"):
        load_checkpoint(tmp_path / "c.pt")


def test_what_could_not_be_loaded_is_not_saved(tmp_path):
    with pytest.raises(TypeError, match=r"state\['w'\] repeats its numbers"):
        save_checkpoint(tmp_path / "c.pt", {"w": torch.zeros(1).expand(5)})


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(12.0).reshape(3, 4).T,
        torch.arange(12.0)[3:7],
        torch.arange(12.0).reshape(3, 4)[:, ::2],
        torch.zeros(3, 0),
        torch.tensor(7),
        torch.arange(5).to(torch.uint16),
        torch.ones(2, dtype=torch.complex64),
        torch.nn.Parameter(torch.ones(2)),
    ],
    ids=["transposed", "slice", "strided", "empty", "number", "uint16", "complex", "parameter"],
)
def test_views_and_rare_types_are_saved_and_loaded(tmp_path, tensor):
    save_checkpoint(tmp_path / "c.pt", {"t": tensor})
    loaded = load_checkpoint(tmp_path / "c.pt")["t"]
    assert loaded.dtype == tensor.dtype
    assert torch.equal(loaded, tensor)
