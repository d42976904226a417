"""Policy gradients by generalised advantages, from as many steps of every environment."""

from dataclasses import dataclass
from typing import ClassVar, TypeVar

from torch import Tensor

from nets.kinds import Capacity, Share, Space

from ..equations.returns import generalized_advantages
from ..loop.experience import Metrics, Transition
from .agent import PolicyGradient
from .config import PolicyConfig
from .rollout import Rollout


@dataclass(frozen=True)
class AdvantageConfig(PolicyConfig):
    """Settings that PPO and A2C share."""

    adjustable: ClassVar[tuple[str, ...]] = (*PolicyConfig.adjustable, "gae_lambda")
    tunable: ClassVar[Space] = PolicyConfig.tunable | {
        "n_steps": (8, 16, 32, 64, 128, 256, 512),
        "gae_lambda": (0.8, 0.9, 0.92, 0.95, 0.98, 1.0),
    }

    n_steps: Capacity = 128
    """Steps of every environment between two updates."""
    gae_lambda: Share = 0.95
    """λ of the advantages: 0 trusts the value, 1 the rewards."""


ConfigT = TypeVar("ConfigT", bound=AdvantageConfig)


class AdvantageGradient(PolicyGradient[ConfigT]):
    """Updates whenever every environment has taken `n_steps`."""

    @property
    def rollout_steps(self) -> int:
        """Steps of all environments between two updates."""
        return self.config.n_steps * self.num_envs

    def idle(self, steps: int) -> str:
        """Name `n_steps` where no rollout ever becomes whole."""
        c, n = self.config, self.num_envs
        if -(-steps // n) * n >= self.rollout_steps:
            return ""
        return f"n_steps is {c.n_steps} in each of {n} environment{'s' * (n > 1)}"

    def observe(self, transition: Transition) -> Metrics | None:
        """Gather a transition; learn when every environment has taken `n_steps`."""
        full = len(self.buffer) + 1 == self.config.n_steps
        self.gather(transition, last=full)
        return self.learn_from_buffer() if full else None

    def advantages(self, rollout: Rollout, value: Tensor) -> Tensor:
        """Return A `[T, B]` of the actions, given the values v `[T, B]` of the observations."""
        after, decay = rollout.values_after(value), self.config.gae_lambda * rollout.goes_on
        return generalized_advantages(rollout.reward, rollout.discount, value, after, decay)
