"""Settings that change nothing: beside others that rule them out, or in a world that has no use.

And worlds whose observations come otherwise than networks like them.
"""

from collections.abc import Iterator
from typing import Any

from gymnasium.spaces import Box, Space

from nets.code import is_path
from nets.ineffective import given, ruled_out, said
from nets.near import shortened

from ..environments.parts import COMPOSITES, parts
from ..networks.pictures import is_picture, unscaled


def ineffective(config: Any, observations: Space, actions: Space) -> Iterator[str]:
    """Yield a sentence for each setting that is not its default, and changes nothing.

    Args:
        config: the settings.
        observations: the space of observations.
        actions: the space of actions.
    """
    names = given(config)
    yield from ruled_out(config, names)
    if "channels" in names and not _shows_pictures(observations):
        yield said(config, "channels", f"as there are no pictures in {shortened(observations)}")
    for name in sorted(names & {"squash", "log_std"}):
        if not isinstance(actions, Box):
            yield said(config, name, f"as actions are {shortened(actions)}, not continuous")


def unfit(config: Any, observations: Space) -> Iterator[str]:
    """Yield a sentence for each part of observations that networks of ours do not take well.

    Args:
        config: the settings.
        observations: their space.
    """
    encoder = getattr(config, "encoder", None)
    ours = isinstance(encoder, str) and not is_path(encoder.partition("+")[0])
    if ours and not getattr(config, "normalize_observation", False):
        yield from unscaled(observations)


def _shows_pictures(space: Space) -> bool:
    spaces = [part.space for part in parts(space)] if isinstance(space, COMPOSITES) else [space]
    return any(isinstance(each, Box) and is_picture(each) for each in spaces)
