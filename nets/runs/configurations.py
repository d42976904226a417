"""Settings as files hold them, and back: code by where it is imported from."""

from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from ..code import Lost, find, is_known, is_path, written
from ..gradients.annealing import is_number, left_of
from ..kinds import Code
from ..near import hint
from ..settings import code_fields, from_plain
from .checkpoint import MissingCode, UntrustedError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Config = TypeVar("Config", bound="DataclassInstance")


def recorded(config: "DataclassInstance") -> dict[str, Any]:
    """Return settings as plain values."""
    values = {field.name: getattr(config, field.name) for field in fields(config)}
    return {name: written(value) if callable(value) else value for name, value in values.items()}


def recalled(
    kind: type[Config],
    values: Mapping[str, Any],
    given: Mapping[str, Any] | None = None,
    *,
    trust: bool = False,
) -> Config:
    """Make settings of what a file has recorded.

    A function that only learning needs, such as a schedule, may be missing until it is called.

    Args:
        kind: the dataclass.
        values: what was recorded.
        given: settings that take the place of recorded ones.
        trust: whether any module may be imported for them.

    Raises:
        UntrustedError: they name a network of a module that nobody has vouched for.
        MissingCode: a network cannot be found again, and is not given.
        ValueError: a value cannot work.
    """
    given = given or {}
    found = from_plain(values) | dict(given)
    for name, code in code_fields(kind).items():
        value = found.get(name)
        if name not in given and isinstance(value, str) and ":" in value:
            found[name] = _found(name, value, code, trust)
    return kind(**found)


def require_settings(
    kind: "type[DataclassInstance]", given: Collection[str], *beside: str, by: str = ""
) -> None:
    """Refuse names that are none of a dataclass's settings.

    Args:
        kind: the dataclass.
        given: the names.
        *beside: other names that would have been known in their place.
        by: the function that takes those and settings.

    Raises:
        ValueError: naming the first, and the nearest that there is.
    """
    known = {field.name for field in fields(kind)}
    for name in given:
        if name not in known:
            who = f"{by} has no argument, and {kind.__name__}" if by else f"{kind.__name__} has"
            raise ValueError(f"{who} no setting {name!r}: {hint(name, known | {*beside})}")


def adjusted(config: Config, changes: Mapping[str, Any], name: str) -> Config:
    """Return settings in which some are others, as they may become within a training.

    Args:
        config: the settings of before.
        changes: the new values; one that is the old one changes nothing.
        name: of what is trained.

    Raises:
        ValueError: there is no such setting, which the nearest is named for; a value cannot work;
            or the setting is none of those that its dataclass calls `adjustable`.
    """
    require_settings(type(config), changes)
    changed = replace(config, **changes)
    for field in changes:
        fixed = field not in getattr(config, "adjustable", ())
        if fixed and getattr(changed, field) != getattr(config, field):
            message = f"{field} of {name} cannot change in a training: begin a new one"
            raise ValueError(f"{message}, with --init-from where the networks stay as they are")
    return changed


def require_found(config: "DataclassInstance", *, to_learn: bool = False) -> None:
    """Refuse settings that name functions which are not there.

    Args:
        config: the settings.
        to_learn: whether those may not be missing either that only learning needs.

    Raises:
        ValueError: naming the first.
    """
    for name, code in code_fields(type(config)).items():
        value = getattr(config, name)
        if to_learn and isinstance(value, Lost):
            value()
        elif not code.needed and is_path(value):
            find(value)


def require_schedules(config: "DataclassInstance") -> None:
    """Ask functions that stand for numbers what they are when a training begins, and when it ends.

    Raises:
        ValueError: one is missing, or gives what it cannot be.
    """
    for name, code in code_fields(type(config)).items():
        value = getattr(config, name)
        if not code.needed and not is_number(value):
            for left in (1.0, 0.0):
                left_of(value, left, name=name)


def needs_trust(config: "DataclassInstance") -> bool:
    """Whether a fresh process finds all code of these settings only if their file is trusted."""
    values = recorded(config)
    paths = (str(values[name]).partition("+")[0] for name in code_fields(type(config)))
    return any(map(is_path, paths))


def _found(name: str, value: str, code: Code, trust: bool) -> Any:
    """Return the code that a file names: itself, or its name where that says more than the place.

    Args:
        name: of the setting.
        value: what the file says.
        code: what is known of the setting.
        trust: see `recalled`.
    """
    path, _, more = value.partition("+")
    remedy = f"load(path, {name}=...) has to give it"
    if not is_path(path):
        reason = f"{name} was {value}, which cannot be found again: {remedy}"
    elif not (trust or is_known(path)):
        if code.needed:
            raise UntrustedError([f"the {name} {path!r}"])
        reason = f"{name} is {path!r}, which is not known to be harmless: trust it, or {remedy}"
    else:
        try:
            imported = find(path)
            return value if more else imported
        except ValueError as error:
            reason = f"{name} is {path!r}, which is not there ({error}): {remedy}"
    if code.needed:
        raise MissingCode(reason)
    return Lost(value, reason)
