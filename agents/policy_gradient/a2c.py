"""Advantage actor-critic (Mnih et al., 2016), every environment in step with the others."""

from typing import TYPE_CHECKING

import torch

from ..equations.losses import half_square, policy_gradient
from ..equations.masks import masked
from ..loop.experience import Metrics
from .advantages import AdvantageGradient
from .config import A2CConfig
from .rollout import Rollout

if TYPE_CHECKING:
    from .fused.records import Program


class A2C(AdvantageGradient[A2CConfig]):
    """One gradient step for each rollout.

    Minimises −log π A + cᵥ ½(v − G)² − cₑ H with generalised advantages A = G − v, which weigh
    the score and are, with the other sign, the errors of the value (curriculum A-PG-05).
    """

    name = "a2c"
    config_type = A2CConfig

    @torch.no_grad()
    def update(self, rollout: Rollout) -> Metrics:
        """Take one gradient step over a rollout."""
        if self.compiles:
            return self.update_compiled(rollout)
        outputs, value = self.network.forward(rollout.observation, rollout.state, rollout.start)
        outputs = masked(outputs, rollout.mask)
        distribution = self.actions.distribution(outputs)
        advantage = self.advantages(rollout, value)
        policy_loss = policy_gradient(distribution.log_prob(rollout.choice), advantage)
        value_loss = half_square(-advantage)  # v − G
        self.descend(
            outputs,
            distribution,
            rollout.choice,
            policy=policy_loss,
            value=value_loss,
            weight=rollout.weight,
        )
        return {
            "policy_loss": rollout.mean(policy_loss.value),
            "value_loss": rollout.mean(value_loss.value),
            "entropy": rollout.mean(distribution.entropy()),
            "value": rollout.mean(value),
        }

    def program(self) -> "Program":
        """Return the compiled update."""
        from .fused.a2c import PROGRAM

        return PROGRAM
