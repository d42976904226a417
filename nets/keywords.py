"""Classes that answer a keyword, or an attribute, which is none of theirs with what was meant."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from .habits import HABITS
from .inputs import explained
from .near import hint, nearest

Kind = TypeVar("Kind", bound=type)


class Keywords:
    """Base of classes that say which keyword was meant.

    Where `config_type` is a dataclass of settings, its fields are known, too. Layers among them say
    which input is none that they take; see `explained`.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        """Let a `forward` say which of its inputs torch has refused."""
        super().__init_subclass__(**options)
        if "forward" in vars(cls):
            cls.forward = explained(cls.forward)  # type: ignore[attr-defined]

    if not TYPE_CHECKING:  # type checkers, and `inspect.signature`, read `__init__`

        def __new__(cls, *_: Any, **given: Any) -> Any:
            """Refuse what no `__init__` takes.

            Raises:
                TypeError: naming the first such keyword, and the nearest known one.
            """
            require_keywords(cls, given)
            return super().__new__(cls)


class Absent:
    """An attribute that is none, and says what is there instead; nothing else gets slower by it."""

    def __init__(self, name: str, instead: str) -> None:
        self.name, self.instead = name, instead

    def __get__(self, instance: Any, owner: type) -> Any:
        message = f"{owner.__name__} has no attribute {self.name!r}: {self.of(owner)}"
        raise AttributeError(message, name=self.name, obj=instance)

    def of(self, owner: type) -> str:
        """Return what a class has instead."""
        return self.instead

    def __repr__(self) -> str:
        return f"<none: {self.instead}>"


class AbsentSetting(Absent):
    """An attribute elsewhere that is a setting here, as the class that is asked calls it."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "it is a setting, in config")

    def of(self, owner: type) -> str:
        """Return which setting it is, or what is said of one that there is not."""
        config = getattr(owner, "config_type", None)
        known = [] if config is None else [each.name for each in fields(config)]
        near = nearest(self.name, known)
        return f"it is config.{near}" if near else hint(self.name, known)


def without(names: Mapping[str, str], settings: Iterable[str] = ()) -> Callable[[Kind], Kind]:
    """Let objects of a class answer attributes that they do not have with what is there instead.

    Args:
        names: what is there, by names that are not.
        settings: names of what are settings here, by others' words or ours.
    """

    def listed(self: Any) -> list[str]:
        """List what is there, for who completes names."""
        own, kind = object.__dir__(self), type(self)
        return [
            name for name in own if not isinstance(inspect.getattr_static(kind, name, None), Absent)
        ]

    def mark(kind: Kind) -> Kind:
        absent = [Absent(*each) for each in names.items()]
        for each in (*absent, *map(AbsentSetting, settings)):
            setattr(kind, each.name, each)
        kind.__dir__ = listed  # type: ignore[method-assign, assignment]
        return kind

    return mark


def require_keywords(kind: type, given: Iterable[str]) -> None:
    """Refuse keywords that the constructor of a class does not take.

    Raises:
        TypeError: naming the first, and the nearest known one.
    """
    known = _known(kind)
    for name in given:
        if known is not None and name not in known:
            raise TypeError(f"{kind.__name__} has no {_meant(kind, name, known)}")


def _meant(kind: type, name: str, known: set[str]) -> str:
    config = getattr(kind, "config_type", None)
    if config is None:
        what = "setting" if is_dataclass(kind) else "argument"
        return f"{what} {name!r}: {hint(name, known)}"
    near = nearest(name, known)
    setting = nearest(name, [each.name for each in fields(config)])
    if setting is not None and (near is None or setting in (name, HABITS.get(name))):
        how = f"{kind.__name__}(..., config={config.__name__}({setting}=...))"
        return f"argument {name!r}: its settings are given as {how}"
    return f"argument {name!r}: {hint(name, known)}"


def _known(kind: type) -> set[str] | None:
    """Return the keywords of an `__init__`, and of those that it passes others on to; None: any."""
    known: set[str] = set()
    for base in kind.__mro__:
        if "__init__" not in vars(base):
            continue
        found = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
        known |= {each.name for each in found if each.kind not in VARIADIC}
        if all(each.kind is not inspect.Parameter.VAR_KEYWORD for each in found):
            return known
    return None


VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
