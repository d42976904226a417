"""What a file may ask for that nobody has vouched for: known worlds, plain arguments, no files.

A run names its environment, and loading imports whatever registers it. A file from a stranger may
name anything, so without trust it gets our worlds, Gymnasium's, and those of modules that the
program has imported itself.
"""

import re
import sys
from collections.abc import Container, Iterator, Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec

from nets.near import shortened
from nets.runs.checkpoint import UntrustedError

from .ids import HOME, NEIGHBOURS, find_spec, home
from .plain import NUMBERS

LATENTS = "generative.latents"  # worlds seen through a model: they read its file, and no more
DREAMS = "generative.dreams"  # likewise: worlds that a model learned
OURS = {*HOME.values(), LATENTS, DREAMS}
KNOWN = OURS | set(NEIGHBOURS.values())
WRAPPERS = {  # of Gymnasium's, those that neither write files nor call what they are given
    "AddRenderObservation",
    "AtariPreprocessing",
    "Autoreset",
    "ClipAction",
    "ClipReward",
    "DelayObservation",
    "DiscretizeAction",
    "DiscretizeObservation",
    "FilterObservation",
    "FlattenObservation",
    "FrameStackObservation",
    "GrayscaleObservation",
    "MaxAndSkipObservation",
    "NormalizeObservation",
    "NormalizeReward",
    "OrderEnforcing",
    "PassiveEnvChecker",
    "RecordEpisodeStatistics",
    "RepeatAction",
    "RescaleAction",
    "RescaleObservation",
    "ReshapeObservation",
    "ResizeObservation",
    "StickyAction",
    "TimeAwareObservation",
    "TimeLimit",
}
MOST_ENVS = MOST_VALUES = 2**16
WORD = re.compile(r"[\w -]*")  # neither a file nor code is called so


def require_known(description: Mapping[str, Any]) -> None:
    """Refuse a recipe for environments that asks for what is not known to be harmless.

    Raises:
        UntrustedError: it does; what it asks for is shown.
        gymnasium.error.Error: there is no such environment.
    """
    asked = [*foreign(description)]
    if asked:
        raise UntrustedError(asked)


def require_harmless(
    file: str, spec: EnvSpec, arguments: Mapping[str, Any], wrappers: Mapping[str, Any]
) -> None:
    """Refuse what a file asks for to be done to an environment, where it may write or run code.

    Raises:
        ValueError: it does; what it asks for is shown, and what to do.
    """
    asked = [] if home(spec) in OURS else [*_unplain(arguments, spec.id)]
    for name, given in wrappers.items():
        harmless = name in WRAPPERS
        asked += [*_unplain(given, name)] if harmless else [f"the wrapper {name!r}"]
    if asked:
        message = f"{file} asks for {', '.join(asked)}"
        raise ValueError(f"{message}: give it on the command line, --env.* or --wrap")


def foreign(
    description: Mapping[str, Any], imported: Container[str] = sys.modules
) -> Iterator[str]:
    """Yield what a recipe asks for that is not known to be harmless.

    Args:
        description: what `EnvSource.describe` returns.
        imported: modules that the program itself has chosen to import.
    """
    if (description["num_envs"] or 1) > MOST_ENVS:
        yield f"{description['num_envs']:,} environments at once"
    yield from _foreign_world(description["id"], description["kwargs"], imported)
    for wrapper in description["wrappers"]:
        entry_point = wrapper["entry_point"]
        if entry_point == f"{LATENTS}:LatentObservation":
            continue
        if _harmless(entry_point):
            yield from _unplain(wrapper["kwargs"], entry_point)
        else:
            yield f"the wrapper {entry_point!r}"


def _foreign_world(
    env_id: str, arguments: Mapping[str, Any], imported: Container[str]
) -> Iterator[str]:
    module = env_id.rpartition(":")[0]
    if module and module not in KNOWN and module not in imported:
        yield f"the environment {env_id!r}"
        return
    spec = find_spec(env_id)
    changed = {k: v for k, v in arguments.items() if k not in spec.kwargs or spec.kwargs[k] != v}
    if "env_id" in changed:  # it is made of another
        within = changed.pop("env_id"), changed.pop("env_kwargs", None) or {}
        yield from _foreign_world(*within, imported)
    if home(spec) not in OURS:
        yield from _unplain(changed, env_id)


def _harmless(entry_point: str) -> bool:
    """Whether this is one of Gymnasium's wrappers that neither write nor call anything."""
    module, _, name = entry_point.partition(":")
    if name not in WRAPPERS:
        return False
    return module in ("gymnasium.wrappers", getattr(gym.wrappers, name).__module__)


def _unplain(arguments: Mapping[str, Any], owner: str) -> Iterator[str]:
    for name, value in arguments.items():
        if _extent(value) > MOST_VALUES or not _plain(value):
            yield f"{name}={shortened(value)} of {owner}"


def _extent(value: Any) -> int:
    """Return how many numbers and letters a value has: maps of worlds are made of these."""
    if isinstance(value, Mapping):
        return _extent([*value, *value.values()])
    if isinstance(value, list | tuple):
        return sum(map(_extent, value))
    return len(value) if isinstance(value, str) else int(np.size(value))


def _plain(value: Any) -> bool:
    """Whether a value is made of numbers and words."""
    if isinstance(value, Mapping):
        return all(map(_plain, (*value, *value.values())))
    if isinstance(value, list | tuple):
        return all(map(_plain, value))
    if isinstance(value, np.ndarray):
        return value.dtype.kind in NUMBERS
    if isinstance(value, str):
        return WORD.fullmatch(value) is not None
    return value is None or isinstance(value, int | float)
