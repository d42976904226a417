"""Training that has diverged: what is no longer finite, and what to try."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

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
    if isinstance(state, torch.Tensor):
        return None if bool(state.isfinite().all()) else name
    if isinstance(state, float):
        return None if math.isfinite(state) else name
    if isinstance(state, Mapping):
        items = iter(state.items())
    elif isinstance(state, list | tuple):
        items = enumerate(state)
    else:
        return None
    inner = (find_not_finite(item, f"{name}.{key}".lstrip(".")) for key, item in items)
    return next((found for found in inner if found is not None), None)


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
