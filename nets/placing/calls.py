"""A call that is made elsewhere, and what can go wrong with it."""

import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any

from ..extras import not_installed
from ..foreign import is_foreign


class PlaceError(RuntimeError):
    """A place cannot be had: what it stands on is not installed, or not there."""


class CallError(RuntimeError):
    """A call that was made elsewhere failed; the message is the error's, `index` tells which."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


def required_package(name: str, extra: str) -> Any:
    """Import what a place stands on, or name the extra of ours that installs it."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise PlaceError(not_installed(name, extra)) from error


def failure_of(function: Callable[..., object], values: tuple[Any, ...]) -> str:
    """Make a call, and return its error in a sentence, which travels where errors may not.

    Where it is the person's own code that failed, its traceback is printed, too. Nothing is
    returned where nothing failed.
    """
    try:
        function(*values)
    except Exception as error:
        if is_foreign(error):
            traceback.print_exception(error)
        return f"{type(error).__name__}: {error}"
    return ""
