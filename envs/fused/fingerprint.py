"""A hash of a world's text: no two texts that compute otherwise have the same."""

from collections.abc import Iterable
from enum import Enum
from hashlib import sha256
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from ..dynamics import Dynamics
from ..numbers import Pictures, Table
from .text import Unfit, constants_of, functions_of, library_name, looked_up, named_in, names_in

PLAIN = (type(None), type(Ellipsis), bool, int, str, bytes)  # repr says all of these
CODE = [
    f"co_{name}"
    for name in (
        *("code", "exceptiontable", "flags", "argcount", "posonlyargcount", "kwonlyargcount"),
        *("varnames", "freevars", "cellvars", "names", "consts"),
    )
    if hasattr(CodeType, f"co_{name}")
]


def fingerprint(dynamics: Dynamics, kind: type) -> str:
    """Return a hash of all that the compiled text of a world is made of.

    Args:
        dynamics: a world.
        kind: of its states.

    Raises:
        Unfit: it has parts that are no methods, or looks up what cannot be told from all else.
    """
    description, room = Description(dynamics), Path(__file__).parent
    others = (room.parent / name for name in ("random.py", "numbers/scalar.py"))
    for file in (*sorted(room.glob("*.py")), *others):
        description.add("", file.read_bytes())
    spaces = repr((dynamics.observation_space, dynamics.action_space))
    for value in (*functions_of(dynamics), kind, spaces, np.__version__):
        description.add("", value)
    description.items(constants_of(dynamics).items())
    return description.digest.hexdigest()[:32]


class Description:
    """Hashes values, one after the other, with all that text can read in them.

    Args:
        dynamics: whose text it is.
    """

    def __init__(self, dynamics: Dynamics) -> None:
        self.digest = sha256()
        self._dynamics = dynamics
        self._seen: list[tuple[Any, tuple[str, ...]]] = []

    def _write(self, value: bytes) -> None:
        self.digest.update(b"%d:" % len(value) + value)

    def items(self, items: Iterable[tuple[str, Any]], names: tuple[str, ...] = ()) -> None:
        """Hash values with their names."""
        pairs = tuple(items)
        self._write(b"%d" % len(pairs))
        for name, value in pairs:
            self._write(name.encode())
            self.add(name, value, names)

    def add(self, name: str, value: Any, names: tuple[str, ...] = ()) -> None:
        """Hash a value.

        Args:
            name: under which text looks it up.
            value: what it finds.
            names: that text looks up in it, if it is a module.

        Raises:
            Unfit: values that this cannot tell apart may be found there.
        """
        kind = type(value)
        self._write(f"{kind.__module__}.{kind.__qualname__}".encode())
        if isinstance(value, MethodType) and value.__self__ is self._dynamics:
            value = value.__func__
        elif isinstance(value, Table | Pictures):
            value = value.array
        elif kind in (float, complex):
            value = np.asarray(value)
        if (known := library_name(value)) is not None:
            self._write(known.encode())
        elif kind in PLAIN or isinstance(value, np.dtype):
            self._write(repr(value).encode())
        elif isinstance(value, FunctionType | ModuleType):
            self._once(name, value, names)
        elif isinstance(value, CodeType):
            self.items(("a constant", getattr(value, part)) for part in CODE)
        elif isinstance(value, slice):
            self.items((name, each) for each in (value.start, value.stop, value.step))
        elif kind is frozenset:
            self.items((name, each) for each in sorted(value, key=repr))
        elif isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
            self._write(f"{value.dtype} {value.shape} {value.strides}".encode())
            self._write(value.tobytes())
        elif isinstance(value, Enum):
            self.items({"kind": kind, "name": value.name}.items())
        elif kind is tuple or _is_tuple(kind):
            self.add(name, kind)
            self.items(((name, each) for each in value), names)
        elif isinstance(value, type) and (issubclass(value, Enum) or _is_tuple(value)):
            self._class(value)
        else:
            raise Unfit(
                f"its text looks up {name}, of type {kind.__module__}.{kind.__qualname__}; numbers,"
                " arrays, tables, tuples, enums, modules, functions and its methods are compiled"
            )

    def _once(self, name: str, value: FunctionType | ModuleType, names: tuple[str, ...]) -> None:
        """Hash a function or a module; if it was there before, its place among those."""
        for place, (other, told) in enumerate(self._seen):
            if other is value and told == names:
                return self._write(b"%d" % place)
        self._seen.append((value, names))
        if isinstance(value, ModuleType):
            return self.items(named_in(value, names).items(), names)
        self.add(name, value.__code__)
        self.add(name, value.__defaults__)
        self.items((value.__kwdefaults__ or {}).items())
        return self.items(looked_up(value).items(), tuple(names_in(value.__code__)))

    def _class(self, value: Any) -> None:
        """Hash a class of named tuples, or of an enum's members."""
        self._write(f"{value.__module__}.{value.__qualname__}".encode())
        self.items(("", f"{each.__module__}.{each.__qualname__}") for each in value.__mro__[1:])
        if issubclass(value, Enum):
            self.items((name, one.value) for name, one in value.__members__.items())
        else:
            self.items({"fields": value._fields}.items())
            self.items(value._field_defaults.items())


def _is_tuple(value: type) -> bool:
    return issubclass(value, tuple) and hasattr(value, "_field_defaults")
