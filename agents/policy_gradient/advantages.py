"""Policy gradients by generalised advantages, from as many steps of every environment."""

from typing import TypeVar

from torch import Tensor

from ..equations.returns import generalized_advantages
from ..loop.experience import Metrics, Transition
from .agent import PolicyGradient
from .config import AdvantageConfig
from .rollout import Rollout

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
