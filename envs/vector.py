"""The vector environment made from dynamics: N environments as arrays `[N]`, one call per step."""

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from .actions import action_reader
from .dynamics import (
    Dynamics,
    Frames,
    Kernel,
    check_kernel,
    check_render_mode,
    load_dynamics,
    render_metadata,
)
from .episodes import Rows, final_info, rows_to_reset, seeds_of
from .fused.fitting import CompiledStep, compiled_step
from .memory import own_observation, own_state, separate
from .numbers import Array, batch
from .pictures.sizes import require_size, resized
from .random import GOLDEN, BatchRandom, mix_array, root_of
from .saved import read_saved

Mask = npt.NDArray[np.bool_]

_GOLDEN = np.uint64(GOLDEN)
_NONE: Rows = np.arange(0)


class DynamicsVectorEnv(VectorEnv):
    """N environments of some dynamics, on NumPy arrays.

    Bit for bit what `SyncVectorEnv` gives of N scalar environments under the same time limit.

    Args:
        dynamics: An object, or "module:Class", which is built with the options.
        num_envs: N.
        max_episode_steps: Steps after which an episode is truncated; None for no limit.
        autoreset_mode: When a finished environment begins its next episode.
        render_mode: None or "rgb_array".
        render_size: Pixels of the longer side of pictures; None: as they are drawn.
        kernel: What computes a step: "numpy"; or "fused", one function that numba compiles, with
            the same bits. What cannot be compiled is NumPy's, with a warning.
        options: Arguments of the dynamics' class.

    Raises:
        ValueError: There is no such kernel.
    """

    def __init__(
        self,
        dynamics: Dynamics | str,
        num_envs: int = 1,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        render_size: int | None = None,
        kernel: Kernel = "numpy",
        **options: Any,
    ) -> None:
        self.dynamics = load_dynamics(dynamics, options)
        self.num_envs = num_envs
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {
            **render_metadata(self.dynamics, pictures=["rgb_array"], texts=[]),
            "autoreset_mode": self.autoreset_mode,
        }
        self.render_mode = check_render_mode(render_mode, self.metadata)
        self._size = require_size(render_size)
        self.single_observation_space = self.dynamics.observation_space
        self.single_action_space = self.dynamics.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._actions = action_reader(self.single_action_space)
        self._limit = max_episode_steps or 2**62
        self._clock = 0  # steps of the vector
        self._deadline = self._limit  # no episode reaches its limit before this time
        self._start = np.zeros(num_envs, np.int64)  # when each episode began
        self._stream = np.zeros(num_envs, np.uint64)
        self._random = BatchRandom(np.zeros(num_envs, np.uint64))
        self._finished = _NONE
        self._state: Any = None
        fused = check_kernel(kernel) == "fused"
        self._compiled = compiled_step(self.dynamics) if fused else None

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Array, dict[str, Any]]:
        """Begin an episode everywhere, or where `options["reset_mask"]` (bool `[N]`) is True.

        Args:
            seed: s for seeds s, s + 1, ..., s + N - 1, or a seed per environment; an environment
                without one goes on to the next episode of its stream.
            options: May hold "reset_mask".

        Raises:
            TypeError: The mask is no bool array, or a seed no integer.
            Error: A seed is negative.
            ValueError: The mask has another shape or is False everywhere; N seeds were expected.
            ResetNeeded: The very first reset leaves environments out.
        """
        rows = rows_to_reset(options, self.num_envs, first=self._state is None)
        seeds = self._seeds(seed)
        for row in rows.tolist():
            if (one := seeds[row]) is not None:
                self._stream[row] = root_of(one)
        if len(rows) == self.num_envs:  # all are as if they were new
            self._clock, self._deadline = 0, self._limit
        self._begin(rows)
        self._finished = np.setdiff1d(self._finished, rows)
        return self._observe(self._state), {}

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        """Return the seed of each environment, None where it goes on with its stream."""
        if isinstance(seed, int | np.integer):
            super().reset(seed=int(seed))
        seeds = seeds_of(seed, self.num_envs)
        if self._state is not None or None not in seeds:
            return seeds
        entropy = int(self.np_random_seed or 0)
        return [entropy + row if one is None else one for row, one in enumerate(seeds)]

    def _begin(self, rows: Rows) -> None:
        """Start the next episode in these rows."""
        stream = self._stream[rows] + _GOLDEN
        keys = mix_array(stream)
        state = self.dynamics.initial(batch, BatchRandom(keys))
        if len(rows) == self.num_envs:
            self._state = own_state(state, self.num_envs)
        else:
            for field, number in zip(self._state, state, strict=True):
                field[rows] = number
        self._stream[rows] = stream
        self._random.counter[rows] = keys
        self._start[rows] = self._clock

    def step(self, actions: npt.ArrayLike) -> tuple[Any, Array, Mask, Mask, dict[str, Any]]:
        """Advance every environment by one step, resetting as the autoreset mode says.

        Raises:
            ResetNeeded: Before the first reset, or for a finished environment without autoreset.
            InvalidAction: An action is not in the action space.
        """
        finished = self._finished
        if self._state is None:
            raise ResetNeeded("no episode is running: call reset() before step()")
        if finished.size and self.autoreset_mode is AutoresetMode.DISABLED:
            raise ResetNeeded(f"environments {finished.tolist()} have finished: reset them first")
        action = self._actions.many(actions, self.num_envs)
        self._clock += 1
        if self._compiled is not None:
            return self._step_compiled(self._compiled, action)
        self._random.counter += _GOLDEN
        result = self.dynamics.step(batch, self._state, action, self._random)
        self._state, reward, terminated = separate(*result, action, self.num_envs)
        truncated = self._truncate()
        if finished.size:  # and the mode is NEXT_STEP
            self._begin(finished)
            reward[finished] = 0.0
            terminated[finished] = truncated[finished] = False
        self._finished = finished = np.flatnonzero(terminated | truncated)
        info: dict[str, Any] = {}
        if finished.size and self.autoreset_mode is AutoresetMode.SAME_STEP:
            rows = type(self._state)(*(field[finished] for field in self._state))
            info = final_info(self._observe(rows), finished, self.num_envs)
            self._begin(finished)
            self._finished = _NONE
        return self._observe(self._state), reward, terminated, truncated, info

    def _step_compiled(
        self, compiled: CompiledStep, action: Any
    ) -> tuple[Array, Array, Mask, Mask, dict[str, Any]]:
        """Do what `step` does, once the clock has advanced."""
        n, same_step = self.num_envs, self.autoreset_mode is AutoresetMode.SAME_STEP
        seen: Any = self.observation_space
        observation, final = np.empty(seen.shape, seen.dtype), np.empty(seen.shape, seen.dtype)
        reward, terminated, truncated = np.empty(n), np.empty(n, bool), np.empty(n, bool)
        ended = compiled.advance(
            *(self._clock, self._limit, same_step, self._finished),
            *(self._stream, self._random.counter, self._start),
            action if isinstance(action, tuple) else np.array(action),
            *(observation, reward, terminated, truncated, final),
            *self._state,
        )
        self._finished, info = _NONE, {}
        if ended:
            rows = np.flatnonzero(terminated | truncated)
            if same_step:
                info = final_info(final[rows], rows, n)
            else:
                self._finished = rows
        return observation, reward, terminated, truncated, info

    def _truncate(self) -> Mask:
        if self._clock < self._deadline:
            return np.zeros(self.num_envs, bool)
        self._deadline = int(self._start.min()) + self._limit
        return self._start <= self._clock - self._limit

    def _observe(self, state: Any) -> Any:
        return own_observation(self.dynamics.observe(batch, state), state)

    def render(self) -> tuple[Frames, ...] | None:
        """Return a frame `[H, W, 3]` of each environment."""
        if self.render_mode is None:
            gym.logger.warn("render() does nothing: make the environment with a render_mode")
            return None
        if self._state is None:
            raise ResetNeeded("there is nothing to draw yet: call reset() before render()")
        drawing: Any = self.dynamics
        return tuple(resized(drawing.frames(self._state), self._size))

    def state_dict(self) -> dict[str, Any]:
        """Return where the environments are, as arrays `[N]`: load it to go on from there."""
        state = self._state
        return {
            "state": None if state is None else {k: v.copy() for k, v in state._asdict().items()},
            "stream": self._stream.copy(),
            "counter": self._random.counter.copy(),
            "elapsed": self._clock - self._start,
            "finished": self._finished.copy(),
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go back to where `state_dict` was taken.

        Raises:
            ValueError: It has another number of environments, or what no vector has saved.
        """
        exact = self._compiled is not None
        self._state, own = read_saved(state_dict, self.dynamics, self.num_envs, exact)
        self._stream, self._random.counter = own["stream"], own["counter"]
        self._finished = own["finished"]
        self._start = self._clock - own["elapsed"]
        self._deadline = self._clock
