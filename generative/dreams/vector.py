"""N dreams as one vector environment."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from ..worlds.world import World
from .actions import checked
from .pictures import draw, require_size
from .rows import Dreams, Starts
from .waking import find_world, horizon_of, require_known

Array = NDArray[Any]


class DreamVectorEnv(VectorEnv):
    """N dreams side by side, each what `DreamEnv` gives for its seed; on the CPU bit for bit.

    Args:
        run: a run folder, a file, or a `World`.
        num_envs: N.
        starts: see `Dreams`.
        horizon: steps after which a dream is truncated; by default as many as the longest real
            episode had that was learned from.
        max_episode_steps: a time limit as well, if there is one.
        autoreset_mode: when a dream that is over is followed by the next.
        render_mode: None or "rgb_array".
        render_size: pixels of the longer side of pictures; None: 192 or a little less.
        device: where to dream; on "cuda" only what is returned leaves the device.
    """

    def __init__(
        self,
        run: str | Path | World,
        num_envs: int = 1,
        *,
        starts: Starts = "first",
        horizon: int | None = None,
        max_episode_steps: int | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
        render_size: int | None = None,
        device: str = "cpu",
    ) -> None:
        self.world = find_world(run, device)
        if starts == "real":
            require_known(self.world.spec)
        self.num_envs = num_envs
        self.horizon = min(horizon_of(self.world, horizon), max_episode_steps or 2**62)
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {
            "render_modes": ["rgb_array"],
            "render_fps": 8,
            "autoreset_mode": self.autoreset_mode,
        }
        self.render_mode, self._size = render_mode, require_size(render_size)
        self.single_observation_space = self.world.spec.observation_space
        self.single_action_space = self.world.spec.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._dreams = Dreams(self.world, num_envs, starts)
        self._time = np.zeros(num_envs, np.int64)
        self._finished = np.zeros(num_envs, bool)
        self._begun = False

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Array, dict[str, Any]]:
        """Begin a dream everywhere, or where `options["reset_mask"]` (bool `[N]`) is True.

        Args:
            seed: s for seeds s, s + 1, ..., s + N - 1, or a seed per dream; one without goes on to
                the next dream of its stream.
            options: may hold "reset_mask".

        Raises:
            ValueError: the mask is no bool `[N]` with a True, or there are not N seeds.
            ResetNeeded: the very first reset leaves dreams out.
        """
        mask = (options or {}).get("reset_mask", np.ones(self.num_envs, bool))
        if not isinstance(mask, np.ndarray) or mask.dtype != bool or mask.shape != (self.num_envs,):
            raise ValueError(f"reset_mask is {mask!r}: expected bool of shape ({self.num_envs},)")
        if not mask.any():
            raise ValueError("reset_mask is False everywhere")
        if not self._begun and not mask.all():
            raise ResetNeeded("the first reset() cannot leave environments out")
        for row, one in enumerate(self._seeds(seed)):
            if one is not None and mask[row]:
                self._dreams.seed(row, one)
        self._begun = True
        self._begin(mask)
        return self._shown(), {}

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        if isinstance(seed, int | np.integer):
            super().reset(seed=int(seed))
            return [int(seed) + row for row in range(self.num_envs)]
        if seed is None:
            if self._begun:
                return [None] * self.num_envs
            entropy = int(self.np_random_seed or 0) % 2**62
            return [entropy + row for row in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise ValueError(f"expected {self.num_envs} seeds, one per environment: got {seed}")
        return list(seed)

    def step(self, actions: Any) -> tuple[Array, Array, Array, Array, dict[str, Any]]:
        """Dream one step on everywhere.

        Raises:
            ResetNeeded: before the first reset, or of a dream that is over, without autoreset.
            InvalidAction: an action is not in the action space.
        """
        if not self._begun:
            raise ResetNeeded("no episode is running: call reset() before step()")
        finished = self._finished
        if self.autoreset_mode is AutoresetMode.DISABLED and finished.any():
            rows = np.flatnonzero(finished).tolist()
            raise ResetNeeded(f"environments {rows} have finished: reset them first")
        taken = checked(self.single_action_space, actions, self.num_envs)
        result = self._dreams.step(torch.from_numpy(taken).to(self.world.device))
        reward = result.reward.double().cpu().numpy()
        terminated = result.terminated.cpu().numpy()
        self._time += 1
        truncated = ~terminated & (self._time >= self.horizon)
        if finished.any():  # and the mode is NEXT_STEP
            self._begin(finished)
            reward[finished], terminated[finished], truncated[finished] = 0.0, False, False
        self._finished = over = terminated | truncated
        info: dict[str, Any] = {}
        if over.any() and self.autoreset_mode is AutoresetMode.SAME_STEP:
            info = self._last(over)
            self._begin(over)
        return self._shown(), reward, terminated.copy(), truncated, info

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """Return a picture `[H, W, 3]` of each dream."""
        if self.render_mode is None:
            gym.logger.warn("render() does nothing: make the environment with a render_mode")
            return None
        return tuple(draw(self.world.spec, self._dreams.observation, self._size))

    def _begin(self, mask: Array) -> None:
        self._dreams.begin(np.flatnonzero(mask).tolist())
        self._time[mask] = 0
        self._finished = self._finished & ~mask

    def _last(self, over: Array) -> dict[str, Any]:
        """Return Gymnasium's description of the episodes that end here."""
        shown = self._shown()
        final = np.full(self.num_envs, None, object)
        for row in np.flatnonzero(over):
            final[row] = shown[row]
        told = {"final_obs": final, "_final_obs": over.copy()}
        return told | {"final_info": {}, "_final_info": over.copy()}

    def _shown(self) -> Array:
        return self._dreams.observation.cpu().numpy().copy()
