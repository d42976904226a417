"""How numba compiles the functions of this room."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from numba.extending import register_jitable

from nets.process import compiling

Function = TypeVar("Function", bound=Callable[..., Any])

# Divisions by zero give infinity: a loop that has to look for them is not vectorised.
RULES: dict[str, Any] = {"fastmath": {"contract", "nsz"}, "error_model": "numpy"}
IN_ANY_ORDER: dict[str, Any] = RULES | {"fastmath": {"contract", "nsz", "reassoc"}}


def part(function: Function) -> Function:
    """Let compiled functions call this one, which may sum in any order.

    It allocates nothing and returns no array: without numba's runtime nobody counts who has it.
    """
    return register_jitable(_nrt=False, **IN_ANY_ORDER)(function)


def views(function: Function) -> Function:
    """Let compiled functions call this one, which returns views of arrays."""
    return register_jitable(**RULES)(function)


def inlined(function: Function) -> Function:
    """Let compiled functions have this one, of numbers, within their loops."""
    return register_jitable(_nrt=False, forceinline=True, **RULES)(function)


def compiled(function: Function) -> Function:
    """Compile a function by the rules of this room when it is first called."""
    return compiling.compiled(function, **RULES)


def text() -> str:
    """Return a hash of the files of this room.

    A function that closes over it is compiled anew when any of them has changed: numba's cache
    looks at the file of the function alone, and at what it closes over.
    """
    files = sorted(Path(__file__).parent.glob("*.py"))
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


VERSION = text()
