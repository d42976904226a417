"""Constructors that answer a keyword which is none of theirs with the one that was meant."""

import inspect
from collections.abc import Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from .near import hint, nearest


class Keywords:
    """Base of classes that say which keyword was meant.

    Where `config_type` is a dataclass of settings, its fields are known, too.
    """

    if not TYPE_CHECKING:  # type checkers, and `inspect.signature`, read `__init__`

        def __new__(cls, *_: Any, **given: Any) -> Any:
            """Refuse what no `__init__` takes.

            Raises:
                TypeError: naming the first such keyword, and the nearest known one.
            """
            require_keywords(cls, given)
            return super().__new__(cls)


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
        return f"setting {name!r}: {hint(name, known)}"
    near = nearest(name, known)
    setting = nearest(name, [each.name for each in fields(config)])
    if near is None and setting is not None:
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
