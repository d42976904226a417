"""Training that has diverged: what is no longer finite, and what to try."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ..warned import warn
from .checkpoint import Damaged

CURES = ("learning_rate", "max_grad_norm")  # settings of which less helps; 0 or None is no limit


class Diverged(RuntimeError, FloatingPointError):
    """What is learned is no longer finite; the message says of whom, what, when, and what to try.

    Nothing of it is saved: the last checkpoint, and the best, are those of before.
    """


def find_not_finite(state: Any, name: str = "") -> str | None:
    """Return the name of the first number of a tree of states that is NaN or infinite, if any.

    Args:
        state: dicts, lists, tensors, numbers and strings, as `state_dict` returns them.
        name: of the tree itself; names within are joined with dots.
    """
    names, flags = [], defaultdict(list)
    for leaf_name, leaf in _leaves(state, name):
        if isinstance(leaf, float):
            if not math.isfinite(leaf):
                return leaf_name
        else:
            names.append((leaf_name, leaf))
            flags[leaf.device].append(leaf.sum().isfinite())  # ten times as fast as every number
    if all(torch.stack(finite).all().item() for finite in flags.values()):  # one wait per device
        return None
    wrong = (name for name, leaf in names if not leaf.isfinite().all().item())
    return next(wrong, None)  # none where finite numbers have a sum beyond the dtype


def _leaves(state: Any, name: str) -> Iterator[tuple[str, torch.Tensor | float]]:
    if isinstance(state, torch.Tensor | float):
        yield name, state
    elif isinstance(state, Mapping | list | tuple):
        items = state.items() if isinstance(state, Mapping) else enumerate(state)
        for key, item in items:
            yield from _leaves(item, f"{name}.{key}".lstrip("."))


def require_finite_file(path: Path, state: Any) -> None:
    """Raise `Damaged` where the `state` of a checkpoint is not finite: an earlier one may be."""
    name = find_not_finite(state)
    if name is not None:
        message = f"{path} was saved after training had diverged"
        raise Damaged(f"{message}: its {name} is not finite")


def cure(config: Any, *others: str) -> str:
    """Return what to try, of the settings that `config` has and of `others`."""
    ours = [name for name in CURES if hasattr(config, name)]
    tries = [f"a {'smaller ' * bool(getattr(config, name))}{name}" for name in ours] + list(others)
    return "try " + " or ".join(filter(None, [", ".join(tries[:-1]), *tries[-1:]]))


@contextmanager
def still_interrupted(interruption: KeyboardInterrupt) -> Iterator[None]:
    """Let what an interruption has saved fail without taking its place: it is said, and noted.

    Of an agent that is no longer finite nothing is saved, nor where the disk is full.
    """
    try:
        yield
    except (Diverged, OSError) as error:
        said = f"there is nothing to look at: {error}"
        interruption.add_note(said)
        warn(said)
