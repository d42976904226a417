"""The loop: an agent and its environments, step by step."""

import weakref
from typing import TYPE_CHECKING

import numpy as np

from nets.process.seeding import give_way

from ..environments.spaces import holds_floats
from ..environments.stepping import Stepper, all_valid
from .divergence import require_finite_action
from .experience import Array, Episode, Metrics, Transition

if TYPE_CHECKING:
    from .actor import Actor

PATIENCE = 256  # rounds that other threads wait for their turn


class Interaction:
    """The only loop: it knows episodes and their statistics, and nothing of any algorithm."""

    def __init__(self, agent: "Actor", stepper: Stepper, seed: int) -> None:
        self.agent, self.stepper = weakref.proxy(agent), stepper  # who may have the stream
        self.episodes: list[Episode] = []
        self._floats = holds_floats(agent.action_space)
        self._observation = stepper.reset(seed, agent.steps)
        self._episode_start = np.ones(stepper.num_envs, bool)
        self._all_valid = all_valid(stepper.num_envs)
        self._return = np.zeros(stepper.num_envs)
        self._begun = np.zeros(stepper.num_envs, np.int64)  # the round before each episode's first
        self._round = 0

    def advance(self, steps: int, *, last: bool = False) -> Metrics | None:
        """Take `steps` environment steps (a multiple of the number of environments)."""
        agent, stepper = self.agent, self.stepper
        act, observe, step = agent.act, agent.observe, stepper.step
        num_envs, metrics = stepper.num_envs, None
        rounds = -(-steps // num_envs)
        for remaining in range(rounds - 1, -1, -1):
            if not remaining % PATIENCE:
                give_way()
            seen, mask = (self._observation, self._episode_start), stepper.mask
            action, extras = act(*seen) if mask is None else act(*seen, mask)
            if self._floats:
                require_finite_action(agent, action)
            new = step(action)
            agent.steps += num_envs
            truncated = new.truncated
            if last and remaining == 0:
                truncated = truncated | ~new.terminated
            metrics = (
                observe(
                    Transition(
                        observation=self._observation,
                        action=action,
                        reward=new.reward,
                        next_observation=new.next_observation,
                        terminated=new.terminated,
                        truncated=truncated,
                        valid=new.valid,
                        extras=extras,
                        mask=mask,
                        next_mask=new.next_mask,
                    )
                )
                or metrics
            )
            self._observation = new.observation
            self._return += new.reward
            self._round += 1
            all_valid = new.valid is self._all_valid
            if not all_valid:
                self._begun += ~new.valid
            over = new.terminated | new.truncated
            if np.count_nonzero(over):  # in a third of the time of `any`
                self._finish(over, new.raw_return)
            self._episode_start = over if all_valid else over | ~new.valid
        return metrics

    def close(self) -> None:
        """Release the environments."""
        self.stepper.close()

    def _finish(self, over: Array, raw: Array | None) -> None:
        for k in over.nonzero()[0]:
            figures = float(self._return[k]), int(self._round - self._begun[k])
            own = None if raw is None else float(raw[k])
            self.episodes.append(Episode(self.agent.steps, *figures, own))
        self._return[over] = 0.0
        self._begun[over] = self._round
