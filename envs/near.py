"""What errors say of names that are none: the nearest that there is."""

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, names: Iterable[str]) -> str:
    """Return a hint for a name that is none of the names: the closest one, or all of them."""
    close = get_close_matches(name, sorted(names), n=1)
    return f"did you mean {close[0]!r}?" if close else f"expected one of {sorted(names)}"
