"""What a package answers to a name that it does not have: where it is, or which was meant."""

import re
import sys
from collections.abc import Callable, Collection, Sequence
from difflib import get_close_matches
from importlib import import_module
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType

from .habits import NAMES
from .near import is_slip, nearest

TORCH = ("torch.nn", "torch.nn.functional", "torch.optim")
"""Modules whose names `nets` is asked for, and leaves to them."""
ENTRANCES = ("benchmarks", "commands", "shell")
"""Rooms that serve the command line."""


def instead_of(name: str, package: str, folder: Path, public: Collection[str]) -> str:
    """Return what to say of a name that a package does not show: nothing, for private ones.

    Case does not matter. What its rooms have, and what torch has in the case of `nets`, is told by
    its full name; else the nearest name that there is.

    Args:
        name: what was asked for.
        package: who was asked.
        folder: where its rooms lie.
        public: the names that it shows.
    """
    word = name.lower()
    if name.startswith("_"):
        return ""
    for each in public:
        if each.lower() == word:
            return f"; did you mean {each!r}?"
    if word in NAMES:
        return f": {NAMES[word]}"
    rooms = _in_rooms(package, folder)
    known = _in_torch() | rooms if package == "nets" else rooms
    same = [each for each in known if each.lower() == word]
    if same:
        return f": it is {known[name if name in same else same[0]]}"
    if near := nearest(name, public):
        return f"; did you mean {near!r}?"
    alike = get_close_matches(name, rooms, n=3, cutoff=ALIKE)
    slips = [each for each in alike if is_slip(name, each)]
    return f"; did you mean {rooms[slips[0]]}?" if slips else ""


ALIKE = 0.7
"""Of names in rooms, of which there are hundreds, only those that are much alike."""


def _in_rooms(package: str, folder: Path) -> dict[str, str]:
    """Return the functions and classes of a package: full names by names."""
    found: dict[str, str] = {}
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(folder).with_suffix("").parts
        if parts[0] in ENTRANCES or any(part.startswith("_") for part in parts):
            continue
        for name in DEFINED.findall(file.read_text(encoding="utf-8")):
            found.setdefault(name, ".".join((package, *parts, name)))
    return found


DEFINED = re.compile(r"^(?:def|class) ([A-Za-z]\w*)", re.MULTILINE)


def _in_torch() -> dict[str, str]:
    """Return what torch has: full names by names."""
    found: dict[str, str] = {}
    for module in TORCH:
        for name in dir(import_module(module)):
            found.setdefault(name, f"{module}.{name}")
    return found


class _Hints(MetaPathFinder):
    """Says which name was meant by `from agents import PPOO`, of which Python keeps the answer."""

    def __init__(self) -> None:
        self.packages: dict[str, Callable[[str], str]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        """Refuse what no other finder has found in a package of ours, if there is a hint.

        Raises:
            ModuleNotFoundError: with what is there instead.
        """
        package, _, name = fullname.rpartition(".")
        if package in self.packages and (meant := self.packages[package](name)):
            raise ModuleNotFoundError(f"cannot import name {name!r} from {package!r}{meant}")


_HINTS = _Hints()
sys.meta_path.append(_HINTS)


def hinted(package: str, meant: Callable[[str], str]) -> None:
    """Let imports of what a package does not have say what `meant` answers to its name."""
    _HINTS.packages[package] = meant
