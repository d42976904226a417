"""Who plays where data are collected: anybody who can predict, of a run folder or at random."""

import sys
from collections.abc import Container
from importlib.metadata import entry_points
from typing import Any, Protocol

from numpy.typing import NDArray

Array = NDArray[Any]

ACTORS = "dreamgym.actors"  # entry points that load who acts from a run folder
KNOWN = {"envs", "envs.minatar", "ale_py"}  # modules of worlds that any file may name


class Actor(Protocol):
    """Who plays: an agent of ours, a model of Stable-Baselines3, ...

    One with a true attribute `masks` is told which actions are allowed, as `action_masks`.
    """

    def predict(
        self, observation: Any, state: Any, episode_start: Array, deterministic: bool
    ) -> tuple[Any, Any]:
        """Return actions `[N, ...]` and the next state of the memory."""


def load_actor(run: str, *, trust: bool = False) -> Actor:
    """Load who acts from a run folder, by the installed entry point.

    Args:
        run: the folder.
        trust: whether its environment may be of any module.

    Raises:
        ValueError: nothing that is installed can load agents.
        FileNotFoundError: there is no such run.
    """
    for entry in entry_points(group=ACTORS):
        return entry.load()(run, **({"trust": True} if trust else {}))
    raise ValueError(f"cannot load {run}: no installed package has an entry point {ACTORS!r}")


def foreign_world(where: str, imported: Container[str] = sys.modules) -> str | None:
    """Return the environment of `ENV_ID` or `ENV_ID@RUN` if making it would run unknown code.

    Args:
        where: what a file names.
        imported: modules that the program itself has chosen to import.
    """
    env_id = where.partition("@")[0]
    module = env_id.rpartition(":")[0]
    return env_id if module and module not in KNOWN and module not in imported else None
