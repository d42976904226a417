"""One dream as a Gymnasium environment."""

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from ..worlds.table import TableWorld, initial_distribution
from ..worlds.world import World
from .actions import checked
from .pictures import GAP, PAPER, draw, require_size
from .rows import Dreams, Starts
from .waking import Reality, find_world, horizon_of, keys_of, require_known


class DreamEnv(gym.Env):
    """A world that was learned, in place of the real one.

    Observations and actions are of the real spaces, so that an agent may go from the one to the
    other. What differs from dream to dream is drawn by counters: a seed is a dream.

    Args:
        run: a run folder, a file, or a `World`.
        starts: see `Dreams`.
        horizon: steps after which a dream is truncated; by default as many as the longest real
            episode had that was learned from.
        beside: let the real world go along with every dream, from the same start and by the same
            actions; `render` shows both, the dream first. Implies `starts="real"`.
        render_mode: None or "rgb_array".
        render_size: pixels of the longer side of pictures; None: 192 or a little less.
        device: where to dream.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012

    def __init__(
        self,
        run: str | Path | World,
        *,
        starts: Starts = "first",
        horizon: int | None = None,
        beside: bool = False,
        render_mode: str | None = None,
        render_size: int | None = None,
        device: str = "cpu",
    ) -> None:
        self.world = find_world(run, device)
        self.horizon = horizon_of(self.world, horizon)
        self.observation_space = self.world.spec.observation_space
        self.action_space = self.world.spec.action_space
        self.render_mode, self._size = render_mode, require_size(render_size)
        if beside or starts == "real":
            require_known(self.world.spec)
        self._reality = Reality(self.world.spec, self._size) if beside else None
        self._dreams = Dreams(self.world, 1, "real" if beside else starts)
        self._time = 0
        self._over = True

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin dream 0 of a seed or, without a seed, the next dream of the stream."""
        first = self._np_random_seed is None
        super().reset(seed=seed)
        if seed is not None or first:
            self._dreams.seed(0, int(self.np_random_seed) % 2**62)
        self._dreams.begin([0])
        if self._reality is not None:
            self._reality.begin(self._dreams.real_seeds[0])
        self._time, self._over = 0, False
        return self._shown(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Dream one step on.

        Raises:
            ResetNeeded: There is no dream.
            InvalidAction: The action is not in the action space.
        """
        if self._over:
            raise ResetNeeded("no episode is running: call reset() before step()")
        rows = checked(self.action_space, np.asarray(action)[None], 1)
        if self._reality is not None:
            self._reality.step(rows[0])
        result = self._dreams.step(torch.from_numpy(rows).to(self.world.device))
        self._time += 1
        terminated = bool(result.terminated)
        truncated = not terminated and self._time >= self.horizon
        self._over = terminated or truncated
        return self._shown(), float(result.reward), terminated, truncated, {}

    def render(self) -> NDArray[np.uint8] | None:
        """Return a picture `[H, W, 3]` of what is dreamed, beside what is real if that is asked."""
        if self.render_mode is None:
            gym.logger.warn("render() does nothing: make the environment with a render_mode")
            return None
        picture = draw(self.world.spec, self._dreams.observation, self._size)[0]
        if self._reality is None:
            return picture
        between = np.full((len(picture), GAP, 3), PAPER, np.uint8)
        return np.concatenate([picture, between, self._reality.draw()], axis=1)

    def close(self) -> None:
        """Close the real world, if there is one."""
        if self._reality is not None:
            self._reality.close()

    def _shown(self) -> Any:
        observation = self._dreams.observation[0].cpu().numpy()
        return observation.copy() if observation.ndim else self._dreams.observation[0].item()

    def __getattr__(self, name: str) -> Any:
        """Return the table of a world that was counted, as planners read it, or the real keys."""
        world = self.__dict__.get("world")
        if world is not None and isinstance(world.dynamics, TableWorld):
            if name == "P":
                return world.dynamics.model()
            if name == "initial_state_distrib":
                return initial_distribution(world.spec, world.starts)
        if world is not None and name == "get_keys_to_action" and (keys := keys_of(world.spec)):
            return keys
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
