"""What an agent gathers before it learns from it, once: T steps of B environments."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..loop.experience import Array, Transition


class Rollout(NamedTuple):
    """T steps of B environments side by side, as tensors; as arrays for a compiled update."""

    observation: Tensor  # [T, B, *observation] as the network saw it
    choice: Tensor  # [T, B, *choice]
    start: Tensor  # [T, B] bool, where an episode begins
    reward: Tensor  # [T, B]
    discount: Tensor  # [T, B] γ · (1 − terminated)
    goes_on: Tensor  # [T, B] 1 where the next row is the same episode, else 0
    bootstrap: Tensor  # [T, B] value of the observation after a row; 0 where `value` has it
    weight: Tensor  # [T, B] of each row in a mean: 0 where the step only reset, else equal
    state: Tensor | None  # [S, layers, B, H] of the memory, before the first step
    mask: Tensor | None  # [T, B, size] bool, which actions were allowed; None: all

    def values_after(self, value: Tensor) -> Tensor:
        """Return the values of the observations that the actions led to, `[T, B]`.

        Where an episode goes on that is the value of the next row, else what was bootstrapped.

        Args:
            value: of the observations acted on, `[T, B]`.
        """
        following = torch.cat([value[1:], value[-1:]])  # [T, B]
        return torch.where(self.goes_on > 0, following, self.bootstrap)

    def mean(self, x: Tensor) -> Tensor:
        """Return the mean of `x` `[T, B]` over the rows that count."""
        return (x * self.weight).sum()


class RolloutBuffer:
    """Transitions in the order in which they came."""

    def __init__(self) -> None:
        self._transitions: list[Transition] = []
        self._bootstraps: list[Array] = []

    def __len__(self) -> int:
        return len(self._transitions)

    def append(self, transition: Transition, bootstrap: Array | None) -> None:
        """Remember a step of B environments.

        Args:
            transition: its extras hold `seen`, `choice`, `start` and, of a memory, `state`.
            bootstrap: values of `next_observation` `[B]`; None where none is needed.
        """
        self._transitions.append(transition)
        self._bootstraps.append(
            np.zeros(len(transition.reward)) if bootstrap is None else bootstrap
        )

    def clear(self) -> None:
        """Forget everything."""
        self._transitions.clear()
        self._bootstraps.clear()

    def column(self, name: str) -> Array:
        """Return one field of all transitions, `[T, B, *]`."""
        return _rows([getattr(transition, name) for transition in self._transitions])

    def extra(self, name: str) -> Array:
        """Return one extra of all transitions, `[T, B, *]`."""
        return _rows([transition.extras[name] for transition in self._transitions])

    def rollout(
        self, reward: Array, valid: Array, discount: float, taken: Callable[[Array], Any]
    ) -> Rollout:
        """Return all that was remembered.

        Args:
            reward: `[T, B]` as the agent is to count it.
            valid: bool `[T, B]`, which rows are transitions.
            discount: γ.
            taken: makes of an array what a rollout is to hold, such as a tensor on a device.
        """
        terminated, truncated = self.column("terminated"), self.column("truncated")
        goes_on = ~(terminated | truncated)  # [T, B]
        goes_on[-1] = False
        weight, bootstrap = valid / max(valid.sum(), 1), _rows(self._bootstraps)
        columns = reward, discount * ~terminated, goes_on, bootstrap, weight
        numbers = np.empty((len(columns), *reward.shape), np.float32)
        for number, column in zip(numbers, columns, strict=True):
            number[...] = column
        state = self._transitions[0].extras.get("state")
        rewards, discounts, on, after, weights = taken(numbers)
        return Rollout(
            observation=taken(self.extra("seen")),
            choice=taken(self.extra("choice")),
            start=taken(self.extra("start")),
            reward=rewards,
            discount=discounts,
            goes_on=on,
            bootstrap=after,
            weight=weights,
            state=None if state is None else taken(state),
            mask=None if self._transitions[0].mask is None else taken(self.column("mask")),
        )


def _rows(arrays: list[Array]) -> Array:
    """Return T arrays `[B, *]` as one `[T, B, *]`, in a third of the time of `np.stack`."""
    return np.concatenate(arrays).reshape(len(arrays), *arrays[0].shape)
