"""Dynamics, the one text of a world, and the scalar environment made from them.

A world is written once, for one environment, as pure functions over a NamedTuple state. The same
text runs on Python numbers here and on arrays `[N]` in `envs.vector`; docs/envs.md has its rules.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.envs.registration import load_env_creator
from gymnasium.error import ResetNeeded, UnsupportedMode

from envs.actions import action_reader
from envs.numbers import Number, Numbers, scalar
from envs.random import GOLDEN, MASK, Random, ScalarRandom, mix, root_of
from envs.window import Window

State = TypeVar("State", bound=tuple)
Frames = npt.NDArray[np.uint8]

# SDL's codes of the keys that are no character, so that pygame is not needed to name them.
_KEY_CODES = {"right": 1073741903, "left": 1073741904, "down": 1073741905, "up": 1073741906}

# What an environment passes on from its dynamics, where they have it.
_FACTS = ("P", "initial_state_distrib", "optimal_return", "optimal_gain")


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
    """

    observation_space: gym.Space
    action_space: gym.Space

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
    """Return dynamics as they are, or build those named "module:Class" with the options.

    Raises:
        TypeError: An object was given together with options, or the class has no such option.
    """
    if isinstance(dynamics, str):
        build: Callable[..., Dynamics] = load_env_creator(dynamics)  # type: ignore[assignment]
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


class DynamicsEnv(gym.Env):
    """One environment of some dynamics, on Python numbers.

    Args:
        dynamics: An object, or "module:Class", which is built with the options.
        render_mode: None, "human", "rgb_array" or "ansi", as far as the dynamics can draw.
        options: Arguments of the dynamics' class.
    """

    metadata = {"render_modes": ["human", "rgb_array", "ansi"], "render_fps": 8}  # noqa: RUF012

    def __init__(
        self, dynamics: Dynamics | str, *, render_mode: str | None = None, **options: Any
    ) -> None:
        self.dynamics = load_dynamics(dynamics, options)
        self.observation_space = self.dynamics.observation_space
        self.action_space = self.dynamics.action_space
        self.metadata = render_metadata(
            self.dynamics, pictures=["human", "rgb_array"], texts=["ansi"]
        )
        self.render_mode = check_render_mode(render_mode, self.metadata)
        self._window = Window(type(self.dynamics).__name__, self.metadata["render_fps"])
        self._action = action_reader(self.action_space).one
        self._step, self._observe = self.dynamics.step, self.dynamics.observe
        self._random = ScalarRandom()
        self._stream: int | None = None
        self._state: Any = None
        self._over = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin episode 0 of a seed or, without a seed, the next episode of the stream."""
        super().reset(seed=seed)
        if seed is not None or self._stream is None:
            self._stream = root_of(int(self.np_random_seed))
        self._stream = (self._stream + GOLDEN) & MASK
        self._random.counter = mix(self._stream)
        self._state = self.dynamics.initial(scalar, self._random)
        self._over = False
        if self.render_mode == "human":
            self.render()
        return self.dynamics.observe(scalar, self._state), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Advance by one step.

        Raises:
            ResetNeeded: There is no running episode.
            InvalidAction: The action is not in the action space.
        """
        if self._over:
            raise ResetNeeded("no episode is running: call reset() before step()")
        action = self._action(action)
        random = self._random
        random.counter += GOLDEN
        self._state, reward, over = self._step(scalar, self._state, action, random)
        self._over = terminated = bool(over)
        if self.render_mode == "human":
            self.render()
        return self._observe(scalar, self._state), float(reward), terminated, False, {}

    def render(self) -> Any:
        """Return a frame `[H, W, 3]` ("rgb_array") or a text ("ansi"), or show it ("human")."""
        if self.render_mode is None:
            gym.logger.warn("render() does nothing: make the environment with a render_mode")
            return None
        if self._state is None:
            raise ResetNeeded("there is nothing to draw yet: call reset() before render()")
        drawing: Any = self.dynamics
        state = type(self._state)(*(np.array([number]) for number in self._state))
        if self.render_mode == "ansi":
            return drawing.text(state)[0]
        if self.render_mode == "rgb_array":
            return drawing.frames(state)[0]
        if not self._window.closed:
            self._window.show(drawing.frames(state)[0])
        return None

    def close(self) -> None:
        """Close the window, if there is one."""
        self._window.close()

    def get_keys_to_action(self) -> dict[tuple[int, ...], Any]:
        """Return the keyboard's mapping from key codes to actions, for `gymnasium.utils.play`."""
        keys: Mapping[str, Any] = getattr(self.dynamics, "keys", {})
        return {(_KEY_CODES.get(key) or ord(key),): action for key, action in keys.items()}

    def state_dict(self) -> dict[str, Any]:
        """Return where the environment is, as numbers: load it to go on from there."""
        return {
            "state": None if self._state is None else self._state._asdict(),
            "stream": self._stream,
            "counter": self._random.counter & MASK,
            "over": self._over,
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go back to where `state_dict` was taken."""
        state = state_dict["state"]
        kind = type(self.dynamics.initial(scalar, ScalarRandom()))
        self._state = None if state is None else kind(**state)
        self._stream, self._random.counter = state_dict["stream"], state_dict["counter"]
        self._over = state_dict["over"]

    def __getattr__(self, name: str) -> Any:
        if name in _FACTS:
            return getattr(self.dynamics, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
