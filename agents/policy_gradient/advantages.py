"""Policy gradients by generalised advantages, from as many steps of every environment."""

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from torch import Tensor

from nets.counted import counted
from nets.ineffective import said
from nets.warned import warn

from ..equations.returns import generalized_advantages
from ..loop.experience import Array, Metrics, Transition
from .agent import PolicyGradient
from .config import AdvantageConfig
from .fused.fitting import unfit
from .rollout import Rollout

if TYPE_CHECKING:
    from .fused.learner import FusedUpdate
    from .fused.records import Program

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
        return f"n_steps is {c.n_steps} in each of {counted(n, 'environment')}"

    def observe(self, transition: Transition) -> Metrics | None:
        """Gather a transition; learn when every environment has taken `n_steps`."""
        full = len(self.buffer) + 1 == self.config.n_steps
        self.gather(transition, last=full)
        return self.learn_from_buffer() if full else None

    def advantages(self, rollout: Rollout, value: Tensor) -> Tensor:
        """Return A `[T, B]` of the actions, given the values v `[T, B]` of the observations."""
        after, decay = rollout.values_after(value), self.config.gae_lambda * rollout.goes_on
        return generalized_advantages(rollout.reward, rollout.discount, value, after, decay)

    # Compiled -----------------------------------------------------------------------------------

    @abstractmethod
    def program(self) -> "Program":
        """Return the compiled update."""

    def require(self) -> None:
        """Refuse the compiled update without numba."""
        super().require()
        if self.compiles:
            _ = self._fused

    def begin(self) -> None:
        """Warn where the compiled update cannot take the networks."""
        super().begin()
        if self.config.kernel == "fused" and not self.compiles:
            why = said(self.config, "kernel", self._unfit or "in several processes")
            warn(f"{why} ({self.name} on {self.source.name})")

    def draw(
        self, x: Array, state: Tensor | None, start: Array, mask: Array | None
    ) -> tuple[Array, Tensor | None]:
        """Return choices `[N, *]` drawn from the policy, compiled where the update is."""
        if self.compiles:
            return self._fused.draw(x, self.rng), None
        return super().draw(x, state, start, mask)

    def values(self, observation: Array, state: Tensor | None = None) -> Array:
        """Return v(s) `[N]` of N observations, compiled where the update is."""
        if self.compiles:
            return self._fused.value(self._seen(observation))
        return super().values(observation, state)

    def taken(self, gathered: Array) -> Any:
        """Return what was gathered as `update` takes it: as it is, where that is compiled."""
        return gathered if self.compiles else super().taken(gathered)

    def update_compiled(self, rollout: Rollout, *orders: Array, **settings: Any) -> Metrics:
        """Learn from a rollout by the compiled update.

        Args:
            rollout: of what was `taken`.
            *orders: of rows, where the algorithm takes them in some.
            **settings: the algorithm's, beside those that all have.
        """
        c = self.config
        return self._fused(
            rollout,
            *orders,
            trace_decay=c.gae_lambda,
            value_coefficient=c.value_coefficient,
            entropy_coefficient=c.entropy_coefficient,
            max_grad_norm=c.max_grad_norm,
            **settings,
        )

    @property
    def compiles(self) -> bool:
        """Whether the update is the compiled one."""
        return self.config.kernel == "fused" and not (self.team.size > 1 or self._unfit)

    @cached_property
    def _unfit(self) -> str:
        return "where actions are masked" if self.masks else unfit(self.network.module)

    @cached_property
    def _fused(self) -> "FusedUpdate":
        try:
            from .fused.learner import FusedUpdate

            program = self.program()
        except ImportError as error:
            message = f"kernel is 'fused', which cannot be compiled here ({error})"
            raise ModuleNotFoundError(
                f"{message}: expected numba, pip install 'dreamgym[fast]'; or set kernel to 'torch'"
            ) from error
        return FusedUpdate(self.network, self.optimizer, program)
