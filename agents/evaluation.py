"""How good an agent is: whole episodes on fresh environments, with their uncertainty."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nets.training.seeding import seeded

from .agent import Agent
from .environment import EnvSource


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
    agent: Agent,
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
        ValueError: `episodes` is below 1, or the environment cannot be made anew.
    """
    if episodes < 1:
        raise ValueError(f"episodes is {episodes}: expected at least 1")
    count = min(episodes, num_envs)
    discount = getattr(agent.config, "discount", 1.0)
    stepper = (source or agent.source).stepper(count)
    count = stepper.num_envs
    due = np.array([(episodes - k + count - 1) // count for k in range(count)])
    returns: list[list[float]] = [[] for _ in range(count)]
    discounted: list[float] = []
    lengths: list[int] = []
    total, weighted, factor = np.zeros(count), np.zeros(count), np.ones(count)
    length = np.zeros(count, np.int64)
    start, state = np.ones(count, bool), None
    with seeded(seed):
        observation = stepper.reset(seed)
        while due.any():
            action, state = agent.predict(observation, state, start, deterministic)
            step = stepper.step(action)
            real = np.ones(count, bool) if step.valid is None else step.valid
            total += step.reward * real
            weighted += factor * step.reward * real
            factor = np.where(real, factor * discount, factor)
            length += real
            over = step.terminated | step.truncated
            for k in over.nonzero()[0]:
                if due[k]:
                    due[k] -= 1
                    returns[k].append(float(total[k]))
                    discounted.append(float(weighted[k]))
                    lengths.append(int(length[k]))
            total[over], weighted[over], factor[over], length[over] = 0.0, 0.0, 1.0, 0
            observation = step.observation
            start = over | ~real
    stepper.close()
    flat = [value for row in returns for value in row]
    return Evaluation(
        mean_return=float(np.mean(flat)),
        std_return=float(np.std(flat)),
        discounted_return=float(np.mean(discounted)),
        mean_length=float(np.mean(lengths)),
        episodes=len(flat),
        returns=flat,
    )
