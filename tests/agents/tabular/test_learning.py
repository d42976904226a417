"""What tabular agents learn, against exact dynamic programming on the same worlds."""

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401  registers the worlds
from agents.loop.experience import Episode
from agents.tabular.dynamic_programming import (
    horizon_values,
    policy_evaluation,
    q_from_v,
    value_iteration,
)
from agents.tabular.model import Model
from agents.tabular.model_env import model_env
from agents.tabular.temporal_difference import (
    DoubleQLearning,
    ExpectedSarsa,
    QLearning,
    Sarsa,
    Tabular,
)

pytestmark = pytest.mark.slow

CLIFFS = ["CliffWalking-v1", "dreamgym/Cliff-v0"]
DECAYING = {"learning_rate": 0.5, "learning_rate_decay": 0.6}


def train(kind: type[Tabular], env: object, steps: int, seed: int = 0, **kwargs: object) -> Tabular:
    agent = kind(env, kind.config_type(**kwargs), seed=seed)
    return agent.learn(steps, progress=False)


def greedy_return(agent: Tabular, horizon: int) -> float:
    assert agent.model is not None
    return float(horizon_values(agent.model, horizon, agent.policy) @ agent.model.initial)


def online(
    kind: type[Tabular], env_id: str, steps: int, seed: int
) -> tuple[Tabular, list[Episode]]:
    agent = kind(env_id, seed=seed)
    stream = agent.stream(seed)
    stream.advance(steps, last=True)
    return agent, stream.episodes


def windy_model() -> Model:
    """A small world whose values lie far apart."""
    rng = np.random.default_rng(8)
    shape = (6, 3, 2)
    return Model(
        probability=rng.dirichlet(np.ones(2), shape[:2]),
        next_state=rng.integers(6, size=shape),
        reward=rng.normal(size=shape) / 2,
        terminated=rng.random(shape) < 0.15,
        initial=np.full(6, 1 / 6),
    )


@pytest.mark.parametrize("trace_decay", [0.0, 0.7])
@pytest.mark.parametrize("kind", [Sarsa, ExpectedSarsa])
def test_A_TD_02_under_a_fixed_policy_SARSA_finds_its_values(
    kind: type[Tabular], trace_decay: float
) -> None:
    model = windy_model()
    random = {"epsilon_start": 1.0, "epsilon_end": 1.0, "discount": 0.9}
    env = model_env(model, 20)
    agent = train(kind, env, 2_000_000, **random, **DECAYING, trace_decay=trace_decay)
    exact = q_from_v(model, policy_evaluation(model, np.full((6, 3), 1 / 3), 0.9), 0.9)
    assert np.ptp(exact) > 1
    assert np.abs(agent.q - exact).max() < 0.05
    assert np.abs(agent.q - value_iteration(model, 0.9).q).max() > 1  # and not the best one's


@pytest.mark.parametrize(
    ("kind", "traces"),
    [(QLearning, {}), (QLearning, {"trace_decay": 0.7}), (DoubleQLearning, {})],
)
def test_A_TD_03_q_learning_finds_the_best_values_whatever_it_does(
    kind: type[Tabular], traces: dict
) -> None:
    model = windy_model()
    mostly = {"epsilon_start": 0.9, "epsilon_end": 0.9, "discount": 0.9}
    agent = train(kind, model_env(model, 20), 2_000_000, **mostly, **DECAYING, **traces)
    exact = value_iteration(model, 0.9).q
    assert np.abs(agent.q - exact).max() < 0.02 * np.ptp(exact)


@pytest.mark.parametrize("env_id", ["FrozenLake-v1", "dreamgym/Lake-v0"])
def test_A_TD_03_q_learning_solves_the_lake(env_id: str) -> None:
    shares = {"epsilon_start": 1.0, "epsilon_end": 0.3, "exploration_steps": 5_000_000}
    agent = train(QLearning, env_id, 5_000_000, **shares, **DECAYING)
    model = agent.model
    assert np.abs(agent.q - value_iteration(model, 0.99).q).max() < 0.05
    best = float(horizon_values(model, 100) @ model.initial)
    assert best == pytest.approx(0.744190, abs=1e-6)
    assert greedy_return(agent, 100) > 0.99 * best


@pytest.mark.parametrize("env_id", CLIFFS)
def test_A_TD_02_SARSA_walks_safely_and_q_learning_along_the_edge(env_id: str) -> None:
    sarsa, safe = online(Sarsa, env_id, 300_000, seed=1)
    q_learning, edge = online(QLearning, env_id, 300_000, seed=1)
    returns = [np.mean([e.total_reward for e in episodes]) for episodes in (safe, edge)]
    assert returns[0] > returns[1] + 15
    assert greedy_return(q_learning, 500) == -13
    assert -19 <= greedy_return(sarsa, 500) <= -15


@pytest.mark.parametrize("env_id", CLIFFS)
def test_A_TD_02_SARSA_finds_the_shortest_way_once_exploration_fades(env_id: str) -> None:
    glie = {"learning_rate": 0.3, "learning_rate_decay": 0.6, "epsilon_schedule": "glie"}
    agent = train(Sarsa, env_id, 300_000, **glie)
    assert greedy_return(agent, 500) == -13


def test_A_TD_03_q_learning_solves_the_taxi() -> None:
    shares = {"epsilon_start": 0.5, "epsilon_end": 0.5}
    agent = train(QLearning, "Taxi-v4", 3_000_000, learning_rate=0.3, **shares)
    assert greedy_return(agent, 200) == pytest.approx(7.93)


def test_A_TD_03_the_common_loop_learns_the_cliff_too() -> None:
    agent = train(QLearning, "CliffWalking-v1", 30_000, fused=False)
    model = Model.from_env(gym.make("CliffWalking-v1"))
    assert float(horizon_values(model, 500, agent.policy) @ model.initial) == -13
