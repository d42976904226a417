"""What runs leave in their folders, bit for bit."""

import csv
import logging

import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from nets.runs.checkpoint import load_checkpoint

logging.getLogger("tensorboard").setLevel(logging.ERROR)  # it tells every purge of killed events


def leaves(tree, path=""):
    """Every leaf of a state as (path, type, bits)."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, f"{path}/{key}")
    elif isinstance(tree, list | tuple):
        for index, value in enumerate(tree):
            yield from leaves(value, f"{path}/{index}")
    elif isinstance(tree, torch.Tensor):
        yield path, f"{tree.dtype}{tuple(tree.shape)}", tree.contiguous().numpy().tobytes()
    else:
        yield path, type(tree).__name__, repr(tree)


def rows_of(folder):
    """The rows of metrics.csv, as texts."""
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def result(folder):
    """Everything a run leaves that does not depend on the clock."""
    found = {
        str(file.relative_to(folder)): list(leaves(load_checkpoint(file)))
        for file in sorted(folder.rglob("*.pt"))
        if file.name != "interrupted.pt"
    }
    for file in (folder / "metrics.csv", folder / "best" / "evaluation.json"):
        if file.exists():
            found[file.name] = file.read_bytes()
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    for tag in sorted(events.Tags()["scalars"]):
        if not tag.endswith("_per_second"):
            found[f"event {tag}"] = [(event.step, event.value) for event in events.Scalars(tag)]
    return found


def check_equal(folder, expected):
    """Compare what a run left with the `result` of another."""
    got = result(folder)
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        assert got[name] == value, f"{name} differs"
    assert not list(folder.rglob(".*.tmp"))
