"""Proximal policy optimisation (Schulman et al., 2017) with a clipped objective."""

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..equations.losses import (
    Loss,
    clipped_half_square,
    clipped_surrogate,
    half_square,
    importance_ratio,
    kl_estimate,
)
from ..equations.masks import masked
from ..loop.experience import Metrics
from .advantages import AdvantageGradient
from .config import PPOConfig
from .rollout import Rollout

if TYPE_CHECKING:
    from .fused.records import Program


class Minibatch(NamedTuple):
    """Columns of a rollout: rows of their own for a plain network, sequences for a memory."""

    observation: Tensor  # [T, M, *observation]
    choice: Tensor  # [T, M, *choice]
    start: Tensor  # [T, M] bool
    weight: Tensor  # [T, M] 0 where the step only reset, equal elsewhere
    log_prob: Tensor  # [T, M] of the policy that gathered it
    value: Tensor  # [T, M] at that time
    advantage: Tensor  # [T, M]
    target: Tensor  # [T, M]
    mask: Tensor | None  # [T, M, size] bool, which actions were allowed; None: all

    def in_one_row(self) -> "Minibatch":
        """Return every row as a column of its own, `[1, T · M, *]`."""
        return self._each(lambda field: field.flatten(0, 1).unsqueeze(0))

    def columns(self, index: Tensor) -> "Minibatch":
        """Return some columns, of which none counts where all only reset."""
        part = self._each(lambda field: field.index_select(1, index))
        total = part.weight.sum().clamp_min(torch.finfo(part.weight.dtype).tiny)
        return part._replace(weight=part.weight / total)

    def _each(self, change: Callable[[Tensor], Tensor]) -> "Minibatch":
        fields: list[Any] = [None if field is None else change(field) for field in self]
        return Minibatch(*fields)

    def standardized(self) -> "Minibatch":
        """Return the rows with advantages of mean 0 and variance 1."""
        centred = self.advantage - self.mean(self.advantage)
        deviation = self.mean(centred.square()).sqrt()
        return self._replace(advantage=centred / (deviation + 1e-8))

    def mean(self, x: Tensor) -> Tensor:
        """Return the mean of `x` `[T, M]` over the rows that count."""
        return (x * self.weight).sum()

    def kl(self, log_prob: Tensor) -> Tensor:
        """Return the divergence of a policy from the one that gathered the rows."""
        return self.mean(kl_estimate(log_prob, self.log_prob))


class PPO(AdvantageGradient[PPOConfig]):
    """Policy gradient with several passes over each rollout, held near the policy that gathered it.

    Minimises −min(ρ A, clip(ρ, 1 − ε, 1 + ε) A) + cᵥ ½(v − G)² − cₑ H, where ρ = π / π_old, A are
    generalised advantages and G = A + v_old (curriculum A-PG-05).
    """

    name = "ppo"
    config_type = PPOConfig

    @torch.no_grad()
    def update(self, rollout: Rollout) -> Metrics:
        """Take `epochs` passes of gradient steps over a rollout."""
        c, clip = self.config, self.scheduled("clip")
        if self.compiles:
            return self._update_compiled(rollout, clip)
        for batch, state in self._minibatches(self._prepare(rollout), rollout.state):
            outputs, value = self.network.forward(batch.observation, state, batch.start)
            outputs = masked(outputs, batch.mask)
            distribution = self.actions.distribution(outputs)
            log_prob = distribution.log_prob(batch.choice)  # [T, M]
            ratio = importance_ratio(log_prob, batch.log_prob)
            policy_loss = clipped_surrogate(ratio, batch.advantage, clip)
            value_loss = self._value_loss(value, batch)
            if c.target_kl is not None and batch.kl(log_prob) > c.target_kl:
                break
            self.descend(
                outputs,
                distribution,
                batch.choice,
                policy=policy_loss,
                value=value_loss,
                weight=batch.weight,
            )
        return {
            "policy_loss": batch.mean(policy_loss.value),
            "value_loss": batch.mean(value_loss.value),
            "entropy": batch.mean(distribution.entropy()),
            "kl": batch.kl(log_prob),
            "clipped": batch.mean(((ratio - 1.0).abs() > clip).float()),
            "value": batch.mean(value),
        }

    def program(self) -> "Program":
        """Return the compiled update."""
        from .fused.ppo import PROGRAM

        return PROGRAM

    def _update_compiled(self, rollout: Rollout, clip: float) -> Metrics:
        c, count = self.config, math.prod(rollout.weight.shape)
        if c.batch_size >= count:
            orders = np.arange(count)[None]  # the same in every epoch
        else:
            orders = np.stack([self.rng.permutation(count) for _ in range(c.epochs)])
        normalized = c.normalize_over if c.normalize_advantage else None
        return self.update_compiled(
            rollout,
            orders,
            epochs=c.epochs,
            over_rollout=normalized == "rollout",
            over_minibatch=normalized == "minibatch",
            batch_size=c.batch_size,
            clip=clip,
            value_clip=np.inf if c.value_clip is None else c.value_clip,
            target_kl=np.inf if c.target_kl is None else c.target_kl,
        )

    @torch.no_grad()
    def _prepare(self, rollout: Rollout) -> Minibatch:
        """Return the rollout with advantages, and with what the policy that gathered it said."""
        c = self.config
        outputs, value = self.network.evaluate(rollout.observation, rollout.state, rollout.start)
        outputs = masked(outputs, rollout.mask)
        advantage = self.advantages(rollout, value)
        batch = Minibatch(
            observation=rollout.observation,
            choice=rollout.choice,
            start=rollout.start,
            weight=rollout.weight,
            log_prob=self.actions.distribution(outputs).log_prob(rollout.choice),
            value=value,
            advantage=advantage,
            target=advantage + value,
            mask=rollout.mask,
        )
        if c.normalize_advantage and c.normalize_over == "rollout":
            batch = batch.standardized()
        return batch if self.network.module.memory is not None else batch.in_one_row()

    def _minibatches(
        self, batch: Minibatch, state: Tensor | None
    ) -> Iterator[tuple[Minibatch, Tensor | None]]:
        """Yield random columns, each once per epoch, with the memory's state before them."""
        c, (steps, columns) = self.config, batch.weight.shape
        apart = c.normalize_advantage and c.normalize_over == "minibatch"
        size = max(1, c.batch_size // steps)
        for _ in range(c.epochs):
            if size >= columns:
                yield batch.standardized() if apart else batch, state
                continue
            order = torch.from_numpy(self.rng.permutation(columns)).to(self.device)
            for index in order.split(size):
                part = batch.columns(index)
                before = None if state is None else state.index_select(2, index)
                yield part.standardized() if apart else part, before

    def _value_loss(self, value: Tensor, batch: Minibatch) -> Loss:
        clip = self.config.value_clip
        if clip is None:
            return half_square(value - batch.target)
        return clipped_half_square(value, batch.value, batch.target, clip)
