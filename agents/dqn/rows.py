"""What a replay remembers, and what is drawn from it."""

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from ..environments.masks import choices
from ..loop.experience import Array
from .frames import Frames, Pictures, has_frames


class Minibatches(NamedTuple):
    """What is learned from at a time, as tensors: K minibatches of B rows.

    Where they are sequences, `[K, B]` reads `[K, T, B]`, and an observation is a `History`.
    """

    observation: Any  # [K, B, *observation]
    action: Tensor  # [K, B, *action]
    reward: Tensor  # [K, B] summed over the row's n steps, discounted
    discount: Tensor  # [K, B] γⁿ · (1 − terminated)
    next_observation: Any  # [K, B, *observation] n steps later
    weight: Tensor  # [K, B] of each row in its minibatch's loss
    next_mask: Tensor | None = None  # [K, B, A] bool, which `next_observation` allows; None: all

    def to(self, device: torch.device) -> "Minibatches":
        """Move every tensor to `device`."""
        if device.type == "cpu":
            return self
        fields: list[Any] = [None if field is None else field.to(device) for field in self]
        return Minibatches(*fields)

    def priorities(self, error: Tensor) -> Tensor:
        """Return one error `[K, B]` for each row, given those of its steps.

        Of a sequence, 0.9 · max + 0.1 · mean over the steps that count (Kapturowski et al., 2019).

        Args:
            error: `[K, B]`, or `[K, T, B]`; not negative.
        """
        if error.dim() == 2:
            return error
        counted = self.weight > 0  # [K, T, B]
        mean = (error * counted).sum(dim=1) / counted.sum(dim=1)
        return 0.9 * (error * counted).amax(dim=1) + 0.1 * mean


class Rows(NamedTuple):
    """M rows to remember, as arrays `[M, *]`."""

    observation: Any
    action: Any
    reward: Any
    discount: Any
    next_observation: Any

    @classmethod
    def zeros(cls, rows: int, observation_space: gym.Space, action_space: gym.Space) -> "Rows":
        """Allocate memory for rows of these spaces, which is taken only as rows are written."""
        observation, next_observation = observations(observation_space, 2, rows)
        return cls(
            observation=observation,
            action=storage(action_space, rows),
            reward=np.zeros(rows, np.float32),
            discount=np.zeros(rows, np.float32),
            next_observation=next_observation,
        )

    def batch(self, weight: Tensor) -> Minibatches:
        """Return drawn rows, tensors `[K, B, *]`, with their weights `[K, B]`."""
        return Minibatches(*self, weight)


class MaskedRows(NamedTuple):
    """Rows that also say which actions `next_observation` allows."""

    observation: Any
    action: Any
    reward: Any
    discount: Any
    next_observation: Any
    next_mask: Any  # bool [M, A]

    @classmethod
    def zeros(
        cls, rows: int, observation_space: gym.Space, action_space: gym.Space
    ) -> "MaskedRows":
        """Allocate memory for rows of these spaces."""
        plain = Rows.zeros(rows, observation_space, action_space)
        return cls(*plain, mask_storage(action_space, rows))

    def batch(self, weight: Tensor) -> Minibatches:
        """Return drawn rows, tensors `[K, B, *]`, with their weights `[K, B]`."""
        return Minibatches(*self[:5], weight, self.next_mask)


def observations(space: gym.Space, columns: int, *shape: int) -> list[Any]:
    """Allocate columns for observations `[*shape, *member]`; of pictures, they share the frames."""
    if not has_frames(space):
        return [storage(space, *shape) for _ in range(columns)]
    frames = Frames(space.shape or ())
    return [Pictures(frames, *shape) for _ in range(columns)]


def storage(space: gym.Space, *shape: int) -> Array:
    """Allocate `[*shape, *member]` for members of `space`; floats are kept in single precision."""
    if space.shape is None or space.dtype is None:
        raise TypeError(f"cannot store members of {space} in rows: expected Box or Discrete")
    dtype = np.float32 if np.issubdtype(space.dtype, np.floating) else space.dtype
    return np.zeros((*shape, *space.shape), dtype)


def mask_storage(space: gym.Space, *shape: int) -> Array:
    """Allocate `[*shape, A]` for masks of the actions of `space`, which allow everything."""
    return np.ones((*shape, sum(choices(space))), bool)
