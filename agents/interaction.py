"""The loop: an agent and its environments, step by step."""

import math
from typing import TYPE_CHECKING, NamedTuple, Protocol

import gymnasium as gym
import numpy as np

from .agent import Array, Metrics, Transition
from .stepping import Stepper

if TYPE_CHECKING:
    from .agent import Agent


LEAVE_THEIR_BOX = ("LunarLander-v3", "LunarLanderContinuous-v3")
"""Worlds of Gymnasium's that return finite numbers beyond the bounds of their own space."""


class InvalidExperience(ValueError):
    """An environment returned a number that nothing can be learned from."""


class Episode(NamedTuple):
    """A finished episode: when it ended, what it returned (undiscounted), how long it was."""

    step: int
    total_reward: float
    length: int


class Stream(Protocol):
    """A source of experience that an agent learns from, one segment long."""

    episodes: list[Episode]

    def advance(self, steps: int, *, last: bool = False) -> Metrics | None:
        """Take `steps` environment steps; `last`: the segment ends, open episodes are truncated."""

    def close(self) -> None:
        """Release the environments."""


class Interaction:
    """The only loop: it knows episodes, statistics and validity, and nothing of any algorithm."""

    def __init__(self, agent: "Agent", stepper: Stepper, seed: int) -> None:
        self.agent, self.stepper = agent, stepper
        self.episodes: list[Episode] = []
        self._check = Check(agent.source.name, agent.observation_space)
        self._observation = stepper.reset(seed)
        self._check.observation(self._observation, agent.steps)
        self._episode_start = np.ones(stepper.num_envs, bool)
        self._return = np.zeros(stepper.num_envs)
        self._length = np.zeros(stepper.num_envs, np.int64)

    def advance(self, steps: int, *, last: bool = False) -> Metrics | None:
        """Take `steps` environment steps (a multiple of the number of environments)."""
        agent, stepper, check = self.agent, self.stepper, self._check
        act, observe, step = agent.act, agent.observe, stepper.step
        num_envs, metrics = stepper.num_envs, None
        rounds = -(-steps // num_envs)
        for remaining in range(rounds - 1, -1, -1):
            action, extras = act(self._observation, self._episode_start)
            new = step(action)
            agent.steps += num_envs
            check(new.next_observation, new.reward, agent.steps)
            truncated = new.truncated
            if last and remaining == 0:
                truncated = truncated | ~new.terminated
            metrics = (
                observe(
                    Transition(
                        self._observation,
                        action,
                        new.reward,
                        new.next_observation,
                        new.terminated,
                        truncated,
                        new.valid,
                        extras,
                    )
                )
                or metrics
            )
            self._observation = new.observation
            self._return += new.reward
            self._length += 1
            over = new.terminated | new.truncated
            if new.valid is not None:
                self._length[~new.valid] = 0
            if over.any():
                check.observation(new.observation, agent.steps)
                self._finish(over)
            self._episode_start = over if new.valid is None else over | ~new.valid
        return metrics

    def close(self) -> None:
        """Release the environments."""
        self.stepper.close()

    def _finish(self, over: Array) -> None:
        for k in over.nonzero()[0]:
            self.episodes.append(
                Episode(self.agent.steps, float(self._return[k]), int(self._length[k]))
            )
        self._return[over] = 0.0
        self._length[over] = 0


class Check:
    """Stops training on rewards or observations that are not finite or not in the space.

    Of the worlds in `LEAVE_THEIR_BOX` observations need only be finite.
    """

    def __init__(self, name: str, space: gym.Space) -> None:
        self._name, self._space, self._shape = name, space, space.shape
        self._bounds: tuple[Array | float, Array | float] | None = None
        if isinstance(space, gym.spaces.Box) and space.dtype != np.bool_:
            floating = np.issubdtype(space.dtype, np.floating)
            span = np.finfo(space.dtype) if floating else np.iinfo(space.dtype)
            low, high = np.maximum(space.low, span.min), np.minimum(space.high, span.max)
            if name in LEAVE_THEIR_BOX:
                low, high = np.full_like(low, span.min), np.full_like(high, span.max)
            if floating or (low > span.min).any() or (high < span.max).any():
                self._bounds = low, high
        elif isinstance(space, gym.spaces.Discrete):
            self._bounds = int(space.start), int(space.start + space.n - 1)
        elif isinstance(space, gym.spaces.MultiDiscrete):
            self._bounds = space.start, space.start + space.nvec - 1

    def __call__(self, observation: Array, reward: Array, step: int) -> None:
        """Check what a step returned: rewards `[N]` and observations `[N, *]`.

        Raises:
            InvalidExperience: naming environment, step and value.
        """
        if not math.isfinite(np.add.reduce(reward)):
            self._fail("the reward", reward[~np.isfinite(reward)][0], "a finite number", step)
        self.observation(observation, step)

    def observation(self, observation: Array, step: int) -> None:
        """Check observations `[N, *]` alone."""
        if self._bounds is None:
            return
        if observation.shape[1:] != self._shape:
            self._fail("an observation of shape", observation.shape[1:], str(self._shape), step)
        low, high = self._bounds
        inside = (observation >= low) & (observation <= high)  # False for NaN, too
        if not inside.all():
            row, *place = np.argwhere(~inside)[0].tolist()
            what = f"observation{place}" if place else "the observation"
            self._fail(what, observation[row, *place], f"a member of {self._space}", step)

    def _fail(self, what: str, value: object, expected: str, step: int) -> None:
        message = f"{self._name} returned {what} {value} at step {step}: expected {expected}"
        raise InvalidExperience(message)
