"""What a world with a memory knows of real episodes: looked at step by step, with nothing drawn."""

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.spaces import Box
from numpy.typing import NDArray
from torch import Tensor

from .blocks import in_blocks
from .contract import Remembers, State
from .world import World

Array = NDArray[Any]


class WorldFilter:
    """Follows N real episodes; what it knows of each goes with the episode.

    Args:
        world: of a model that remembers: rssm or vae-lstm.
        count: N.

    Attributes:
        space: of what is known of one.

    Raises:
        TypeError: the model remembers nothing.
    """

    def __init__(self, world: World, count: int) -> None:
        if not isinstance(world.dynamics, Remembers):
            message = f"a world of model {world.config.model} remembers nothing beyond what is seen"
            raise TypeError(f"{message}: expected rssm or vae-lstm")
        self.world = world.eval()
        self.model: Remembers = world.dynamics
        self._state: State = ()
        blank = torch.zeros(count, *world.spec.shape, dtype=world.spec.dtype, device=world.device)
        self._begin(blank + self._lowest, np.ones(count, bool))
        self.space = Box(-np.inf, np.inf, self._known().shape[1:])

    def begin(self, observations: Array, begins: Array) -> Array:
        """Begin episodes with a first look at `[N, *]` where `begins` `[N]`; return what is known.

        Returns:
            float32 `[N, D]`.
        """
        self._begin(self._rows(observations), begins)
        return self._known()

    def step(self, actions: Array, observations: Array, begins: Array) -> Array:
        """Go on by actions `[N, *]` to what is seen `[N, *]`; begin anew where `begins` `[N]`.

        Returns:
            float32 `[N, D]`.
        """
        seen = self._rows(observations)
        space = self.world.spec.action_space
        acted = torch.as_tensor(np.array(actions, space.dtype), device=seen.device)

        def step(*columns: Tensor) -> tuple[Tensor, ...]:
            *state, action, observation = columns
            return self.model.filtered(tuple(state), action, observation)

        with torch.no_grad():
            self._state = in_blocks(step, *self._state, acted, seen)
        if begins.any():
            self._begin(seen, begins)
        return self._known()

    def require_same(
        self, name: str, observation_space: gym.Space, action_space: gym.Space
    ) -> None:
        """Raise `ValueError` where an environment shows or takes something else than the world."""
        spec = self.world.spec
        pairs = (
            ("observation", observation_space, spec.observation_space),
            ("action", action_space, spec.action_space),
        )
        for what, there, known in pairs:
            if there != known:
                message = f"{name} has the {what} space {there}"
                raise ValueError(f"{message}: the world of {spec.env_id} has {known}")

    def _begin(self, seen: Tensor, begins: Array) -> None:
        with torch.no_grad():
            fresh = in_blocks(lambda rows: self.model.looked(rows), seen)
        if begins.all():
            self._state = fresh
            return
        chosen = torch.from_numpy(np.array(begins)).to(seen.device)
        self._state = tuple(
            torch.where(chosen.view(-1, *[1] * (new.dim() - 1)), new, old)
            for new, old in zip(fresh, self._state, strict=True)
        )

    def _known(self) -> Array:
        with torch.no_grad():
            return self.model.known(self._state).float().cpu().numpy()

    def _rows(self, observations: Array) -> Tensor:
        rows = torch.as_tensor(np.array(observations), dtype=self.world.spec.dtype)
        return rows.to(self.world.device)

    @property
    def _lowest(self) -> int:
        """A number that is an observation's, wherever all numbers are the same."""
        return int(getattr(self.world.spec.observation_space, "start", 0))
