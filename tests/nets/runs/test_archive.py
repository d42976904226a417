"""Checkpoints that claim what they do not hold, or would not fit into memory."""

import io
import pickle
import struct
import tracemalloc
import zipfile
import zlib
from collections import OrderedDict
from itertools import accumulate

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


# What two readers would read in two ways, and what takes for ever -------------------------------


def entry(name, data, compressed):
    """A local entry of an archive, and what a directory says of it, but where it lies."""
    stored = zlib.compress(data, 9, -15) if compressed else data
    sizes = (8 * compressed, 0, 33, zlib.crc32(data), len(stored), len(data), len(name), 0)
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, *sizes) + name + stored
    return local, struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, *sizes, 0, 0, 0, 0, 0)[:-4], name


def test_an_archive_with_two_directories_is_refused(tmp_path):
    """Python reads the one before the end, torch the one that the end points to."""
    contents = []
    for value in (torch.zeros(3), torch.ones(250_000)):
        save_checkpoint(tmp_path / "one.pt", {"a": value})
        with zipfile.ZipFile(tmp_path / "one.pt") as one:
            contents.append({name.encode(): one.read(name) for name in one.namelist()})
    honest, hidden = contents
    entries = [entry(*item, True) for item in hidden.items()]
    entries += [entry(*item, False) for item in honest.items()]
    offsets = [0, *accumulate(len(local) for local, _, _ in entries)]
    body = b"".join(local for local, _, _ in entries)
    second = b"".join(
        about + struct.pack("<L", at) + name
        for (_, about, name), at in zip(entries[: len(hidden)], offsets, strict=False)
    )
    first = b"".join(
        about + struct.pack("<L", at - len(second)) + name
        for (_, about, name), at in zip(
            entries[len(hidden) :], offsets[len(hidden) :], strict=False
        )
    )
    assert len(first) == len(second)
    counts = (0, 0, len(honest), len(honest), len(first), len(body), 0)
    end = struct.pack("<4s4H2LH", b"PK\5\6", *counts)
    (tmp_path / "two.pt").write_bytes(body + second + first + end)
    with zipfile.ZipFile(tmp_path / "two.pt") as seen:
        assert [name.encode() for name in seen.namelist()] == list(honest)  # and no more
    with pytest.raises(CheckpointError, match="its directory does not end where it ends"):
        load_checkpoint(tmp_path / "two.pt")


def test_an_archive_with_a_comment_is_refused(tmp_path):
    save_checkpoint(tmp_path / "a.pt", {"a": 1})
    with zipfile.ZipFile(tmp_path / "a.pt", "a") as file:
        file.comment = b"more"
    with pytest.raises(CheckpointError, match="torn or no checkpoint"):
        load_checkpoint(tmp_path / "a.pt")


@pytest.mark.parametrize(
    "structure",
    [
        b"\x80\x02}" + b")" + b"2\x86" * 60 + b"Ns.",  # a key, each part twice the next
        b"\x80\x02(" + b")" + b"2\x86" * 60 + b"Nd.",
        b"\x80\x04\x8f(" + b")" + b"2\x86" * 60 + b"\x90.",  # a set
        b"\x80\x02ccollections\nOrderedDict\n((" + b")" + b"2\x86" * 60 + b"N\x86ltR.",
        b"\x80\x02(X\x01\0\0\0actorch\nFloatStorage\n" + b")" + b"2\x86" * 60 + b"X\0\0\0\0K\0tQ.",
    ],
)
def test_what_takes_for_ever_to_hash_is_refused(tmp_path, structure):
    refused(tmp_path, archive({}, structure=structure), "Python objects|cannot be read")


def test_a_shape_that_takes_for_ever_to_multiply_is_refused(tmp_path):
    number = b"\x8a\xff" + b"\xff" * 254 + b"\x00"
    shape = b"(" + number + b"q\x05" + b"h\x05" * 300_000 + b"t"
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x04tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\0" + shape + shape
    tensor += b"\x89ccollections\nOrderedDict\n)RtR"
    content = archive({}, structure=b"\x80\x02}X\x01\0\0\0a" + tensor + b"s.")
    refused(tmp_path, content, "a shape that no tensor can have")
