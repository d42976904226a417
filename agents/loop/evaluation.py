"""How good an agent is: whole episodes on fresh environments, with their uncertainty."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from operator import itemgetter
from typing import Any, NoReturn

import numpy as np

from nets.arguments import named
from nets.glance import rows_in_a_table
from nets.keywords import without
from nets.kinds import Copies, Count, Seed
from nets.near import shortened
from nets.process.device import cpu_settings
from nets.process.seeding import seeded
from nets.settings import required
from nets.warned import warn

from ..environments.limits import step_limit
from ..environments.source import EnvSource, World
from ..environments.spaces import holds_floats, is_like
from ..environments.stepping import Step
from .actor import Actor
from .divergence import answerable, require_finite, require_finite_action
from .experience import Array


@without(
    {
        "mean": "it is mean_return",
        "mean_reward": "it is mean_return",
        "rewards": "it is returns",
        "episode_rewards": "it is returns",
        "std": "it is std_return",
        "std_reward": "it is std_return",
    }
)
@dataclass(frozen=True)
class Evaluation:
    """Returns of evaluation episodes, undiscounted unless the name says otherwise."""

    mean_return: float
    std_return: float
    discounted_return: float
    mean_length: float
    episodes: int
    returns: list[float]
    cut: int = 0
    """Episodes that were cut off, and count as truncated, since nothing ended them in time."""
    raw_returns: list[float] | None = None
    """By the environment's own rewards; None where no wrapper changes these."""

    @property
    def mean_raw_return(self) -> float | None:
        """The mean return by the environment's own rewards."""
        return None if self.raw_returns is None else float(np.mean(self.raw_returns))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Student interval of the mean return, within the returns that were seen.

        So it stays in the possible: a share of successes between 0 and 1.
        """
        from scipy.special import stdtrit  # scipy.stats would take a second to import

        if self.episodes < 2:
            return -np.inf, np.inf
        error = np.std(self.returns, ddof=1) / np.sqrt(self.episodes)
        margin = float(stdtrit(self.episodes - 1, 0.975) * error)
        low, high = self.mean_return - margin, self.mean_return + margin
        return max(low, min(self.returns)), min(high, max(self.returns))

    def __iter__(self) -> NoReturn:
        """Refuse to be taken for the two numbers that stable-baselines3's returns."""
        raise TypeError("an Evaluation is no pair of numbers: it has mean_return and std_return")

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        low, high = self.interval
        facts = {"mean return": self.mean_return, "95 % interval": f"{low:.4g} to {high:.4g}"}
        facts |= {"standard deviation": self.std_return, "length": self.mean_length}
        facts |= {"episodes": self.episodes}
        return rows_in_a_table(self, [list(facts), list(facts.values())])

    def to_json(self) -> dict[str, Any]:
        """The evaluation as plain values."""
        return asdict(self)


def require_spaces(agent: Actor, where: EnvSource) -> None:
    """Refuse to play where observations or actions are others than an agent's.

    Raises:
        ValueError: they are.
    """
    for what in ("observation_space", "action_space"):
        known, there = getattr(agent, what), getattr(where, what)
        if not is_like(known, there):
            raise ValueError(f"{where.name} has the {what} {there}: {agent.name} expects {known}")


@named
def evaluate(
    agent: Actor,
    env: World | None = None,
    *,
    episodes: int = 20,
    seed: int = 0,
    deterministic: bool = True,
    num_envs: int = 10,
    max_steps: int | None = None,
) -> Evaluation:
    """Play `episodes` whole episodes and summarise their returns.

    Episodes are dealt to the environments in advance (environment k plays every `num_envs`-th), so
    short episodes are not counted more often than long ones. Nothing of the agent changes, and no
    random state outside.

    Args:
        agent: who plays.
        env: where; by default in its own environment, or, of one that cannot be made anew, a copy.
        episodes: how many.
        seed: of the environments, and of what is random in the agent.
        deterministic: whether it plays greedily.
        num_envs: environments side by side.
        max_steps: steps after which an episode is cut off; by default 1000, or the environment's
            own time limit where that is longer. An environment whose episode was cut off waits
            until all have played theirs, and then begins anew with the others.

    Raises:
        ValueError: a number makes no sense, such as 0 episodes, there is no environment to play in
            but the one in which it trains, or `env` has other spaces than the agent.
        InvalidExperience: the environment returned what no agent can be measured by.
        Diverged: an action, or what the agent has learned, is not finite.
    """
    episodes, seed = required("episodes", episodes, Count), required("seed", seed, Seed)
    num_envs = required("num_envs", num_envs, Copies)
    if not isinstance(agent, Actor):
        raise TypeError(f"agent is {shortened(agent)}: expected an agent, as agents.load returns")
    require_finite(agent)
    where = agent.source.apart() if env is None else EnvSource.of(env)
    require_spaces(agent, where)
    floats, limit = holds_floats(where.action_space), step_limit(where.known_spec, max_steps)
    discount = getattr(agent.config, "discount", 1.0)
    with (
        cpu_settings(agent.threads),
        seeded(seed),
        _generator(agent, seed),
        closing(where.stepper(min(episodes, num_envs), masks=agent.masks)) as stepper,
        answerable(agent),
    ):
        count = stepper.num_envs
        due = np.array([(episodes - k + count - 1) // count for k in range(count)])
        score, cut = _Score(count, discount), 0
        observation, state, start = stepper.reset(seed), None, np.ones(count, bool)
        waits = np.zeros(count, bool)  # cut off in an episode that goes on
        while (due > 0).any():
            action, state = agent.predict(observation, state, start, deterministic, stepper.mask)
            if floats:
                require_finite_action(agent, action)
            step = stepper.step(action)
            score.add(step)
            over = step.terminated | step.truncated
            late = (score.length >= limit) & ~(over | waits)
            ended = (over & ~waits) | late
            score.finish(ended & (due > 0))
            cut += int(np.count_nonzero(late & (due > 0)))
            due -= ended
            score.clear(over)
            waits = (waits | late) & ~over
            observation, start = step.observation, over | ~step.valid
            if cut and (due > 0).any() and (waits | (due <= 0)).all():
                seed += count
                observation, state, start = stepper.reset(seed), None, np.ones(count, bool)
                score.clear(start)
                waits = np.zeros(count, bool)
    if cut and max_steps is None:
        message = f"episodes on {where.name} that nothing ends are cut off after {limit:,} steps"
        warn(f"{message}; max_steps sets another limit")
    played = sorted(score.played, key=itemgetter(0))
    _, returns, discounted, lengths, raw = zip(*played, strict=True)
    return Evaluation(
        mean_return=float(np.mean(returns)),
        std_return=float(np.std(returns)),
        discounted_return=float(np.mean(discounted)),
        mean_length=float(np.mean(lengths)),
        episodes=episodes,
        returns=list(returns),
        cut=cut,
        raw_returns=list(raw) if np.isfinite(raw).all() else None,
    )


class _Score:
    """What environments side by side have played: of episodes under way, and of those counted."""

    def __init__(self, count: int, discount: float) -> None:
        self.discount, self.factor = discount, np.ones(count)
        self.total, self.weighted = np.zeros(count), np.zeros(count)
        self.length = np.zeros(count, np.int64)
        self.raw = np.full(count, np.nan)
        # place, return, discounted, length, raw return
        self.played: list[tuple[int, float, float, int, float]] = []

    def add(self, step: Step) -> None:
        """Count a step."""
        self.total += step.reward * step.valid
        self.weighted += self.factor * step.reward * step.valid
        self.factor = np.where(step.valid, self.factor * self.discount, self.factor)
        self.length += step.valid
        if step.raw_return is not None:
            self.raw = step.raw_return

    def finish(self, rows: Array) -> None:
        """Write down the episodes of some environments, bool `[N]`."""
        for k in rows.nonzero()[0]:
            figures = float(self.total[k]), float(self.weighted[k]), int(self.length[k])
            self.played.append((int(k), *figures, float(self.raw[k])))

    def clear(self, rows: Array) -> None:
        """Begin to count anew in some environments, bool `[N]`."""
        self.total[rows], self.weighted[rows] = 0.0, 0.0
        self.factor[rows], self.length[rows] = 1.0, 0


@contextmanager
def _generator(agent: Actor, seed: int) -> Iterator[None]:
    """Lend `agent` a generator to predict by, so that one seed is one evaluation."""
    agent.chance, before = np.random.default_rng(seed), agent.chance
    try:
        yield
    finally:
        agent.chance = before
