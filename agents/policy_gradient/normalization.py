"""Observations and rewards in comparable units, by statistics that the agent learns with."""

import numpy as np
import torch

from nets.layers.norm import RunningNorm

from ..loop.experience import Array

LIMIT = 10.0  # standard deviations; what lies further out is cut


class ObservationNorm:
    """x' = clip((x − μ) / σ, −10, 10), by the statistics of all rollouts that were learned from.

    They change between rollouts only, so that acting and learning see the same numbers; nothing
    changes them in evaluation.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.statistics = RunningNorm(shape).cpu().eval()
        self.refresh()

    def __call__(self, observation: Array) -> Array:
        """Normalise observations `[..., *observation]`."""
        scaled = (observation - self._shift) * self._scale
        return scaled.clip(-LIMIT, LIMIT).astype(np.float32)

    def update(self, observation: Array) -> None:
        """Count observations `[M, *observation]` into the statistics."""
        self.statistics.update(torch.from_numpy(observation))
        self.refresh()

    def refresh(self) -> None:
        """Read the statistics anew: after they have changed or been loaded."""
        norm = self.statistics
        self._shift = norm.mean.numpy().copy()
        variance = (norm.squares / norm.count).numpy() if norm.count > 0 else 1.0
        self._scale = 1.0 / np.sqrt(variance + norm.eps)


class RewardNorm:
    """r' = clip(r / σ_R, −10, 10), where σ_R is the deviation of R ← γ · R · (1 − ended) + r.

    R sums the discounted rewards of an episode so far. The mean of rewards stays: subtracting it
    would change what is best.
    """

    def __init__(self) -> None:
        self.statistics = RunningNorm(()).cpu().eval()

    def __call__(self, reward: Array) -> Array:
        """Scale rewards `[...]`."""
        norm = self.statistics
        deviation = float(norm.squares / norm.count + norm.eps) ** 0.5 if norm.count > 0 else 1.0
        return (reward / deviation).clip(-LIMIT, LIMIT)

    def update(
        self, reward: Array, ended: Array, valid: Array, sums: Array, discount: float
    ) -> Array:
        """Count R after each of T steps into the statistics; return the last, to go on from.

        Args:
            reward: `[T, B]`.
            ended: bool `[T, B]`, where an episode ended.
            valid: bool `[T, B]`, where a row counts.
            sums: R before the first step, `[B]`; 0 at the beginning of an episode.
            discount: γ.
        """
        after = np.empty(reward.shape)
        for t in range(len(reward)):
            after[t] = discount * sums + reward[t]
            sums = after[t] * ~ended[t]
        self.statistics.update(torch.from_numpy(after[valid]))
        return sums
