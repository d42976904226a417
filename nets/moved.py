"""Modules that have moved: what people wrote down, in programs and in run folders, still works."""

import sys
import warnings
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType


class MovedModules(MetaPathFinder, Loader):
    """Imports a module from where it lives now, under the name that it had."""

    def __init__(self) -> None:
        self.homes: dict[str, str] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Take charge of the names in the table, and of no others."""
        return spec_from_loader(fullname, self) if fullname in self.homes else None

    def exec_module(self, module: ModuleType) -> None:
        """Put the real module in the place of the one that was just made."""
        home = self.homes[module.__name__]
        message = f"{module.__name__} is now {home}"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        sys.modules[module.__name__] = import_module(home)


_MOVED = MovedModules()
sys.meta_path.insert(0, _MOVED)


def redirect(package: str, homes: Mapping[str, str]) -> None:
    """Let modules of `package` be imported under their old names, with a DeprecationWarning.

    Args:
        package: its `__name__`.
        homes: new names by old ones, both relative to the package.
    """
    _MOVED.homes |= {f"{package}.{old}": f"{package}.{new}" for old, new in homes.items()}
