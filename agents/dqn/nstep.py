"""Rows of experience whose rewards span several steps."""

from collections import deque
from typing import Any

import numpy as np

from ..loop.experience import Transition
from .rows import MaskedRows, Rows


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

    def push(self, transition: Transition) -> Rows | MaskedRows | None:
        """Take a transition of N environments; return the rows that became complete."""
        return self._single(transition) if self.n == 1 else self._windows(transition)

    def _windows(self, transition: Transition) -> Rows | MaskedRows | None:
        done: list[tuple[Any, ...]] = []
        masks = transition.next_mask
        for k, window in enumerate(self._open):
            if not transition.valid[k]:
                continue
            window.append([transition.observation[k], transition.action[k], 0.0, 1.0])
            for row in window:
                row[2] += row[3] * transition.reward[k]
                row[3] *= self.discount
            over = transition.terminated[k] or transition.truncated[k]
            keep = not transition.terminated[k]
            mask = () if masks is None else (masks[k],)
            while window and (over or len(window) == self.n):
                observation, action, reward, factor = window.popleft()
                after = transition.next_observation[k]
                done.append((observation, action, reward, factor * keep, after, *mask))
        columns = [np.asarray(column) for column in zip(*done, strict=True)]
        if not done:
            return None
        return Rows(*columns) if masks is None else MaskedRows(*columns)

    def _single(self, transition: Transition) -> Rows | MaskedRows | None:
        rows: Rows | MaskedRows = Rows(
            observation=transition.observation,
            action=transition.action,
            reward=transition.reward,
            discount=self.discount * ~transition.terminated,
            next_observation=transition.next_observation,
        )
        if transition.next_mask is not None:
            rows = MaskedRows(*rows[:5], transition.next_mask)
        valid = transition.valid
        if np.count_nonzero(valid) == len(valid):
            return rows
        return type(rows)(*(field[valid] for field in rows)) if valid.any() else None
