"""Settings that change nothing: beside others that rule them out, or in a world that has no use."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from gymnasium.spaces import Box, Space

from nets.near import shortened

from ..environments.parts import COMPOSITES, parts
from ..networks.pictures import is_picture


def ineffective(config: Any, observations: Space, actions: Space) -> Iterator[str]:
    """Yield a sentence for each setting that is not its default, and changes nothing.

    Args:
        config: the settings; their `only_with` says which needs which value of another.
        observations: the space of observations.
        actions: the space of actions.
    """
    usual = {field.name: field.default for field in fields(config)}
    given = {name for name in usual if getattr(config, name) != usual[name]}
    for name, (other, values) in getattr(config, "only_with", {}).items():
        value = getattr(config, other)
        if name in given and value not in values:
            known = " or ".join(map(repr, values))
            yield f"{_said(config, name)}, as {other} is {value!r}: it is of {other} {known}"
    if "channels" in given and not _shows_pictures(observations):
        yield f"{_said(config, 'channels')}, as there are no pictures in {shortened(observations)}"
    for name in sorted(given & {"squash", "log_std"}):
        if not isinstance(actions, Box):
            yield f"{_said(config, name)}, as actions are {shortened(actions)}, not continuous"


def _said(config: Any, name: str) -> str:
    return f"{name} is {getattr(config, name)!r}, which changes nothing"


def _shows_pictures(space: Space) -> bool:
    spaces = [part.space for part in parts(space)] if isinstance(space, COMPOSITES) else [space]
    return any(isinstance(each, Box) and is_picture(each) for each in spaces)
