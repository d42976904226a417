"""Functions that refuse arguments of other types than they say, before they begin."""

import inspect
from collections.abc import Callable, Sequence
from functools import cache, wraps
from types import NoneType, UnionType
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

from .kinds import fitted, unmet
from .near import hint as nearest_hint
from .near import shortened

P = ParamSpec("P")
Result = TypeVar("Result")


def named(function: Callable[P, Result]) -> Callable[P, Result]:
    """Make a function say what was meant where it is called by arguments that it does not take."""
    signature = inspect.signature(function)

    @wraps(function)
    def call(*args: P.args, **keywords: P.kwargs) -> Result:
        try:
            return function(*args, **keywords)
        except TypeError:
            _bound(function, signature, args, keywords)  # its own, where these fit
            raise

    return call


def checked(function: Callable[P, Result]) -> Callable[P, Result]:
    """Make a function refuse what its annotations exclude, by the name of the argument.

    Types, numbers in a range (`Count`), tuples, sequences and unions of them are looked at, and
    whether a function is given where one is called; what else is annotated is left to the function.
    That may be the `__init__` of a class.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def call(*args: P.args, **keywords: P.kwargs) -> Result:
        bound = _bound(function, signature, args, keywords)
        hints = _hints(function)
        for name, value in bound.arguments.items():
            hint = hints.get(name, Any)
            if signature.parameters[name].kind in VARIADIC:
                continue
            if _is_plain(hint):
                bound.arguments[name] = value = fitted(value, hint)
            expected = _unmet(value, hint)
            if expected is not None:
                kind = ValueError if _is_plain(hint) else TypeError
                raise kind(f"{name} is {shortened(value)}: expected {expected}")
        return function(*bound.args, **bound.kwargs)

    return call


def _bound(
    function: Any, signature: inspect.Signature, args: Any, keywords: dict[str, Any]
) -> inspect.BoundArguments:
    try:
        return signature.bind(*args, **keywords)
    except TypeError as error:
        raise TypeError(_misused(function, signature, args, keywords, error)) from None


def _misused(
    function: Any,
    signature: inspect.Signature,
    args: tuple[Any, ...],
    keywords: dict[str, Any],
    error: TypeError,
) -> str:
    """Return what is wrong with a call: a keyword that is none, one value too many, or `error`."""
    known = {name: each for name, each in signature.parameters.items() if name != "self"}
    kinds = {each.kind for each in known.values()}
    called = function.__qualname__.removesuffix(".__init__").rpartition(".")[2].lstrip("_")
    if kinds & {*VARIADIC}:
        return f"{called}: {error}"
    for name in keywords:
        if name not in known:
            return f"{called} has no argument {name!r}: {nearest_hint(name, known)}"
    by_name = [n for n, each in known.items() if each.kind is inspect.Parameter.KEYWORD_ONLY]
    places = len(signature.parameters) - len(by_name)
    if len(args) > places and by_name:
        example = f"{by_name[0]}={shortened(args[places])}"
        return f"{called} takes the rest by name, as in {example}"
    return f"{called}: {error}"


@cache
def _hints(function: Any) -> dict[str, Any]:
    return get_type_hints(function, include_extras=True)


def _is_plain(hint: Any) -> bool:
    """Whether a type is of numbers, words, or several of them, of which settings know all."""
    if get_origin(hint) in (Union, UnionType, tuple):
        return all(_is_plain(each) for each in get_args(hint) if each not in (NoneType, ...))
    return unmet(object(), hint) is not None


def _unmet(value: Any, hint: Any) -> str | None:
    """Return what a type asks for that `value` is not; None where it fits, or nobody knows."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        found = [_unmet(value, each) for each in args]
        return None if None in found else " or ".join(dict.fromkeys(map(str, found)))
    if origin is tuple and args[-1] is not ...:
        if not isinstance(value, tuple | list) or len(value) != len(args):
            return f"{len(args)} values"
        return next(filter(None, map(_unmet, value, args)), None)
    if origin is Sequence and _is_plain(args[0]):
        several = tuple[args[0], ...]  # type: ignore[valid-type]
        return unmet(fitted(value, several), several)
    if origin is Callable:
        return None if callable(value) else "a function"
    if hint is NoneType:
        return None if value is None else "None"
    if _is_plain(hint):
        return unmet(value, hint)
    kind = hint if isinstance(hint, type) else origin
    if kind is Any or not isinstance(kind, type) or getattr(kind, "_is_protocol", False):
        return None
    article = "an" if kind.__name__[0] in "AEIOU" else "a"
    return None if isinstance(value, kind) else f"{article} {kind.__name__}"


VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
