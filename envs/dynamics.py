"""Dynamics, the one text of a world.

A world is written once, for one environment, as pure functions over a NamedTuple state. The same
text runs on Python numbers in `envs.scalar` and on arrays `[N]` in `envs.vector`; docs/envs.md has
its rules.
"""

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Any, Literal, Protocol, TypeVar, get_args

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.envs.registration import load_env_creator
from gymnasium.error import UnsupportedMode

from .near import nearest
from .numbers import Number, Numbers
from .random import Random

State = TypeVar("State", bound=tuple)
Frames = npt.NDArray[np.uint8]
Kernel = Literal["numpy", "fused"]


class Dynamics(Protocol[State]):
    """What a world must have.

    It may also have:
        frames(state): A picture of each state of a batch, uint8 `[N, H, W, 3]`.
        text(state): A text of each state of a batch, a list of N strings.
        render_fps: Frames per second when a person watches, an int.
        keys: What a person plays with, from key ("a", "left", ...) to action.
        noop: The action while no key is pressed, if the world does not wait for its player.
        real_time: Whether the last action goes on while no key is pressed, if there is no noop.
        P, initial_state_distrib: The model of a tabular world, laid out as in Gymnasium's own.
        optimal_return, optimal_gain: What is best, where it is known in closed form.
        compute_reward(achieved_goal, desired_goal, info): The rewards of a world of goals.
    """

    observation_space: gym.Space
    action_space: gym.Space

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.observation_space}, {self.action_space})"

    def initial(self, xp: Numbers, random: Random) -> State:
        """Return the state at the beginning of an episode."""
        ...

    def step(
        self, xp: Numbers, state: State, action: Number, random: Random
    ) -> tuple[State, Number, Number]:
        """Return the next state, the reward and whether the episode terminated."""
        ...

    def observe(self, xp: Numbers, state: State) -> Any:
        """Return the observation of a state, an array or a dict of them."""
        ...


def load_dynamics(dynamics: Dynamics | str, options: Mapping[str, Any]) -> Dynamics:
    """Return dynamics as they are, or build those named "module:Class" with the options.

    Raises:
        TypeError: An object was given together with options, or the class has no such option.
    """
    if isinstance(dynamics, str):
        build: Callable[..., Dynamics] = load_env_creator(dynamics)  # type: ignore[assignment]
        known = signature(build).parameters
        takes_any = any(each.kind is Parameter.VAR_KEYWORD for each in known.values())
        for name in () if takes_any else options.keys() - known.keys():
            raise TypeError(f"{build.__name__} has no argument {name!r}: {nearest(name, known)}")
        return build(**options)
    if options:
        raise TypeError(f"options {sorted(options)} need dynamics given by name, got an object")
    return dynamics


def render_metadata(dynamics: Dynamics, *, pictures: list[str], texts: list[str]) -> dict[str, Any]:
    """Return the metadata of dynamics: which of the modes they can draw, and how fast."""
    modes = pictures * hasattr(dynamics, "frames") + texts * hasattr(dynamics, "text")
    return {"render_modes": modes, "render_fps": getattr(dynamics, "render_fps", 8)}


def check_render_mode(render_mode: str | None, metadata: Mapping[str, Any]) -> str | None:
    """Return the render mode.

    Raises:
        UnsupportedMode: It is not one of the metadata's.
    """
    if render_mode is not None and render_mode not in metadata["render_modes"]:
        raise UnsupportedMode(
            f"render_mode {render_mode!r} is not one of {metadata['render_modes']}"
        )
    return render_mode


def check_kernel(kernel: Kernel) -> Kernel:
    """Return the name of what computes the steps of a vector environment.

    Raises:
        ValueError: There is no such kernel.
    """
    if kernel not in get_args(Kernel):
        raise ValueError(f"there is no kernel {kernel!r}: {nearest(str(kernel), get_args(Kernel))}")
    return kernel
