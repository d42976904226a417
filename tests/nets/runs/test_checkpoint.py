import errno
import io
import os
import pickle
import random
import re
from collections import OrderedDict, defaultdict
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from nets.runs.checkpoint import (
    CheckpointError,
    UntrustedError,
    atomic_write,
    fitting,
    load_checkpoint,
    load_json,
    load_object,
    save_checkpoint,
    save_json,
)


def network():
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))


def leaves(tree, path=()):
    """Yield (path, leaf), containers included by type."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, (*path, key))
    elif isinstance(tree, list | tuple):
        yield path, type(tree)
        for index, value in enumerate(tree):
            yield from leaves(value, (*path, index))
    else:
        yield path, tree


def equal(left, right):
    """Whether two leaves have the same type, dtype and bits."""
    if isinstance(left, torch.Tensor):
        return left.dtype == right.dtype and torch.equal(left, right)
    return type(left) is type(right) and left == right


def sample_state():
    net = network()
    optimiser = torch.optim.Adam(net.parameters(), lr=1e-3)
    net(torch.randn(16, 4)).square().mean().backward()
    optimiser.step()
    dtypes = (torch.uint8, torch.bool, torch.int64, torch.float64, torch.bfloat16)
    return {
        "network": net.state_dict(),
        "optimizer": optimiser.state_dict(),
        "tensors": [torch.randn(3, 5).mul(3).to(dtype) for dtype in dtypes],
        "numbers": (1, -2.5, 0.1 + 0.2, float("inf"), True, None, 2**70),
        "text": "γ · (1 − terminated)",
        "empty": {"list": [], "dict": {}, "tensor": torch.zeros(0, 4)},
        7: "an integer key",
    }


def test_S_IO_01_round_trip_is_bit_identical(tmp_path):
    state = sample_state()
    save_checkpoint(tmp_path / "deep" / "c.pt", state)
    loaded = load_checkpoint(tmp_path / "deep" / "c.pt")
    before, after = dict(leaves(state)), dict(leaves(loaded))
    assert list(before) == list(after)
    assert len(before) > 30
    for path, leaf in before.items():
        assert equal(leaf, after[path]), path


def test_S_IO_01_a_loaded_network_computes_the_same(tmp_path):
    net, other = network(), network()
    net(torch.randn(32, 4))  # moves the running statistics
    save_checkpoint(tmp_path / "c.pt", {"net": net.state_dict()})
    other.load_state_dict(load_checkpoint(tmp_path / "c.pt")["net"])
    x = torch.randn(5, 4)
    assert torch.equal(net.eval()(x), other.eval()(x))


def test_S_IO_01_compiling_in_place_keeps_the_keys(tmp_path):
    net = network()
    save_checkpoint(tmp_path / "plain.pt", {"net": net.state_dict()})
    net.compile(backend="eager")
    net(torch.randn(4, 4))
    save_checkpoint(tmp_path / "compiled.pt", {"net": net.state_dict()})
    plain = load_checkpoint(tmp_path / "plain.pt")["net"]
    compiled = load_checkpoint(tmp_path / "compiled.pt")["net"]
    assert list(plain) == list(compiled)
    network().load_state_dict(compiled)


class Intruder:
    """Unpickling it would create a file."""

    def __init__(self, victim):
        self.victim = victim

    def __reduce__(self):
        return open, (str(self.victim), "w")


def torch_bytes(value):
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("wrap", [torch_bytes, pickle.dumps], ids=["torch archive", "bare pickle"])
def test_S_IO_01_a_malicious_file_is_refused_and_runs_no_code(tmp_path, wrap):
    file, victim = tmp_path / "evil.pt", tmp_path / "victim"
    payload = {"format": "dreamgym", "version": 1, "state": {"net": Intruder(victim)}}
    file.write_bytes(wrap(payload))
    with pytest.raises(CheckpointError, match=r"evil\.pt"):
        load_checkpoint(file)
    assert not victim.exists()
    if wrap is torch_bytes:
        with pytest.raises(CheckpointError, match="none of its code was run"):
            load_checkpoint(file)
        torch.load(file, weights_only=False)["state"]["net"].close()  # the file was live
        assert victim.exists()


def test_every_truncation_is_refused(tmp_path):
    file = tmp_path / "c.pt"
    save_checkpoint(file, {"net": network().state_dict()})
    whole = file.read_bytes()
    lengths = sorted({*range(0, len(whole), 61), *range(64), *range(len(whole) - 64, len(whole))})
    for length in lengths:
        file.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"c\.pt is torn or no checkpoint"):
            load_checkpoint(file)
    file.write_bytes(whole)
    load_checkpoint(file)


def test_a_flipped_bit_is_refused_or_harmless(tmp_path):
    file = tmp_path / "c.pt"
    save_checkpoint(file, {"weights": torch.arange(500.0), "note": "text"})
    whole, truth = file.read_bytes(), load_checkpoint(file)
    rng, refused = random.Random(0), 0
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        file.write_bytes(damaged)
        try:
            loaded = load_checkpoint(file)
        except CheckpointError:
            refused += 1
        else:
            assert torch.equal(loaded["weights"], truth["weights"])
            assert loaded["note"] == truth["note"]
    assert refused > 75  # most bytes of the file are content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "torn or no checkpoint"),
        (b"not a checkpoint\n", "torn or no checkpoint"),
        (random.Random(1).randbytes(3000), "torn or no checkpoint"),
        (torch_bytes({"w": torch.ones(3)}), "not one that dreamgym wrote"),
        (torch_bytes(torch.ones(3)), "not one that dreamgym wrote"),
        (torch_bytes({"format": "other", "version": 1}), "not one that dreamgym wrote"),
        (torch_bytes({"format": "dreamgym", "version": 9, "state": {}}), "version 9, expected 1"),
        (
            torch_bytes({"format": "dreamgym", "version": torch.ones(2)}),
            "version tensor.*expected 1",
        ),
        (torch_bytes({"format": "dreamgym", "version": 1, "state": 5}), "holds no state"),
        (torch_bytes(nn.Linear(2, 2)), "Python objects"),
    ],
    ids=[
        "empty",
        "text",
        "noise",
        "torch",
        "tensor",
        "other",
        "version",
        "versions",
        "stateless",
        "module",
    ],
)
def test_foreign_files_are_refused_by_name(tmp_path, content, message):
    file = tmp_path / "strange.pt"
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"strange\.pt .*{message}"):
        load_checkpoint(file)


def test_a_numpy_archive_is_refused(tmp_path):
    np.savez(tmp_path / "arrays.npz", a=np.ones(3))
    with pytest.raises(CheckpointError, match=r"arrays\.npz cannot be read"):
        load_checkpoint(tmp_path / "arrays.npz")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint at .*gone\.pt"):
        load_checkpoint(tmp_path / "gone.pt")


@dataclass
class Settings:
    lr: float = 0.1


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (np.ones(3), "ndarray"),
        (np.float64(1.0), "float64"),
        (Settings(), "Settings"),
        ({1, 2}, "set"),
        (b"bytes", "bytes"),
        (defaultdict(int), "defaultdict"),
        (torch.float32, "dtype"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_would_need_code_to_load_is_refused_on_saving(tmp_path, value, kind):
    with pytest.raises(TypeError, match=rf"state\['a'\]\[1\]\['b'\] is a {kind}: expected tensors"):
        save_checkpoint(tmp_path / "c.pt", {"a": [0, {"b": value}]})
    assert not list(tmp_path.iterdir())


def test_keys_that_are_neither_text_nor_integers_are_refused(tmp_path):
    with pytest.raises(TypeError, match=r"state\['a'\] has the key \(1, 2\)"):
        save_checkpoint(tmp_path / "c.pt", {"a": {(1, 2): 3}})


def test_ordered_dicts_are_plain(tmp_path):
    save_checkpoint(tmp_path / "c.pt", {"a": OrderedDict(b=1)})
    assert load_checkpoint(tmp_path / "c.pt") == {"a": {"b": 1}}


def test_a_failing_writer_leaves_the_old_file_and_nothing_else(tmp_path):
    file = tmp_path / "c.txt"
    atomic_write(file, lambda out: out.write(b"old"))

    def fail(out):
        out.write(b"half of the new")
        out.flush()
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        atomic_write(file, fail)
    assert file.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["c.txt"]


def test_the_file_appears_only_when_it_is_complete_and_on_disk(tmp_path, monkeypatch):
    file, events = tmp_path / "c.txt", []
    real = os.fsync

    def watched(descriptor):
        events.append(("fsync", file.read_bytes() if file.exists() else None))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    atomic_write(file, lambda out: events.append(("write", file.exists())) or out.write(b"new"))
    # the content is synced before the file has its name, the name is synced after
    assert events == [("write", False), ("fsync", None), ("fsync", b"new")]


def test_the_old_content_is_never_written_over(tmp_path):
    file = tmp_path / "c.txt"
    atomic_write(file, lambda out: out.write(b"old"))
    with file.open("rb") as reader:
        atomic_write(file, lambda out: out.write(b"new"))
        assert reader.read() == b"old"
    assert file.read_bytes() == b"new"


def test_a_state_that_does_not_fit_is_blamed_on_its_file():
    other = nn.Sequential(nn.Linear(4, 9)).state_dict()
    with (
        pytest.raises(CheckpointError, match=r"(?s)old\.pt does not fit: .*0\.weight"),
        fitting("old.pt"),
    ):
        network().load_state_dict(other)
    missing = pytest.raises(CheckpointError, match=r"old\.pt does not fit: it has no 'steps'")
    with missing, fitting("old.pt"):
        {}["steps"]


def test_json_round_trips_and_damage_is_named(tmp_path):
    value = {"a": [1, 2.5, None, "ε"], "b": {"c": True}}
    save_json(tmp_path / "v.json", value)
    assert load_json(tmp_path / "v.json") == value
    (tmp_path / "v.json").write_text('{"a": [1, 2', encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"v\.json is not valid JSON"):
        load_json(tmp_path / "v.json")
    (tmp_path / "v.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CheckpointError, match=r"v\.json is not valid JSON"):
        load_json(tmp_path / "v.json")


@pytest.mark.parametrize(
    "text", ["[" * 10**5, '{"a":' * 10**5, "9" * 5000], ids=["lists", "objects", "number"]
)
def test_json_that_no_reader_bears_is_refused(tmp_path, text):
    (tmp_path / "v.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"v\.json is not valid JSON"):
        load_json(tmp_path / "v.json")


def test_json_of_absurd_size_is_refused_unread(tmp_path):
    with (tmp_path / "v.json").open("wb") as file:
        file.truncate(2**22 + 1)
    with pytest.raises(CheckpointError, match=r"v\.json has more than 4,194,304 bytes"):
        load_json(tmp_path / "v.json")


def test_an_object_is_expected_where_names_have_values(tmp_path):
    save_json(tmp_path / "v.json", [1])
    with pytest.raises(
        CheckpointError, match=r"v\.json does not fit: it is a list, expected names"
    ):
        load_object(tmp_path / "v.json")


def test_nothing_is_written_through_a_link(tmp_path):
    (tmp_path / "precious").write_text("precious")
    for name in ("c.txt", f".c.txt.{os.getpid()}.tmp"):
        (tmp_path / name).symlink_to(tmp_path / "precious")
    atomic_write(tmp_path / "c.txt", lambda out: out.write(b"new"))
    assert (tmp_path / "c.txt").read_bytes() == b"new"
    assert (tmp_path / "precious").read_text() == "precious"


def test_trust_is_asked_for_in_the_name_of_the_file():
    with (
        pytest.raises(UntrustedError, match=r"^a\.pt asks for X, Y, which is not"),
        fitting("a.pt"),
    ):
        raise UntrustedError(["X", "Y"])


@pytest.mark.parametrize("of_torch", [False, True])
def test_a_full_disk_is_told_with_the_name_of_the_file(tmp_path, of_torch):
    """Torch's writer tells of it with an error of its own."""

    def write(file):
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError:
            if of_torch:
                raise RuntimeError("unexpected pos 768 vs 662")  # noqa: B904
            raise

    with pytest.raises(OSError, match=r"No space left on device: '.*a.pt'") as error:
        atomic_write(tmp_path / "a.pt", write)
    assert error.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RuntimeError, match="another"):
        atomic_write(tmp_path / "a.pt", lambda _: (_ for _ in ()).throw(RuntimeError("another")))


def test_nothing_is_written_in_the_place_of_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=r"no file can be written in its place: '.*pipe'"):
        save_checkpoint(tmp_path / "pipe", {})
    assert (tmp_path / "pipe").is_fifo()


def test_a_relative_path_is_told_with_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=re.escape(f"at a/b.pt, seen from {tmp_path}")):
        load_checkpoint("a/b.pt")


def test_misfits_are_told_in_one_line():
    with pytest.raises(CheckpointError) as error, fitting("a.pt"):
        nn.Linear(2, 3).load_state_dict(nn.Linear(3, 3).state_dict())
    assert "size mismatch" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "said", [MemoryError("Unable to allocate 3.5 TiB"), RuntimeError("CUDA out of memory")]
)
def test_memory_that_a_file_asks_for_and_is_not_there_is_told_as_such(said):
    told = r"big\.pt does not fit: not enough memory: "
    with pytest.raises(CheckpointError, match=told), fitting("big.pt"):
        raise said
