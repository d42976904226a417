"""Which arguments an environment takes, by the code that makes it."""

import inspect
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from gymnasium.envs.registration import EnvSpec, load_env_creator

from .ids import named_code
from .making import making


def require_arguments(spec: EnvSpec, names: Iterable[str]) -> None:
    """Refuse arguments that the environment of `spec` does not take.

    Raises:
        ValueError: one is unknown; the nearest is suggested.
    """
    known = _arguments(spec)
    for name in names:
        if known is not None and name not in known:
            near = get_close_matches(name, known, n=1)
            expected = ", ".join(sorted(known)) or "none"
            hint = f"did you mean {near[0]!r}?" if near else f"it takes {expected}"
            raise ValueError(f"{spec.id} has no argument {name!r}: {hint}")


def _arguments(spec: EnvSpec) -> set[str] | None:
    """Return the names that the makers of an environment take; None: any."""
    known = set(spec.kwargs)
    takes_any = False
    for maker in _makers(spec):
        try:
            found = inspect.signature(maker).parameters.values()
        except (TypeError, ValueError):  # code that is not Python's
            return None
        known |= {each.name for each in found if each.kind not in VARIADIC}
        takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in found)
    return None if takes_any else known - named_code(spec).keys()


def _makers(spec: EnvSpec) -> Iterator[Any]:
    """Yield what makes an environment, then the code that it is told to make it of."""
    entry = spec.entry_point or spec.vector_entry_point
    for point in (entry, *named_code(spec).values()):
        if isinstance(point, str):
            with making(spec.id, spec):
                point = load_env_creator(point)
        yield point


VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
