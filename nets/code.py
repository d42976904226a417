"""Code in settings: classes, functions and objects that people wrote.

A file knows them by where they are imported from, `module:name`; what has no such place, a lambda
or an object, has to be given again by whoever loads it.
"""

import re
import sys
import sysconfig
from copy import deepcopy
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any

from .foreign import blamed

PATH = re.compile(r"[^\W\d][\w.]*:[^\W\d][\w.]*")
_named: set[str] = set()


class Template:
    """A network of which every user gets a copy, whatever it is called with.

    Equal to another with the same weights; later changes of the original do not count.
    """

    def __init__(self, original: Any) -> None:
        self._original = deepcopy(original)

    def __call__(self, *_: Any) -> Any:
        """Return a copy."""
        return deepcopy(self._original)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Template) or self.kind is not other.kind:
            return False
        mine, theirs = self._original.state_dict(), other._original.state_dict()
        return mine.keys() == theirs.keys() and all(
            mine[k].shape == theirs[k].shape and bool((mine[k] == theirs[k]).all()) for k in mine
        )

    def __hash__(self) -> int:
        return hash(self.kind)

    def __repr__(self) -> str:
        return written(self)

    @property
    def kind(self) -> type:
        """The class of the network."""
        return type(self._original)


@dataclass(frozen=True)
class Lost:
    """Stands for a function that is not to be had; all that does not call it goes on working."""

    path: str
    reason: str

    def __call__(self, *_: Any) -> Any:
        """Say what is missing.

        Raises:
            ValueError: always.
        """
        raise ValueError(self.reason)


def is_path(value: object) -> bool:
    """Whether `value` says where code is imported from: `module:name`."""
    return isinstance(value, str) and PATH.fullmatch(value) is not None


def own(value: Any) -> Any:
    """Return code as settings hold it: a network that is built already as a `Template`.

    What this program itself has put into settings, it also finds again.
    """
    if not isinstance(value, type) and hasattr(value, "named_parameters"):
        return Template(value)
    if callable(value) and is_path(path := written(value)):
        _named.add(path)
    return value


def written(value: Any) -> str:
    """Return where code is imported from, `module:name`; of other code, what no such place is."""
    if isinstance(value, str):
        return value
    if isinstance(value, Lost):
        return value.path
    if isinstance(value, Template):
        return f"{value.kind.__module__}:{value.kind.__qualname__} (an object)"
    named = value if hasattr(value, "__qualname__") else type(value)
    path = f"{named.__module__}:{named.__qualname__}"
    if named is value and is_path(path) and _imported(path) is value:
        return path
    return f"{path} (in Python alone)"


def find(path: str) -> Any:
    """Import what `module:name` names.

    Raises:
        ValueError: there is no such module, or nothing of that name in it.
    """
    module, _, name = path.partition(":")
    if not all(word.isidentifier() for word in module.split(".")):
        raise ValueError(f"cannot import {module!r}, which is no module's name")
    try:
        found: Any = import_module(module)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"cannot import {module!r}, which should have {name!r}: {error}"
        ) from error
    except BaseException as error:
        raise blamed(error, f"the module {module}, when it was imported")  # noqa: B904
    for word in name.split("."):
        if not hasattr(found, word):
            near = get_close_matches(word, dir(found), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"{module!r} has no {name!r}{hint}")
        found = getattr(found, word)
    _named.add(path)
    return found


def is_known(path: str) -> bool:
    """Whether this program has itself chosen what `module:name` names, so that a file may.

    It has put it into settings, or has imported its module, in which it is a network's class, or a
    function that came neither with Python nor with an installed package.
    """
    found = _imported(path)
    if found is not None and path in _named:
        return True
    if getattr(found, "__module__", None) is None or written(found) != path:
        return False
    if isinstance(found, type):
        torch = sys.modules.get("torch")
        return torch is not None and issubclass(found, torch.nn.Module)
    return isinstance(found, FunctionType) and not _installed(path.partition(":")[0])


def _imported(path: str) -> Any:
    """Return what `module:name` names in a module that is there already, else None."""
    module, _, name = path.partition(":")
    found: Any = sys.modules.get(module)
    for word in name.split("."):
        found = getattr(found, "__dict__", {}).get(word)
    return found


def _installed(module: str) -> bool:
    file = getattr(sys.modules[module], "__file__", None)
    if file is None:
        return module != "__main__"
    places = (sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    return any(Path(file).resolve().is_relative_to(Path(place).resolve()) for place in places)
