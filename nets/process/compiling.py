"""Functions compiled by numba, which keeps the result in files for later processes.

Its cache is not made for several processes at a time: two that save at the same moment what closes
over different things give both the same file, and from then on one is called where the other was
meant. So one compiles, or reads, while others wait.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function, **rules: Any) -> Function:
    """Compile a function when it is first called, and keep the result for later processes.

    Args:
        function: of numbers and arrays.
        rules: arguments of `numba.njit`.

    Raises:
        ImportError: numba is not installed.
    """
    from numba import njit

    found: Any
    try:
        found = njit(cache=True, **rules)(function)
    except RuntimeError:  # no folder that a cache may be kept in can be written to
        return njit(**rules)(function)
    place = Path(found.stats.cache_path) / f"{function.__module__}.{function.__name__}.lock"
    compile = found.compile

    def alone(signature: Any) -> Any:
        with _held(place):
            return compile(signature)

    found.compile = alone
    return found


@contextmanager
def _held(place: Path) -> Iterator[None]:
    """Hold a lock, which ends with the process at the latest; wait for it if need be."""
    if fcntl is None:
        yield
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
