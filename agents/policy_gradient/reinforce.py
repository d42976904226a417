"""REINFORCE (Williams, 1992): the policy gradient from whole episodes, with a baseline."""

from collections.abc import Mapping
from typing import Any, Unpack

import numpy as np
import torch
from torch import Tensor

from ..environments.source import World
from ..equations.losses import half_square, policy_gradient
from ..equations.masks import masked
from ..equations.returns import lambda_returns
from ..loop.actor import ActorOptions
from ..loop.experience import Array, Metrics, Transition
from .agent import PolicyGradient
from .config import ReinforceConfig
from .rollout import Rollout


class Reinforce(PolicyGradient[ReinforceConfig]):
    """Monte Carlo policy gradient: Σₜ ∇ log π(aₜ | sₜ) · (Gₜ − b), averaged over steps.

    Gₜ sums the discounted rewards from t on, and no γᵗ stands before it (curriculum A-PG-02 to
    A-PG-04).
    An episode that was truncated goes on with what the baseline expects. Every environment plays
    the same number of episodes for an update, or one more: taking whichever end first would prefer
    short ones. What is played beyond that is not learned from.
    """

    name = "reinforce"
    config_type = ReinforceConfig
    default_num_envs = 1

    def __init__(
        self, env: World, config: ReinforceConfig | None = None, **options: Unpack[ActorOptions]
    ) -> None:
        super().__init__(env, config, **options)
        self.baseline = 0.0

    def reseed(self, seed: int) -> None:
        """Begin the agent's generator anew, with all episodes still to be played."""
        super().reseed(seed)
        self._owed = self._deal()
        self._waiting = np.zeros(self.num_envs, bool)

    def values(self, observation: Array, state: Tensor | None = None) -> Array:
        """Return what the baseline expects `[N]` from N observations on."""
        if self.config.baseline == "learned":
            return super().values(observation, state)
        return np.full(len(observation), self.baseline)

    def observe(self, transition: Transition) -> Metrics | None:
        """Gather a transition; learn when all episodes due have ended."""
        ended = transition.terminated | transition.truncated
        counts = transition.valid & (self._owed > 0) & ~self._waiting
        self.gather(transition._replace(valid=counts), last=False)
        self._owed -= counts & ended
        self._waiting &= ~ended
        if self._owed.any():
            return None
        self._owed, self._waiting = self._deal(), ~ended
        return self.learn_from_buffer()

    @torch.no_grad()
    def update(self, rollout: Rollout) -> Metrics:
        """Take one gradient step over whole episodes."""
        outputs, value = self.network.forward(rollout.observation, rollout.state, rollout.start)
        learned = self.config.baseline == "learned"
        baseline = value if learned else torch.full_like(value, self.baseline)
        returns = lambda_returns(
            rollout.reward, rollout.discount, rollout.values_after(baseline), rollout.goes_on
        )
        advantage = returns - baseline
        outputs = masked(outputs, rollout.mask)
        distribution = self.actions.distribution(outputs)
        policy_loss = policy_gradient(distribution.log_prob(rollout.choice), advantage)
        value_loss = half_square(-advantage if learned else torch.zeros_like(advantage))
        self.descend(
            outputs,
            distribution,
            rollout.choice,
            policy=policy_loss,
            value=value_loss,
            weight=rollout.weight,
        )
        mean = rollout.mean(returns)
        if not learned:
            self.baseline += self.config.baseline_rate * (float(mean) - self.baseline)
        return {
            "policy_loss": rollout.mean(policy_loss.value),
            "value_loss": rollout.mean(value_loss.value),
            "entropy": rollout.mean(distribution.entropy()),
            "value": rollout.mean(baseline),
            "reward_to_go": mean,
        }

    def state_dict(self) -> dict[str, Any]:
        """Network, optimiser, statistics, counter and running mean."""
        return super().state_dict() | {"baseline": self.baseline}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        super().load_state_dict(state)
        self.baseline = state["baseline"]

    def _deal(self) -> Array:
        """How many episodes each environment owes for the next update, `[N]`."""
        share, more = divmod(self.config.episodes, self.num_envs)
        return share + (np.arange(self.num_envs) < more)
