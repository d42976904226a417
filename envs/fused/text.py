"""A world's text: the functions it is written in, and all that they look up."""

import sys
from collections.abc import Iterator
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from ..dynamics import Dynamics

PARTS = ("initial", "step", "observe")
LIBRARIES = {"builtins", "cmath", "math", "numpy", "_operator", "operator"}


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
            if name in found or not hasattr(dynamics, name):
                continue
            found[name] = value = getattr(dynamics, name)
            if isinstance(value, MethodType) and value.__self__ is dynamics:
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
    cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
    return found | {name: cell.cell_contents for name, cell in cells if cell != CellType()}


def named_in(module: ModuleType, names: tuple[str, ...]) -> dict[str, Any]:
    """Return what is in a module under some names."""
    return {name: getattr(module, name) for name in names if hasattr(module, name)}


def library_name(value: Any) -> str | None:
    """Return the name under which one of the `LIBRARIES` has this very object."""
    name = getattr(value, "__name__", None)
    if not isinstance(name, str):
        return None
    module = name if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    module = module or "numpy"  # of whose functions some do not say so
    if not isinstance(module, str) or module.partition(".")[0] not in LIBRARIES:
        return None
    if isinstance(value, ModuleType):
        return name
    return f"{module}.{name}" if getattr(sys.modules.get(module), name, None) is value else None
