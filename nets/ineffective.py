"""Settings that change nothing beside others: which were given, and what is to be said of them."""

from collections.abc import Iterator
from dataclasses import fields

from .settings import Settings


def given(config: Settings, usual: Settings | None = None) -> set[str]:
    """Return the names of settings that are not what they usually are, by default the defaults."""
    known = {f.name: f.default if usual is None else getattr(usual, f.name) for f in fields(config)}
    return {name for name, value in known.items() if getattr(config, name) != value}


def said(config: Settings, name: str, why: str) -> str:
    """Return a sentence on a setting that changes nothing."""
    return f"{name} is {getattr(config, name)!r}, which changes nothing, {why}"


def ruled_out(config: Settings, names: set[str]) -> Iterator[str]:
    """Yield a sentence for each of some settings that the value of another rules out.

    Args:
        config: the settings; their `only_with` says which needs which value of another.
        names: of those that were given.
    """
    for name, (other, values) in getattr(config, "only_with", {}).items():  # others have none
        value = getattr(config, other)
        if name in names and value not in values:
            known = " or ".join(map(repr, values))
            yield said(config, name, f"as {other} is {value!r}: it is of {other} {known}")
