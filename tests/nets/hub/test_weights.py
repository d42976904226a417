"""Checkpoints as safetensors: the same tree, and nothing but a tree."""

import json
import math
from collections import OrderedDict

import pytest
import torch

from nets.hub.weights import STATE, load_weights, save_weights
from nets.runs.checkpoint import CheckpointError, Damaged

safetensors = pytest.importorskip("safetensors.torch", reason="needs dreamgym[hub]")
weight = torch.arange(6.0).reshape(2, 3)
TREE = {
    "algorithm": "ppo",
    "agent": {
        "network": OrderedDict([("0.weight", weight.T), ("0.bias", weight[0])]),  # of one storage
        "optimizer": {"state": {0: {"step": torch.tensor(3.0)}}, "groups": [{"betas": (0.9, 0.5)}]},
        "network.0": {"weight": torch.zeros(0, dtype=torch.bfloat16)},
        "flags": torch.tensor([True, False]),
    },
    "best": math.inf,
    "nothing": None,
    "done": False,
    "steps": 2**60,
}


def same(here, there):
    if isinstance(here, torch.Tensor):
        return here.dtype == there.dtype and here.shape == there.shape and torch.equal(here, there)
    if isinstance(here, dict):
        return list(here) == list(there) and all(same(here[k], there[k]) for k in here)
    if isinstance(here, list | tuple):
        return len(here) == len(there) and all(map(same, here, there))
    return type(here) is type(there) and here == there


def test_a_tree_comes_back_as_it_was(tmp_path):
    file = tmp_path / "w.safetensors"
    save_weights(file, TREE)
    back = load_weights(file)
    assert same(TREE, back)
    assert type(back["agent"]["network"]) is OrderedDict
    assert list(back["agent"]["optimizer"]["state"]) == [0]
    named = safetensors.load_file(file)  # for whoever reads it without us
    assert torch.equal(named["agent.network.0.weight"], weight.T)


def written(file, tensors, state, **about):
    text = state if isinstance(state, str) else json.dumps(state)
    safetensors.save_file(tensors, file, {"format": "1", STATE: text} | about)
    return file


DEEP = '{"list": [' * 5000 + "1" + "]}" * 5000


@pytest.mark.parametrize(
    ("tensors", "state", "said"),
    [
        ({}, {"dict": [["x", {"tensor": "y"}]]}, "KeyError"),
        ({"y": weight}, {"dict": []}, "1 tensors without a place"),
        ({"y": weight}, {"dict": [["a", {"tensor": "y"}], ["b", {"tensor": "y"}]]}, "KeyError"),
        ({}, {"dict": [["x", [1]]]}, "without its kind"),
        ({}, {"dict": [[[1], 2]]}, "TypeError"),
        ({}, {"call": ["os.system"]}, "KeyError"),
        ({}, {"dict": [], "list": []}, "ValueError"),
        ({}, 3, "does not fit"),
        ({}, "{", "JSONDecodeError"),
        ({}, DEEP, "RecursionError"),
        ({}, " " * 2**22 + "1", "letters"),
    ],
)
def test_what_is_no_tree_of_ours_is_refused(tmp_path, tensors, state, said):
    with pytest.raises(CheckpointError, match=rf"w\.safetensors.*{said}"):
        load_weights(written(tmp_path / "w.safetensors", tensors, state))


def test_files_of_other_programs_and_torn_ones_are_refused(tmp_path):
    file = tmp_path / "w.safetensors"
    safetensors.save_file({"x": weight}, file)
    with pytest.raises(CheckpointError, match="not as dreamgym writes"):
        load_weights(file)
    save_weights(file, TREE)
    data = file.read_bytes()
    for torn in (data[:-1], data[:20], b"", b"\xff" * 8 + data[8:]):
        file.write_bytes(torn)
        with pytest.raises(Damaged, match="torn"):
            load_weights(file)
    with pytest.raises(FileNotFoundError):
        load_weights(tmp_path / "none")
