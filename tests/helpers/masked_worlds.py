"""Worlds that say which actions they allow, and raise where another one is taken."""

import gymnasium as gym
import numpy as np


class Forbidden(AssertionError):
    """An action was taken that its mask forbids."""


class Guarded(gym.Env):
    """Observations hold their own mask, which is drawn anew in every step, and a clock.

    Episodes of 3 to 6 steps are terminated or truncated, as a coin says; a terminated one ends in a
    mask that allows nothing. Rewards are the action's number over 4.

    Args:
        tells: "info" in `info["action_mask"]`; else nowhere.
        several: whether there are two choices, of 3 and of 2 actions, instead of one of 4.
        table: whether observations are the mask's number instead.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}

    def __init__(self, tells="info", several=False, table=False, render_mode=None):
        self.sizes = [3, 2] if several else [4]
        size = sum(self.sizes)
        self.action_space = gym.spaces.Discrete(4, start=2)
        if several:
            self.action_space = gym.spaces.MultiDiscrete(self.sizes)
        self.observation_space = gym.spaces.Box(0.0, 9.0, (size + 1,), np.float32)
        if table:
            self.observation_space = gym.spaces.Discrete(2**size)
        self.table, self.render_mode = table, render_mode
        self._tells = tells == "info"

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._now, self._end = 0, int(self.np_random.integers(3, 7))
        self._draw()
        return self._seen()

    def step(self, action):
        choices = np.ravel(action - self.action_space.start)
        starts = np.cumsum([0, *self.sizes[:-1]])
        if not all(
            self._mask[first + choice] for first, choice in zip(starts, choices, strict=True)
        ):
            raise Forbidden(f"{action} of {self._mask}")
        self._now += 1
        over, coin = self._now == self._end, bool(self.np_random.random() < 0.5)
        self._draw()
        if over and coin:
            self._mask[:] = 0
        observation, info = self._seen()
        return observation, float(choices.sum()) / 4, over and coin, over and not coin, info

    def render(self):
        return np.full((16, 16, 3), 40 * self._now, np.uint8)

    def _draw(self):
        masks = []
        for size in self.sizes:
            mask = self.np_random.random(size) < 0.4
            mask[self.np_random.integers(size)] = True
            masks.append(mask)
        self._mask = np.concatenate(masks).astype(np.int8)

    def _seen(self):
        info = {"action_mask": self._mask.copy()} if self._tells else {}
        if self.table:
            return int(self._mask @ (2 ** np.arange(len(self._mask)))), info
        return np.append(self._mask, self._now).astype(np.float32), info


class Asked(Guarded):
    """Is asked for its masks."""

    def __init__(self, **settings):
        super().__init__("method", **settings)

    def action_masks(self):
        """Return the mask of now."""
        return self._mask.copy()


class Plain(gym.Env):
    """Tells `masks`, one after the other, whatever they are."""

    metadata = {"render_modes": []}

    def __init__(self, masks, render_mode=None):
        self.observation_space = gym.spaces.Box(0.0, 1.0, (1,), np.float32)
        self.action_space = gym.spaces.Discrete(3)
        self._masks, self._left = masks, iter(masks)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._left = iter(self._masks)
        return self._seen()

    def step(self, action):
        observation, info = self._seen()
        return observation, 0.0, False, False, info

    def _seen(self):
        mask = next(self._left)
        return np.zeros(1, np.float32), {} if mask is None else {"action_mask": mask}


for name in ("Guarded", "Asked", "Plain"):
    gym.register(f"{name}-v0", entry_point=f"masked_worlds:{name}", disable_env_checker=True)
