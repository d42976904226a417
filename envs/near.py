"""What errors say of names that are none: the nearest that there is."""

import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from importlib.abc import MetaPathFinder
from types import ModuleType

from gymnasium.envs.registration import registry

NAMESPACE = "dreamgym"


def nearest(name: str, names: Iterable[str]) -> str:
    """Return a hint for a name that is none of the names: the closest one, or all of them."""
    close = get_close_matches(name, sorted(names), n=1)
    return f"did you mean {close[0]!r}?" if close else f"expected one of {sorted(names)}"


def instead_of(name: str, names: Iterable[str]) -> str:
    """Return what the package says of a name that it lacks: nothing of private ones.

    Args:
        name: what was asked for; that of a world is answered with how it is made.
        names: those that the package has.
    """
    if name.startswith("_"):
        return ""
    worlds = {spec.name.lower(): id for id, spec in registry.items() if spec.namespace == NAMESPACE}
    if name.lower() == "make":
        return ": it is gymnasium.make(id)"
    if not get_close_matches(name, names := sorted(names), n=1):
        for each in get_close_matches(name.lower(), worlds, n=1):
            return f": gymnasium.make({worlds[each]!r}) makes it"
    return f"; {nearest(name, names)}"


class Hints(MetaPathFinder):
    """Says what was meant by `from envs import Lake`, of which Python keeps the package's answer.

    Args:
        package: its `__name__`.
        names: what it has.
    """

    def __init__(self, package: str, names: Iterable[str]) -> None:
        self.package, self.names = package, tuple(names)
        sys.meta_path.append(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        """Refuse what no other finder has found in the package.

        Raises:
            ModuleNotFoundError: with what is there instead.
        """
        package, _, name = fullname.rpartition(".")
        if package == self.package and (meant := instead_of(name, self.names)):
            raise ModuleNotFoundError(f"cannot import name {name!r} from {package!r}{meant}")
