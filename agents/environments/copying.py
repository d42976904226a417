"""Copies of live environments, which share nothing with their original."""

import copyreg
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from multiprocessing import connection
from typing import Any, NoReturn, TypeVar

Original = TypeVar("Original")

CONNECTIONS = connection.Connection, getattr(connection, "PipeConnection", connection.Connection)


def copied(original: Original, memo: dict[int, Any] | None = None) -> Original:
    """Return a deep copy of an environment; one that talks to other processes has none.

    Python would copy the number of an open pipe, and close the original's with the copy.

    Raises:
        TypeError: it holds such a connection.
        Exception: whatever else stands in the way of a copy.
    """
    with _no_connections():
        return deepcopy(original, memo)


@contextmanager
def _no_connections() -> Iterator[None]:
    copyreg.dispatch_table.update(dict.fromkeys(CONNECTIONS, _refuse))
    try:
        yield
    finally:
        for kind in CONNECTIONS:
            copyreg.dispatch_table.pop(kind, None)


def _refuse(connection: object) -> NoReturn:
    raise TypeError("it is connected to other processes")
