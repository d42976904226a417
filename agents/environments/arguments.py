"""Which arguments an environment takes, or a wrapper, by the code that makes it."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gymnasium.envs.registration import EnvSpec, load_env_creator

from nets.near import nearest

from .ids import named_code
from .making import making


def require_arguments(spec: EnvSpec, given: Mapping[str, Any]) -> None:
    """Refuse arguments that the environment of `spec` does not take.

    Raises:
        ValueError: one is unknown, and the nearest is suggested; or it is text where the default is
            a number, True or False.
    """
    known = _arguments(spec)
    if known is None:
        return
    for name, value in given.items():
        if name not in known:
            raise _unknown(spec.id, name, known)
        _require_kind(f"{name} of {spec.id}", value, known[name], spec.kwargs.get(name))


FUNCTION = ("Callable", "collections.abc.Callable", "typing.Callable")


def require_wrapping(kind: Any, name: str, given: Mapping[str, Any]) -> None:
    """Refuse arguments that a wrapper does not take besides the environment, or lacks.

    Raises:
        ValueError: one is unknown, and the nearest is suggested; one is missing, or a function is
            asked for and something else given.
    """
    found = _parameters(kind)
    if found is None:
        return
    _, *others = found
    known = {each.name: each for each in others if each.kind not in VARIADIC}
    if not any(each.kind is inspect.Parameter.VAR_KEYWORD for each in others):
        for argument in given:
            if argument not in known:
                raise _unknown(name, argument, known)
    lacking = [n for n, p in known.items() if p.default is EMPTY and n not in given]
    if lacking:
        raise ValueError(f"{name} needs {' and '.join(lacking)}: {name}({lacking[0]}=...)")
    for argument, value in given.items():
        asked = str(known[argument].annotation) if argument in known else ""
        if asked.startswith(FUNCTION) and not callable(value):
            message = f"{name} needs a function as {argument}, and got {value!r}"
            raise ValueError(f"{message}: wrap the environment so in Python")


def _unknown(owner: str, name: str, known: Iterable[str]) -> ValueError:
    near = nearest(name, known)
    hint = f"did you mean {near!r}?" if near else f"it takes {', '.join(sorted(known)) or 'none'}"
    return ValueError(f"{owner} has no argument {name!r}: {hint}")


def _require_kind(what: str, value: Any, parameter: inspect.Parameter, usual: Any) -> None:
    """Refuse text where the default, and what the code says of it, is of another kind."""
    usual = parameter.default if usual is None else usual
    expected = KINDS.get(type(usual))
    plain = parameter.annotation in (EMPTY, *KINDS, *(kind.__name__ for kind in KINDS))
    if isinstance(value, str) and expected and plain:
        raise ValueError(f"{what} is {value!r}: expected {expected}, such as its default {usual}")


def _arguments(spec: EnvSpec) -> dict[str, inspect.Parameter] | None:
    """Return what the makers of an environment take; None: any."""
    known: dict[str, inspect.Parameter] = {}
    takes_any = False
    for maker in _makers(spec):
        found = _parameters(maker)
        if found is None:
            return None
        known |= {each.name: each for each in found if each.kind not in VARIADIC}
        takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in found)
    for name in spec.kwargs:
        known.setdefault(name, inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY))
    code = named_code(spec)
    return None if takes_any else {n: p for n, p in known.items() if n not in code}


def _parameters(maker: Any) -> list[inspect.Parameter] | None:
    """Return the parameters of what is called; None of code that is not Python's."""
    try:
        return list(inspect.signature(maker).parameters.values())
    except (TypeError, ValueError):
        return None


def _makers(spec: EnvSpec) -> Iterator[Any]:
    """Yield what makes an environment, then the code that it is told to make it of."""
    entry = spec.entry_point or spec.vector_entry_point
    for point in (entry, *named_code(spec).values()):
        if isinstance(point, str):
            with making(spec.id, spec):
                point = load_env_creator(point)
        yield point


EMPTY = inspect.Parameter.empty
VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
KINDS = {bool: "True or False", int: "a number", float: "a number"}
