"""Things found by name, with errors that say what was probably meant."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Generic, TypeVar

from .habits import HABITS
from .near import shortened

T = TypeVar("T")


class Registry(Generic[T]):
    """Entries of one kind by name; case, `-`, `_` and spaces in names do not matter.

    Args:
        kind: what the entries are, for the error message (`"activation"`).
        entries: the entries under their canonical names.
        aliases: other names in use, each with the canonical name it stands for.
    """

    def __init__(
        self, kind: str, entries: Mapping[str, T], aliases: Mapping[str, str] | None = None
    ) -> None:
        self.kind = kind
        self._entries = dict(entries)
        self._canonical = {_plain(name): name for name in self._entries}
        for alias, name in (aliases or {}).items():
            if name not in self._entries:
                raise ValueError(f"alias {alias!r} stands for {name!r}, which is no {kind}")
            self._canonical[_plain(alias)] = name

    def __getitem__(self, name: str) -> T:
        return self._entries[self.canonical(name)]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _plain(name) in self._canonical

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def canonical(self, name: str) -> str:
        """Return the canonical name that `name` stands for.

        Raises:
            ValueError: if there is no such entry; the message names the nearest ones.
        """
        found = self._canonical.get(_plain(name)) if isinstance(name, str) else None
        if found is None:
            raise self.unknown(name)
        return found

    def unknown(self, name: str) -> ValueError:
        """Return the error that says that `name` is none, and what was probably meant."""
        plain = _plain(str(name))
        meant = OTHERS.get(plain)
        near = get_close_matches(plain, self._canonical, n=3, cutoff=0.6)
        near = [meant] if meant in self._canonical else near
        if not near:  # another library's name, misspelled
            theirs = [habit for habit, own in OTHERS.items() if own in self._canonical]
            near = [OTHERS[each] for each in get_close_matches(plain, theirs, n=1, cutoff=0.8)]
        names = list(dict.fromkeys(self._canonical[key] for key in near)) or list(self._entries)
        listed = ", ".join(repr(each) for each in names)
        hint = f"did you mean {listed}?" if near else f"choose one of {listed}"
        return ValueError(f"unknown {self.kind} {shortened(name)}; {hint}")


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").replace(" ", "")


OTHERS = {_plain(habit): _plain(own) for habit, own in HABITS.items()}
"""What other libraries call entries of ours."""
