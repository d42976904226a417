"""Advantage actor-critic (Mnih et al., 2016), every environment in step with the others."""

from dataclasses import dataclass

import torch

from nets.settings import Count, Positive, Share

from .agent import Metrics, Transition
from .losses import value_loss
from .policy_gradient import PolicyConfig, PolicyGradient
from .rollout import Rollout
from .targets import generalized_advantages


@dataclass(frozen=True)
class A2CConfig(PolicyConfig):
    """Settings of A2C."""

    learning_rate: Positive = 1e-3
    """Step size of Adam."""
    n_steps: Count = 8
    """Steps of every environment between two updates."""
    gae_lambda: Share = 1.0
    """λ of the advantages: 0 trusts the value, 1 the rewards."""


class A2C(PolicyGradient):
    """One gradient step for each rollout.

    Minimises −log π A + c_v ½(v − G)² − c_e H with generalised advantages A = G − v, which is both
    the weight of the score and minus the slope of the value's loss (SPEC A-PG-05).
    """

    name = "a2c"
    config_type = A2CConfig
    config: A2CConfig

    @property
    def rollout_steps(self) -> int:
        """Steps of all environments between two updates."""
        return self.config.n_steps * self.num_envs

    def observe(self, transition: Transition) -> Metrics | None:
        """Gather a transition; learn when every environment has taken `n_steps`."""
        full = len(self.buffer) + 1 == self.config.n_steps
        self.gather(transition, last=full)
        return self.learn_from_buffer() if full else None

    def update(self, rollout: Rollout) -> Metrics:
        """Take one gradient step over a rollout."""
        outputs, value = self.gradient.forward(rollout.observation, rollout.state, rollout.start)
        distribution = self.actions.distribution(outputs)
        advantage = generalized_advantages(
            rollout.reward,
            rollout.discount,
            value,
            rollout.values_after(value),
            self.config.gae_lambda * rollout.goes_on,
        )
        self.descend(
            outputs,
            distribution,
            rollout.choice,
            log_prob=-advantage,
            value=-advantage,
            weight=rollout.weight,
        )
        with torch.no_grad():
            return {
                "value_loss": rollout.mean(value_loss(value, advantage + value)),
                "entropy": rollout.mean(distribution.entropy()),
                "value": rollout.mean(value),
            }
