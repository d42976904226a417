"""How good an agent is: whole episodes on fresh environments, with their uncertainty."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from operator import itemgetter
from typing import Any

import numpy as np

from nets.process.device import cpu_settings
from nets.process.seeding import seeded

from ..environments.source import EnvSource
from ..environments.spaces import holds_floats
from .actor import Actor
from .divergence import answerable, require_finite, require_finite_action


@dataclass(frozen=True)
class Evaluation:
    """Returns of evaluation episodes, undiscounted unless the name says otherwise."""

    mean_return: float
    std_return: float
    discounted_return: float
    mean_length: float
    episodes: int
    returns: list[float]

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Student interval of the mean return."""
        from scipy.stats import t

        if self.episodes < 2:
            return -np.inf, np.inf
        error = np.std(self.returns, ddof=1) / np.sqrt(self.episodes)
        margin = float(t.ppf(0.975, self.episodes - 1) * error)
        return self.mean_return - margin, self.mean_return + margin

    def to_json(self) -> dict[str, Any]:
        """The evaluation as plain values."""
        return asdict(self)


def evaluate(
    agent: Actor,
    source: EnvSource | None = None,
    *,
    episodes: int = 20,
    seed: int = 0,
    deterministic: bool = True,
    num_envs: int = 10,
) -> Evaluation:
    """Play `episodes` whole episodes and summarise their returns.

    Episodes are dealt to the environments in advance (environment k plays every `num_envs`-th), so
    short episodes are not counted more often than long ones. Nothing of the agent changes, and no
    random state outside.

    Raises:
        ValueError: `episodes` is below 1.
        InvalidExperience: the environment returned what no agent can be measured by.
        Diverged: an action, or what the agent has learned, is not finite.
    """
    if episodes < 1:
        raise ValueError(f"episodes is {episodes}: expected at least 1")
    require_finite(agent)
    where = source or agent.source
    floats, discount = holds_floats(where.action_space), getattr(agent.config, "discount", 1.0)
    played: list[tuple[int, float, float, int]] = []  # environment, return, discounted, length
    with (
        cpu_settings(agent.threads),
        seeded(seed),
        _generator(agent, seed),
        closing(where.stepper(min(episodes, num_envs))) as stepper,
        answerable(agent),
    ):
        count = stepper.num_envs
        due = np.array([(episodes - k + count - 1) // count for k in range(count)])
        total, weighted, factor = np.zeros(count), np.zeros(count), np.ones(count)
        length = np.zeros(count, np.int64)
        start, state = np.ones(count, bool), None
        observation = stepper.reset(seed)
        while (due > 0).any():
            action, state = agent.predict(observation, state, start, deterministic)
            if floats:
                require_finite_action(agent, action)
            step = stepper.step(action)
            total += step.reward * step.valid
            weighted += factor * step.reward * step.valid
            factor = np.where(step.valid, factor * discount, factor)
            length += step.valid
            over = step.terminated | step.truncated
            for k in (over & (due > 0)).nonzero()[0]:
                played.append((int(k), float(total[k]), float(weighted[k]), int(length[k])))
            due -= over
            total[over], weighted[over], factor[over], length[over] = 0.0, 0.0, 1.0, 0
            observation = step.observation
            start = over | ~step.valid
    _, returns, discounted, lengths = zip(*sorted(played, key=itemgetter(0)), strict=True)
    return Evaluation(
        mean_return=float(np.mean(returns)),
        std_return=float(np.std(returns)),
        discounted_return=float(np.mean(discounted)),
        mean_length=float(np.mean(lengths)),
        episodes=episodes,
        returns=list(returns),
    )


@contextmanager
def _generator(agent: Actor, seed: int) -> Iterator[None]:
    """Lend `agent` a generator of its own, so that playing does not disturb its training."""
    agent.rng, before = np.random.default_rng(seed), agent.rng
    try:
        yield
    finally:
        agent.rng = before
