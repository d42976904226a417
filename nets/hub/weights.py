"""Checkpoints as safetensors, the form in which they are shared: tensors, and text beside them."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ..runs.checkpoint import CheckpointError, Damaged, atomic_write
from ..runs.durable import as_path

FORMAT, VERSION, STATE = "format", "1", "dreamgym"
MOST_TEXT = 2**22  # letters of everything but tensors
TREES = {"dict": dict, "ordered": OrderedDict, "list": list, "tuple": tuple}


def save_weights(path: str | Path, state: Mapping[str, Any]) -> None:
    """Save a tree of dicts, lists, tensors, numbers and strings, as checkpoints hold it.

    Every tensor has the name of its place, such as `agent.network.0.weight`, for whoever reads the
    file with another program; the rest of the tree is JSON in the file's metadata.
    """
    from safetensors.torch import save

    tensors: dict[str, Tensor] = {}
    text = json.dumps(_written(dict(state), "", tensors))
    data = save(tensors, {FORMAT: VERSION, STATE: text})
    atomic_write(path, lambda file: file.write(data))


def load_weights(path: str | Path) -> dict[str, Any]:
    """Load what `save_weights` wrote; a file of tensors and text runs no code.

    Raises:
        FileNotFoundError: there is no such file.
        Damaged: it is torn, or no safetensors.
        CheckpointError: another program wrote it, or it says more than it holds.
    """
    from safetensors import SafetensorError, safe_open

    path = as_path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no weights at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise Damaged(f"{path} is torn or no safetensors ({error})") from error
    text = about.get(STATE)
    if about.get(FORMAT) != VERSION or text is None:
        raise CheckpointError(f"{path} holds safetensors, but not as dreamgym writes them")
    if len(text) > MOST_TEXT:
        raise CheckpointError(f"{path} has more than {MOST_TEXT:,} letters beside its tensors")
    try:
        state = _read(json.loads(text), tensors)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path} does not fit: {type(error).__name__}: {error}") from error
    if not isinstance(state, dict) or tensors:
        raise CheckpointError(f"{path} does not fit: it has {len(tensors)} tensors without a place")
    return state


def _written(value: Any, place: str, tensors: dict[str, Tensor]) -> Any:
    """Return a tree as JSON, its tensors laid into `tensors` under the names of their places."""
    if isinstance(value, Tensor):
        name, count = place, 1
        while name in tensors:  # keys may have dots of their own
            count += 1
            name = f"{place}#{count}"
        tensors[name] = value.detach().cpu().contiguous().clone()
        return {"tensor": name}
    kind = next((name for name, tree in TREES.items() if type(value) is tree), None)
    if kind in ("dict", "ordered"):
        items = [[k, _written(v, f"{place}.{k}".lstrip("."), tensors)] for k, v in value.items()]
        return {kind: items}
    if kind is not None:
        return {kind: [_written(v, f"{place}.{k}", tensors) for k, v in enumerate(value)]}
    return value


def _read(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Return the tree again, taking its tensors out of `tensors`: each has one place."""
    if not isinstance(value, dict):
        if isinstance(value, list):
            raise ValueError("a list without its kind")
        return value
    ((kind, within),) = value.items()
    if kind == "tensor":
        return tensors.pop(within)
    if kind in ("dict", "ordered"):
        return TREES[kind]([(_key(k), _read(v, tensors)) for k, v in within])
    return TREES[kind](_read(v, tensors) for v in within)


def _key(key: Any) -> str | int:
    if type(key) not in (str, int):
        raise TypeError(f"the key {key!r}")
    return key
