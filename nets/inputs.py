"""Functions and layers that say which input is wrong where torch refuses it in its own words.

Inputs are looked at once they have failed, so that what works costs nothing.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar, get_args, get_type_hints

P = ParamSpec("P")
Result = TypeVar("Result")


def explained(function: Callable[P, Result]) -> Callable[P, Result]:
    """Make a function of tensors name the argument that is none, or has other numbers than a layer.

    That may be a method, such as the `forward` of a module: its weights say which numbers it takes.
    """

    @wraps(function)
    def call(*args: P.args, **keywords: P.kwargs) -> Result:
        try:
            return function(*args, **keywords)
        except (TypeError, AttributeError, RuntimeError) as error:
            if told := _wrong(function, args, keywords, str(error)):
                raise TypeError(told) from error
            raise

    return call


def _wrong(function: Any, args: Any, keywords: Mapping[str, Any], said: str) -> str:
    """Return what is wrong with the arguments; nothing, where that is not known."""
    try:
        given = _signature(function).bind(*args, **keywords).arguments
    except TypeError:
        return ""  # of a wrong call Python's own words are clear
    kinds = {name: kind for name, kind in _tensors(function).items() if name in given}
    for name, kind in kinds.items():
        if not isinstance(given[name], kind):
            return f"{name} is {_kind(given[name])}: expected a tensor, as torch.as_tensor makes"
    wanted = _numbers(given.get("self"))
    if wanted is None or "type" not in said:  # as in "must have the same dtype"
        return ""
    for name in kinds:
        found = getattr(given[name], "dtype", wanted)
        if found != wanted:
            return f"{name} is {found}: expected {wanted}, as in {name}.to({wanted})"
    return ""


def _kind(value: Any) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeioun' else 'a'} {kind}"


def _numbers(module: Any) -> Any:
    """Return the type of a module's weights; None where it has none, or there is no module."""
    import torch

    if not isinstance(module, torch.nn.Module):
        return None
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), None)


@cache
def _signature(function: Any) -> inspect.Signature:
    return inspect.signature(function)


@cache
def _tensors(function: Any) -> dict[str, tuple[type, ...]]:
    """Return the names of the arguments that are tensors, with what else they may be."""
    import torch

    found = {}
    for name, hint in get_type_hints(function).items():
        kinds = get_args(hint) or (hint,)
        if torch.Tensor in kinds and all(isinstance(each, type) for each in kinds):
            found[name] = kinds
    found.pop("return", None)
    return found
