"""Whether an environment is the same as fresh ones, but for the episode under way."""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, closing
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode

from nets.near import shortened

from .differences import CHECKS, Differences, Env, differences, layers
from .masks import Telling, random_action
from .stepping import autoreset_mode

SEED, MOST_STEPS = 0, 100
TOLD = 3  # differences that a message tells


def telling(compare: Callable[[Env], Differences], make: Callable[[], Env]) -> str:
    """Return what tells an environment from fresh ones, in words; nothing, if nothing does.

    What a fresh one loses when it is reset with a seed is its open episode, and tells nothing.

    Args:
        compare: where it differs from a fresh one.
        make: makes a fresh one.
    """
    with ExitStack() as stack:
        fresh = stack.enter_context(closing(make()))
        found = compare(fresh)
        strange = [type(layer).__name__ for layer in layers(fresh)[1:] if _is_strange(layer)]
        if not (found or strange):
            return ""
        begun, played = (stack.enter_context(closing(make())) for _ in range(2))
        begun.reset(seed=SEED)
        moved = differences(fresh, begun)
        for _ in _moments(played):
            moved |= differences(begun, played)
        played.reset(seed=SEED)
        lasting = differences(begun, played)
    stateful = {path for path in lasting if path.partition(".")[0] in strange}
    if stateful:
        return f"{min(stateful)} lasts from episode to episode"
    of_episode = {path for path in found if _touches(path, moved) and not _touches(path, lasting)}
    return _told({path: pair for path, pair in found.items() if path not in of_episode})


def _told(found: Differences) -> str:
    told = [
        f"{path} is {shortened(ours)}, not {shortened(fresh)}"
        for path, (ours, fresh) in sorted(found.items())[:TOLD]
    ]
    return ", ".join(told) + (", ..." if len(found) > TOLD else "")


def distant_differences(env: AsyncVectorEnv, fresh: gym.Env) -> Differences:
    """Return where members in processes of their own differ from `fresh`, in numbers and words.

    The rest may be impossible to send.
    """
    found: Differences = {}
    for layer in layers(fresh):
        for name, value in vars(layer).items():
            plain = isinstance(value, bool | int | float | str) and not name.startswith("_")
            if plain and not isinstance(layer, CHECKS) and fresh.get_wrapper_attr(name) is value:
                for theirs in env.get_attr(name):
                    if theirs != value:
                        found[f"{type(layer).__name__}.{name}"] = theirs, value
    return found


def _moments(env: Env) -> Iterator[None]:
    """Take random actions that are allowed, the same every time; stop at ends, and at last."""
    single = env.action_space if isinstance(env, gym.Env) else env.single_action_space
    for space in (env.action_space, single):
        space.seed(SEED)
    world = Telling(env) if isinstance(env, gym.Env) else env
    _, info = world.reset(seed=SEED)
    for _ in range(MOST_STEPS):
        _, _, terminated, truncated, info = world.step(random_action(world, info))
        if np.any(terminated) or np.any(truncated):
            yield
            if isinstance(world, gym.Env):
                _, info = world.reset()
            elif autoreset_mode(world) is AutoresetMode.DISABLED:
                return
    yield


def _is_strange(layer: Any) -> bool:
    return type(layer).__module__.partition(".")[0] != "gymnasium"


def _touches(path: str, others: Collection[str]) -> bool:
    """Whether `path` is one of `others`, a part of one, or has one as its part."""
    return any(
        long[: len(short)] == short and long[len(short) : len(short) + 1] in ("", ".", "[")
        for short, long in (sorted((path, other), key=len) for other in others)
    )
