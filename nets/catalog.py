"""Classes by name, imported when they are asked for."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, TypeVar

from .registry import Registry


@dataclass(frozen=True)
class Entry:
    """A class and the dataclass of its settings, by the names under which a package shows them.

    Attributes:
        package: at whose door both are found.
        name: what people call it.
        type_name: of the class.
        config_name: of its settings' class.
        summary: what it is, in a line.
    """

    package: ClassVar[str]
    name: str
    type_name: str
    config_name: str
    summary: str

    def import_type(self) -> type[Any]:
        """Import and return the class."""
        return getattr(import_module(self.package), self.type_name)

    def config_type(self) -> type[Any]:
        """Import and return the class of its settings."""
        return getattr(import_module(self.package), self.config_name)


EntryT = TypeVar("EntryT", bound=Entry)


class Catalog(Mapping[str, EntryT]):
    """Entries of one kind by name, exactly as it is written: records and presets hold it.

    Args:
        kind: what the entries are, for the error message (`"algorithm"`).
        entries: in the order in which they are listed.
        beside: names of what is chosen in the same place, and is no entry; errors list them, too.
    """

    def __init__(self, kind: str, entries: Iterable[EntryT], beside: Iterable[str] = ()) -> None:
        self.kind, self.beside = kind, tuple(beside)
        self._entries = {entry.name: entry for entry in entries}

    def __getitem__(self, name: str) -> EntryT:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, name: str) -> EntryT:
        """Return the entry called `name`.

        Raises:
            ValueError: there is none; the nearest names are suggested.
        """
        if not isinstance(name, str) or name not in self._entries:
            raise Registry(self.kind, dict.fromkeys([*self._entries, *self.beside])).unknown(name)
        return self._entries[name]
