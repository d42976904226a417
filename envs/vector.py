"""The vector environment made from dynamics: N environments as arrays `[N]`, one call per step."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.error import InvalidAction, ResetNeeded, UnsupportedMode
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from envs.core import Dynamics, load_dynamics
from envs.numbers import batch
from envs.random import GOLDEN, BatchRandom, episode_keys, mix

_GOLDEN = np.uint64(GOLDEN)
_FOREVER = 2**62

Seeds = int | Sequence[int | None] | None


class DynamicsVectorEnv(VectorEnv):
    """N environments of some dynamics, on NumPy arrays.

    Bit for bit what `SyncVectorEnv` of N scalar environments under a time limit gives.

    Args:
        dynamics: An object, or "module:Class" built with the options.
        num_envs: N.
        max_episode_steps: Steps after which an episode is truncated; None for no limit.
        autoreset_mode: When a finished environment begins its next episode.
        render_mode: None or "rgb_array".
        options: Keyword arguments of the dynamics' class.
    """

    def __init__(
        self,
        dynamics: Dynamics | str,
        num_envs: int = 1,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        self.dynamics = load_dynamics(dynamics, options)
        self.num_envs = num_envs
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {
            "render_modes": ["rgb_array"] if hasattr(self.dynamics, "frames") else [],
            "render_fps": getattr(self.dynamics, "render_fps", 8),
            "autoreset_mode": self.autoreset_mode,
        }
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise UnsupportedMode(
                f"render_mode {render_mode!r} is not one of {self.metadata['render_modes']}"
            )
        self.render_mode = render_mode
        self.single_observation_space = self.dynamics.observation_space
        self.single_action_space = self.dynamics.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._limit = max_episode_steps or _FOREVER
        self._state: Any = None
        self._root = np.zeros(num_envs, np.uint64)
        self._episode = np.zeros(num_envs, np.uint64)
        self._random = BatchRandom(np.zeros(num_envs, np.uint64))
        self._elapsed = np.zeros(num_envs, np.int64)
        self._over = np.zeros(num_envs, bool)

    def reset(
        self, *, seed: Seeds = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[Any], dict[str, Any]]:
        """Begin an episode everywhere, or where `options["reset_mask"]` (bool `[N]`) is True."""
        n = self.num_envs
        mask = (options or {}).get("reset_mask", np.ones(n, bool))
        if isinstance(seed, int | np.integer):
            super().reset(seed=int(seed))
            seeds: list[int | None] = [int(seed) + k for k in range(n)]
        else:
            seeds = [None] * n if seed is None else list(seed)
        if self._state is None:
            entropy = int(self.np_random_seed or 0)
            seeds = [entropy + k if s is None else s for k, s in enumerate(seeds)]
        self._episode[mask] += np.uint64(1)
        for k in np.flatnonzero(mask):
            one = seeds[k]
            if one is not None:
                self._root[k], self._episode[k] = mix(int(one) + GOLDEN), 0
        self._begin(mask)
        self._over &= ~mask
        return self._observe(self._state), {}

    def _begin(self, mask: npt.NDArray[np.bool_]) -> None:
        """Start the episode that `_episode` names in the rows of a mask."""
        rows = np.flatnonzero(mask)
        keys = episode_keys(self._root[rows], self._episode[rows])
        state = self.dynamics.initial(batch, BatchRandom(keys))
        if self._state is None or len(rows) == self.num_envs:
            self._state = _owned(state, len(rows))
        else:
            for field, value in zip(self._state, state, strict=True):
                field[rows] = value
        self._random.counter[rows] = keys
        self._elapsed[rows] = 0

    def _observe(self, state: Any) -> npt.NDArray[Any]:
        observation = self.dynamics.observe(batch, state)
        if observation.base is not None or any(observation is field for field in state):
            return observation.copy()
        return observation

    def step(
        self, actions: npt.ArrayLike
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], dict]:
        """Advance every environment by one step, resetting as the autoreset mode says."""
        if self._state is None:
            raise ResetNeeded("call reset() before step()")
        if not self.action_space.contains(np.asarray(actions)):
            raise InvalidAction(f"actions {actions!r} are not in {self.action_space}")
        finished = self._over
        if self.autoreset_mode is AutoresetMode.DISABLED and finished.any():
            raise ResetNeeded(f"reset finished environments first: {np.flatnonzero(finished)}")
        self._elapsed += 1
        self._random.counter += _GOLDEN
        state, reward, terminated = self.dynamics.step(
            batch, self._state, np.asarray(actions), self._random
        )
        n = self.num_envs
        self._state = type(state)(
            *(v if isinstance(v, np.ndarray) and v.ndim else np.full(n, v) for v in state)
        )
        reward = np.array(np.broadcast_to(reward, n), np.float64)
        terminated = np.array(np.broadcast_to(terminated, n), bool)
        truncated = self._elapsed >= self._limit
        if self.autoreset_mode is AutoresetMode.NEXT_STEP and finished.any():
            self._episode[finished] += np.uint64(1)
            self._begin(finished)
            reward[finished] = 0.0
            terminated[finished] = truncated[finished] = False
        self._over = terminated | truncated
        info: dict[str, Any] = {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP and self._over.any():
            over = self._over
            rows = np.flatnonzero(over)
            last = self._observe(type(state)(*(field[rows] for field in self._state)))
            final = np.full(n, None, object)
            for row, observation in zip(rows, last, strict=True):
                final[row] = observation
            info = {
                "final_obs": final,
                "_final_obs": over.copy(),
                "final_info": {},
                "_final_info": over.copy(),
            }
            self._episode[over] += np.uint64(1)
            self._begin(over)
            self._over = np.zeros(n, bool)
        return self._observe(self._state), reward, terminated, truncated, info

    def render(self) -> tuple[npt.NDArray[np.uint8], ...] | None:
        """Return one frame `[H, W, 3]` per environment."""
        if self.render_mode is None:
            return None
        if self._state is None:
            raise ResetNeeded("call reset() before render(): there is nothing to draw yet")
        return tuple(self.dynamics.frames(self._state))  # type: ignore[attr-defined]


def _owned(state: Any, n: int) -> Any:
    """Return the state with every field a writable array `[N]` of its own."""
    return type(state)(*(np.array(np.broadcast_to(field, n)) for field in state))
