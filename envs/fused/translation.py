"""A world's text as numba reads it: with what it looks up replaced by what numba knows."""

from collections.abc import Callable
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
from numba import njit

from ..numbers import Pictures, Table
from .text import Unfit, library_name, looked_up, named_in, names_in

# Without numba's checks for zero a division gives what NumPy's does; in a world's text a place that
# no table has is an error, as it is there.
RULES: dict[str, Any] = {"error_model": "numpy"}
CHECKED: dict[str, Any] = RULES | {"boundscheck": True}
LARGEST = 10**6  # bytes of a table: numba writes no larger ones into a file


class Translator:
    """Makes of what a world's text looks up what numba knows.

    Functions are compiled where they are called; tables and pictures become arrays, and `self` a
    module, of which numba knows that nobody changes it.

    Args:
        name: of that module; equal names are taken for equal modules.
    """

    def __init__(self, name: str) -> None:
        self.world = ModuleType(name)
        self._done: dict[Any, Any] = {}

    def of(self, value: Any, names: tuple[str, ...] = ()) -> Any:
        """Return what stands for a value.

        Args:
            value: what text looks up.
            names: that it looks up in modules; of those nothing else is known.

        Raises:
            Unfit: a table is too large.
        """
        if isinstance(value, Table | Pictures):
            value = value.array
        if isinstance(value, np.ndarray) and value.nbytes > LARGEST:
            raise Unfit(f"it has a table of {value.nbytes:,} bytes, more than {LARGEST:,}")
        if library_name(value) is not None:
            return value
        if isinstance(value, ModuleType):
            return self._module(value, names)
        if isinstance(value, FunctionType):
            return self.function(value)
        if isinstance(value, MethodType):
            return self._bound(self.function(value.__func__))  # type: ignore[arg-type]
        return value

    def _module(self, module: ModuleType, names: tuple[str, ...]) -> ModuleType:
        key = module, names
        if key not in self._done:
            name = f"{self.world.__name__}.{len(self._done)}.{module.__name__}"
            self._done[key] = own = ModuleType(name)
            for each, value in named_in(module, names).items():
                setattr(own, each, self.of(value, names))
        return self._done[key]

    def function(self, function: FunctionType) -> Callable[..., Any]:
        """Return a function as compiled code calls it.

        Raises:
            Unfit: numba cannot call it.
        """
        if function.__code__.co_kwonlyargcount:
            raise Unfit(f"its {function.__name__} takes arguments by keyword only")
        if function not in self._done:
            own = FunctionType(
                function.__code__,
                {"__name__": __name__},  # numba's cache imports it
                function.__name__,
                function.__defaults__,
                tuple(CellType() for _ in function.__closure__ or ()),
            )
            self._done[function] = njit(**CHECKED)(own)
            names = tuple(names_in(function.__code__))
            found = {k: self.of(v, names) for k, v in looked_up(function).items()}
            own.__globals__.update(found)
            for name, cell in zip(own.__code__.co_freevars, own.__closure__ or (), strict=True):
                if name in found:
                    cell.cell_contents = found[name]
        return self._done[function]

    def _bound(self, function: Callable[..., Any]) -> Callable[..., Any]:
        world = self.world

        def method(*args: Any) -> Any:
            return function(world, *args)

        return njit(**CHECKED)(method)
