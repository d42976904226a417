"""Dynamics, the one text of a world, and the scalar environment made from them.

A world is written once, for one environment, as pure functions over a NamedTuple state. The same
text runs on Python numbers here and on arrays in `envs.vector`; see docs/envs.md for its rules.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.envs.registration import load_env_creator
from gymnasium.error import InvalidAction, ResetNeeded, UnsupportedMode

from envs.numbers import Number, Numbers, scalar
from envs.random import GOLDEN, BatchRandom, ScalarRandom, episode_key, mix

State = TypeVar("State", bound=tuple)
Random = ScalarRandom | BatchRandom
Frames = npt.NDArray[np.uint8]


class Dynamics(Protocol[State]):
    """What a world must have.

    A world may also have `frames(state) -> uint8 [N, H, W, 3]` and `text(state) -> list[str]`,
    which take a state of arrays `[N]` and give it its render modes; `keys`, a mapping from key
    names ("left", "a"; "" for no key) to actions; `render_fps`; and, if tabular, `P` and
    `initial_state_distrib` in the convention of Gymnasium's toy-text environments.
    """

    observation_space: gym.Space
    action_space: gym.spaces.Discrete

    def initial(self, xp: Numbers, random: Random) -> State:
        """Return the state at the beginning of an episode."""
        ...

    def step(
        self, xp: Numbers, state: State, action: Number, random: Random
    ) -> tuple[State, Number, Number]:
        """Return the next state, the reward and whether the episode terminated."""
        ...

    def observe(self, xp: Numbers, state: State) -> Any:
        """Return the observation of a state."""
        ...


def load_dynamics(dynamics: Dynamics | str, options: Mapping[str, Any]) -> Dynamics:
    """Return dynamics as they are, or build those named "module:Class" with the options."""
    if isinstance(dynamics, str):
        build: Callable[..., Dynamics] = load_env_creator(dynamics)  # type: ignore[assignment]
        return build(**options)
    if options:
        raise TypeError(f"options {sorted(options)} need dynamics given by name, got an object")
    return dynamics


def render_modes(dynamics: Dynamics) -> list[str]:
    """Return the render modes that the dynamics' drawing functions allow."""
    modes = ["human", "rgb_array"] if hasattr(dynamics, "frames") else []
    return [*modes, "ansi"] if hasattr(dynamics, "text") else modes


class DynamicsEnv(gym.Env):
    """One environment of some dynamics, on Python numbers.

    Args:
        dynamics: An object, or "module:Class" built with the options.
        render_mode: None, "human", "rgb_array" or "ansi", as far as the dynamics can draw.
        options: Keyword arguments of the dynamics' class.
    """

    metadata: dict[str, Any] = {"render_modes": ["human", "rgb_array", "ansi"], "render_fps": 8}  # noqa: RUF012

    def __init__(
        self, dynamics: Dynamics | str, *, render_mode: str | None = None, **options: Any
    ) -> None:
        self.dynamics = load_dynamics(dynamics, options)
        self.metadata = {
            "render_modes": render_modes(self.dynamics),
            "render_fps": getattr(self.dynamics, "render_fps", 8),
        }
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise UnsupportedMode(
                f"render_mode {render_mode!r} is not one of {self.metadata['render_modes']}"
            )
        self.render_mode = render_mode
        self.observation_space = self.dynamics.observation_space
        self.action_space = self.dynamics.action_space
        self._random = ScalarRandom()
        self._state: Any = None
        self._root: int | None = None
        self._episode = 0
        self._over = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode: the first of a seed, or the next one of the running stream."""
        super().reset(seed=seed)
        if seed is not None or self._root is None:
            self._root = mix(int(self.np_random_seed or 0) + GOLDEN)
            self._episode = 0
        else:
            self._episode += 1
        self._random.counter = episode_key(self._root, self._episode)
        self._state = self.dynamics.initial(scalar, self._random)
        self._over = False
        if self.render_mode == "human":
            self.render()
        return self.dynamics.observe(scalar, self._state), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Advance by one step."""
        if self._over:
            raise ResetNeeded("call reset() before step(): there is no running episode")
        if not self.action_space.contains(action):
            raise InvalidAction(f"action {action!r} is not in {self.action_space}")
        random = self._random
        random.counter += GOLDEN
        self._state, reward, over = self.dynamics.step(scalar, self._state, int(action), random)
        self._over = bool(over)
        if self.render_mode == "human":
            self.render()
        return (
            self.dynamics.observe(scalar, self._state),
            float(reward),
            self._over,
            False,
            {},
        )

    def _state_of_one(self) -> Any:
        if self._state is None:
            raise ResetNeeded("call reset() before render(): there is nothing to draw yet")
        return type(self._state)(*(np.array([field]) for field in self._state))

    def render(self) -> Any:
        """Draw the state in the environment's render mode."""
        if self.render_mode == "ansi":
            return self.dynamics.text(self._state_of_one())[0]  # type: ignore[attr-defined]
        if self.render_mode == "rgb_array":
            return self.dynamics.frames(self._state_of_one())[0]  # type: ignore[attr-defined]
        return None

    def __getattr__(self, name: str) -> Any:
        if name in ("P", "initial_state_distrib"):
            return getattr(self.dynamics, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
