"""What the tests of tabular agents share: the four kinds, and a world of random numbers."""

import numpy as np

from agents.loop.run import RunConfig
from agents.tabular.agent import Tabular
from agents.tabular.model import Model
from agents.tabular.temporal_difference import (
    DoubleQLearning,
    ExpectedSarsa,
    QLearning,
    Sarsa,
)

KINDS = [Sarsa, ExpectedSarsa, QLearning, DoubleQLearning]
TRACED = [Sarsa, ExpectedSarsa, QLearning]


def random_model(seed: int = 0, states: int = 12, actions: int = 3, outcomes: int = 4) -> Model:
    """A world with several outcomes, some of them impossible, and several starts."""
    rng = np.random.default_rng(seed)
    shape = (states, actions, outcomes)
    probability = rng.dirichlet(np.ones(outcomes), shape[:2]) * (rng.random(shape) < 0.7)
    probability[..., 1] += 1e-3
    initial = np.where(np.arange(states) % 3 == 0, 1.0, 0.0)
    return Model(
        probability=probability / probability.sum(-1, keepdims=True),
        next_state=rng.integers(states, size=shape),
        reward=rng.integers(-2, 3, size=shape) + 0.1,
        terminated=rng.random(shape) < 0.2,
        initial=initial / initial.sum(),
    )


def make(kind: type[Tabular], env: object, seed: int = 0, **kwargs: object) -> Tabular:
    return kind(env, kind.config_type(**kwargs), seed=seed)


def allowed(kind: type[Tabular], settings: dict) -> dict:
    return {k: v for k, v in settings.items() if kind in TRACED or k != "trace_decay"}


def short_run(steps: int, segment: int) -> RunConfig:
    return RunConfig(steps=steps, segment_steps=segment, log_every=100, eval_every=0)


def chosen(agent: Tabular, state: int, times: int) -> np.ndarray:
    observation, start = np.array([state]), np.array([True])
    actions = [int(agent.act(observation, start)[0][0]) for _ in range(times)]
    return np.bincount(actions, minlength=agent.actions.size) / times
