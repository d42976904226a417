"""The names that a package shows at its door, imported when they are first asked for (PEP 562)."""

import ast
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from .elsewhere import hinted, instead_of


def lazy_exports(
    package: str, file: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and the names that the stub beside a package declares.

    The stub, `__init__.pyi`, is the one list of what is public: type checkers and editors read its
    lines `from .room import Name as Name`, and so does this.

    Args:
        package: its `__name__`.
        file: its `__file__`.
    """
    stub = Path(file).with_suffix(".pyi").read_text(encoding="utf-8")
    homes = {
        alias.name: f".{node.module}"
        for node in ast.parse(stub).body
        if isinstance(node, ast.ImportFrom) and node.level == 1
        for alias in node.names
    }

    def meant(name: str) -> str:
        return instead_of(name, package, Path(file).parent, homes)

    def get(name: str) -> Any:
        """Import a public name when it is first asked for."""
        if name not in homes:
            listed = "" if name.startswith("_") else f"; dir({package}) lists what there is"
            told = f"module {package!r} has no attribute {name!r}{meant(name) or listed}"
            raise AttributeError(told, name=name)
        return getattr(import_module(homes[name], package), name)

    def names() -> list[str]:
        """List what the stub declares, and what every module has."""
        own = {name for name in vars(import_module(package)) if name.startswith("__")}
        return sorted(own | homes.keys())

    hinted(package, meant)
    return get, names, sorted(homes)
