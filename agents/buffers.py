"""Memories of experience: an append-only replay ring, and the n-step returns that go into it."""

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from nets.training.checkpoint import CheckpointError

from .agent import Array, Transition


class Batch(NamedTuple):
    """Rows of replay, as tensors: K minibatches of B."""

    observation: Tensor  # [K, B, *observation]
    action: Tensor  # [K, B, *action]
    reward: Tensor  # [K, B] summed over the row's n steps, discounted
    discount: Tensor  # [K, B] γⁿ · (1 − terminated)
    next_observation: Tensor  # [K, B, *observation] n steps later

    def to(self, device: torch.device) -> "Batch":
        """Move every tensor to `device`."""
        return self if device.type == "cpu" else Batch(*(field.to(device) for field in self))

    def minibatch(self, k: int) -> "Batch":
        """Return minibatch k, fields `[B, *]`."""
        return Batch(*(field[k] for field in self))


class Rows(NamedTuple):
    """M rows to remember: what `Batch` says, as arrays `[M, *]`."""

    observation: Array
    action: Array
    reward: Array
    discount: Array
    next_observation: Array


class ReplayBuffer:
    """The last `capacity` rows, sampled uniformly with replacement.

    Row number r (counted from the first ever) lies at r mod capacity, so a buffer rebuilt from the
    shards of earlier segments equals the original.
    """

    def __init__(self, capacity: int, observation_space: gym.Space, action_space: gym.Space):
        if capacity < 1:
            raise ValueError(f"replay capacity is {capacity}: expected at least 1")
        self.capacity = capacity
        self.rows = 0
        self._sharded = 0
        observation = _storage(capacity, observation_space)
        self._fields = Rows(
            observation=observation,
            action=_storage(capacity, action_space),
            reward=np.zeros(capacity, np.float32),
            discount=np.zeros(capacity, np.float32),
            next_observation=np.zeros_like(observation),
        )

    def __len__(self) -> int:
        return min(self.rows, self.capacity)

    def clear(self) -> None:
        """Forget all rows."""
        self.rows = self._sharded = 0

    def append(self, rows: Rows) -> None:
        """Remember M ≤ capacity rows, forgetting the oldest when full."""
        count, start = len(rows.reward), self.rows % self.capacity
        if start + count <= self.capacity:
            index: slice | Array = slice(start, start + count)
        else:
            index = np.arange(start, start + count) % self.capacity
        for field, values in zip(self._fields, rows, strict=True):
            field[index] = values
        self.rows += count

    def sample(self, rng: np.random.Generator, batches: int, batch_size: int) -> Batch:
        """Draw `batches` minibatches of `batch_size` rows.

        Raises:
            ValueError: nothing has been remembered yet.
        """
        if not self.rows:
            raise ValueError("cannot sample from an empty replay buffer")
        index = rng.integers(len(self), size=(batches, batch_size))
        return Batch(*(torch.from_numpy(field.take(index, axis=0)) for field in self._fields))

    def shard(self) -> dict[str, Any]:
        """Return the rows appended since the last call, as tensors."""
        first = max(self._sharded, self.rows - self.capacity)
        index = np.arange(first, self.rows) % self.capacity
        self._sharded = self.rows
        fields = zip(Rows._fields, self._fields, strict=True)
        tensors = {name: torch.from_numpy(field[index]) for name, field in fields}
        return {"first_row": first, **tensors}

    def load_shard(self, shard: Mapping[str, Any]) -> None:
        """Append rows that `shard` returned; shards must come in their order.

        Raises:
            CheckpointError: a shard is missing, or does not fit the spaces.
        """
        if self.rows and shard["first_row"] != self.rows:
            message = f"replay shard begins at row {shard['first_row']}, expected {self.rows}"
            raise CheckpointError(message)
        self.rows = shard["first_row"]
        try:
            self.append(Rows(*(shard[name].numpy() for name in Rows._fields)))
        except (KeyError, ValueError) as error:
            raise CheckpointError(f"replay shard does not fit this agent: {error}") from error
        self._sharded = self.rows


class NStep:
    """Turns transitions into rows whose reward spans n steps.

    R⁽ⁿ⁾ₜ = Σₖ γᵏ rₜ₊ₖ₊₁ for k < n, bootstrapped with γⁿ at the observation n steps on. Where an
    episode ends earlier, the rows still open are closed there: with discount 0 if it terminated,
    with γᵐ after m steps if it was truncated.
    """

    def __init__(self, n: int, discount: float, num_envs: int) -> None:
        if n < 1:
            raise ValueError(f"n_step is {n}: expected at least 1")
        self.n, self.discount = n, discount
        self._open: list[deque[list[Any]]] = [deque() for _ in range(num_envs)]

    def push(self, transition: Transition) -> Rows | None:
        """Take a transition of N environments; return the rows that became complete."""
        return self._single(transition) if self.n == 1 else self._windows(transition)

    def _windows(self, transition: Transition) -> Rows | None:
        done: list[tuple[Any, ...]] = []
        for k, window in enumerate(self._open):
            if transition.valid is not None and not transition.valid[k]:
                continue
            window.append([transition.observation[k], transition.action[k], 0.0, 1.0])
            for row in window:
                row[2] += row[3] * transition.reward[k]
                row[3] *= self.discount
            over = transition.terminated[k] or transition.truncated[k]
            keep = not transition.terminated[k]
            while window and (over or len(window) == self.n):
                observation, action, reward, factor = window.popleft()
                after = transition.next_observation[k]
                done.append((observation, action, reward, factor * keep, after))
        return Rows(*(np.asarray(column) for column in zip(*done, strict=True))) if done else None

    def _single(self, transition: Transition) -> Rows | None:
        rows = Rows(
            transition.observation,
            transition.action,
            transition.reward,
            self.discount * ~transition.terminated,
            transition.next_observation,
        )
        if transition.valid is None or transition.valid.all():
            return rows
        valid = transition.valid
        return Rows(*(field[valid] for field in rows)) if valid.any() else None


def _storage(capacity: int, space: gym.Space) -> Array:
    """Allocate rows for members of `space`; floats are kept in single precision."""
    if space.shape is None or space.dtype is None:
        raise TypeError(f"cannot store members of {space} in rows: expected Box or Discrete")
    dtype = np.float32 if np.issubdtype(space.dtype, np.floating) else space.dtype
    return np.zeros((capacity, *space.shape), dtype)
