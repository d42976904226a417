"""One environment of some dynamics, on Python numbers."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded

from .actions import action_reader
from .dynamics import (
    Dynamics,
    Kernel,
    check_kernel,
    check_render_mode,
    load_dynamics,
    render_metadata,
)
from .numbers import scalar
from .pictures.sizes import require_size, resized
from .pictures.window import Window
from .random import GOLDEN, MASK, ScalarRandom, mix, root_of

# SDL's codes of the keys that are no character, so that pygame is not needed to name them.
_KEY_CODES = {"right": 1073741903, "left": 1073741904, "down": 1073741905, "up": 1073741906}


# What an environment passes on from its dynamics, where they have it.
_FACTS = ("P", "initial_state_distrib", "optimal_return", "optimal_gain", "compute_reward")


class DynamicsEnv(gym.Env):
    """One environment of some dynamics, on Python numbers.

    Args:
        dynamics: An object, or "module:Class", which is built with the options.
        render_mode: None, "human", "rgb_array" or "ansi", as far as the dynamics can draw.
        render_size: Pixels of the longer side of pictures; None: as they are drawn.
        kernel: What computes the steps of a vector of them. One is on Python numbers in any case,
            with the same bits: so that an id's arguments suit both.
        options: Arguments of the dynamics' class.

    Raises:
        ValueError: There is no such kernel.
    """

    metadata = {"render_modes": ["human", "rgb_array", "ansi"], "render_fps": 8}  # noqa: RUF012

    def __init__(
        self,
        dynamics: Dynamics | str,
        *,
        render_mode: str | None = None,
        render_size: int | None = None,
        kernel: Kernel = "numpy",
        **options: Any,
    ) -> None:
        check_kernel(kernel)
        self.dynamics = load_dynamics(dynamics, options)
        self.observation_space = self.dynamics.observation_space
        self.action_space = self.dynamics.action_space
        self.metadata = render_metadata(
            self.dynamics, pictures=["human", "rgb_array"], texts=["ansi"]
        )
        self.render_mode = check_render_mode(render_mode, self.metadata)
        self._size = require_size(render_size)
        self._window = Window(type(self.dynamics).__name__, self.metadata["render_fps"])
        self._action = action_reader(self.action_space).one
        self._step, self._observe = self.dynamics.step, self.dynamics.observe
        self._random = ScalarRandom()
        self._stream: int | None = None
        self._state: Any = None
        self._over = True

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dynamics}, render_mode={self.render_mode!r})"

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
            return resized(drawing.frames(state), self._size)[0]
        if not self._window.closed:
            self._window.show(resized(drawing.frames(state), self._size)[0])
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
