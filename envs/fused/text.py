"""A world's text: the functions it is written in, and all that they look up."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

from ..dynamics import Dynamics
from ..numbers import Pictures, Table

PARTS = ("initial", "step", "observe")


class Unfit(Exception):
    """A world's text cannot be compiled; the message says why."""


def functions_of(dynamics: Dynamics) -> list[FunctionType]:
    """Return the functions of the `PARTS` of a world's text.

    Raises:
        Unfit: one is no method of its class.
    """
    return [_function(getattr(dynamics, part), part) for part in PARTS]


def _function(method: Any, part: str) -> FunctionType:
    function = getattr(method, "__func__", None)
    if not isinstance(function, FunctionType):
        raise Unfit(f"its {part} is no method of its class, but {method!r}")
    return function


def constants_of(dynamics: Dynamics) -> dict[str, Any]:
    """Return what the text may find in `self`, by name; also what its methods find there."""
    found: dict[str, Any] = {}
    todo = functions_of(dynamics)
    while todo:
        for name in names_in(todo.pop().__code__):
            if name in found or name in PARTS or not hasattr(dynamics, name):
                continue
            found[name] = value = getattr(dynamics, name)
            if isinstance(value, MethodType):
                todo.append(_function(value, name))
    return found


def names_in(code: CodeType) -> Iterator[str]:
    """Yield the names that code looks up, in its module or in objects."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)


def looked_up(function: FunctionType) -> dict[str, Any]:
    """Return what a function finds in its module and in functions around it, by name."""
    module, code = function.__globals__, function.__code__
    found = {name: module[name] for name in names_in(code) if name in module}
    cells = (cell.cell_contents for cell in function.__closure__ or ())
    return found | dict(zip(code.co_freevars, cells, strict=True))


def fingerprint(dynamics: Dynamics, kind: type) -> str:
    """Return a hash of all that the compiled text of a world is made of.

    Args:
        dynamics: a world.
        kind: of its states.

    Raises:
        Unfit: it has parts that are no methods.
    """
    digest, room = sha256(), Path(__file__).parent
    for file in (*sorted(room.glob("*.py")), room.parent / "random.py"):
        digest.update(file.read_bytes())
    seen: set[int] = set()
    spaces = repr((dynamics.observation_space, dynamics.action_space))
    for value in (*functions_of(dynamics), constants_of(dynamics), kind, spaces):
        for part in _described(value, seen):
            digest.update(part)
    return digest.hexdigest()[:32]


def _described(value: Any, seen: set[int]) -> Iterator[bytes]:
    """Yield what tells a value from all others that text could look up instead."""
    if isinstance(value, MethodType):
        value = value.__func__
    if isinstance(value, FunctionType):
        if id(value) not in seen:
            seen.add(id(value))
            yield from _described(value.__code__, seen)
            yield from _described((value.__defaults__, looked_up(value)), seen)
    elif isinstance(value, CodeType):
        yield value.co_code
        yield from _described((value.co_names, value.co_consts), seen)
    elif isinstance(value, Table | Pictures):
        yield from _described(value.array, seen)
    elif isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, tuple | list):
        yield f"{type(value).__name__} {len(value)}".encode()
        for each in value:
            yield from _described(each, seen)
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield name.encode()
            yield from _described(each, seen)
    elif isinstance(value, type):
        yield f"{value.__module__}.{value.__qualname__} {getattr(value, '_fields', '')}".encode()
    elif isinstance(value, bool | int | float | complex | str | bytes | np.generic | None):
        yield f"{type(value).__name__} {value!r}".encode()
    else:
        yield f"{type(value).__module__}.{type(value).__qualname__}".encode()
