"""Tabular agents: how they explore, predict, come back from files, and refuse."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from small_worlds import Table
from stable_baselines3.common.evaluation import evaluate_policy
from tabular_kinds import KINDS, allowed, chosen, make, short_run

from agents.loop.run import RunFolder
from agents.loop.trainer import Trainer
from agents.tabular.agent import Tabular
from agents.tabular.choosing import exploration
from agents.tabular.temporal_difference import DoubleQLearning, QLearning, Sarsa
from nets.gradients.annealing import linear
from nets.runs.checkpoint import CheckpointError

# Exploration -------------------------------------------------------------------------------------


def test_A_CORE_04_choices_are_epsilon_greedy_and_ties_are_shared() -> None:
    agent = make(QLearning, "FrozenLake-v1", epsilon_start=0.4, epsilon_end=0.4)
    agent.arrays.q[8:12] = [0.0, 2.0, 1.0, 2.0]
    agent.arrays.q[12:16] = [0.0, 0.0, 0.0, 5.0]
    bound = 4 * np.sqrt(0.25 / 8_000)
    assert np.abs(chosen(agent, 0, 8_000) - 0.25).max() < bound
    assert np.abs(chosen(agent, 2, 8_000) - [0.1, 0.4, 0.1, 0.4]).max() < bound
    assert np.abs(chosen(agent, 3, 8_000) - [0.1, 0.1, 0.1, 0.7]).max() < bound


def test_A_CORE_04_double_q_learning_acts_on_the_sum_of_its_tables() -> None:
    agent = make(DoubleQLearning, "FrozenLake-v1", epsilon_start=0.0, epsilon_end=0.0)
    agent.arrays.q[:4], agent.arrays.q[64:68] = [3.0, 0.0, 2.0, 0.0], [0.0, 3.5, 2.0, 0.0]
    assert chosen(agent, 0, 50).tolist() == [0.0, 0.0, 1.0, 0.0]
    assert agent.q[0].tolist() == [1.5, 1.75, 2.0, 0.0]


def test_A_CORE_04_linear_exploration_is_the_shared_schedule() -> None:
    settings = {"epsilon_start": 0.8, "epsilon_end": 0.2, "exploration_steps": 1000}
    agent = make(Sarsa, "FrozenLake-v1", **settings)
    for step in (0, 1, 500, 999, 1000, 5000):
        agent.arrays.counters[0] = step
        found = exploration(agent.rule, agent.arrays, 0)
        assert found == linear(step, 0.8, 0.2, 1000)


@pytest.mark.parametrize("kind", KINDS)
def test_A_CORE_04_glie_exploration_is_one_over_the_visits(kind: type[Tabular]) -> None:
    agent = make(kind, "FrozenLake-v1", epsilon_start=0.5, epsilon_schedule="glie")
    visits = agent.arrays.visits.reshape(agent.tables, 16, 4)
    assert exploration(agent.rule, agent.arrays, 2) == 0.5
    visits[:, 2] = [[1, 2, 3, 0]] * agent.tables
    n = 6 * agent.tables + 1
    assert exploration(agent.rule, agent.arrays, 2) == 0.5 / n
    assert exploration(agent.rule, agent.arrays, 3) == 0.5


# People's side -----------------------------------------------------------------------------------


def test_A_TD_01_the_table_has_a_row_per_state_and_a_column_per_action() -> None:
    agent = make(QLearning, "Taxi-v4", initial_value=2.5)
    assert agent.q.shape == (500, 6)
    assert agent.q.dtype == np.float64
    assert (agent.q == 2.5).all()
    assert agent.policy.tolist() == [0] * 500


def test_prediction_is_greedy_or_explores_and_keeps_the_shape() -> None:
    agent = make(QLearning, "FrozenLake-v1", epsilon_start=0.4, epsilon_end=0.4)
    agent.arrays.q[:8] = [0, 1, 1, 0, 0, 0, 0, 9]
    before = agent.arrays.counters.tolist()
    assert agent.predict(0, deterministic=True) == (1, None)  # of equal ones the first
    assert agent.predict(np.array([0, 1]), deterministic=True)[0].tolist() == [1, 3]
    tried = agent.predict(np.ones(8_000, np.int64))[0]
    assert abs(np.mean(tried == 3) - 0.7) < 4 * np.sqrt(0.21 / 8_000)
    assert agent.arrays.counters.tolist() == before  # training goes on as if nobody had asked


@pytest.mark.parametrize("kind", KINDS)
def test_saved_agents_come_back(kind: type[Tabular], tmp_path) -> None:
    agent = make(kind, "FrozenLake-v1", discount=0.9)
    agent.learn(2_000, progress=False)
    agent.save(tmp_path / "agent.pt")
    loaded = kind.load(tmp_path / "agent.pt")
    assert loaded.config == agent.config
    assert loaded.arrays.q.tolist() == agent.arrays.q.tolist()
    assert loaded.arrays.visits.tolist() == agent.arrays.visits.tolist()
    assert loaded.steps == 2_000
    twin = kind.load(tmp_path / "agent.pt")
    for other in (twin, loaded):
        other.learn(500, progress=False)
    assert loaded.arrays.q.tolist() == twin.arrays.q.tolist() != agent.arrays.q.tolist()
    with pytest.raises(CheckpointError, match=r"CliffWalking-v1 needs \(., 48, 4\)"):
        kind.load(tmp_path / "agent.pt", env="CliffWalking-v1")


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_run_ends_in_the_same_table(kind: type[Tabular], fused: bool, tmp_path) -> None:
    settings = {"fused": fused, "epsilon_schedule": "glie", "learning_rate_decay": 0.5}
    settings |= allowed(kind, {"trace_decay": 0.5})
    config = short_run(1_200, 300)
    whole = make(kind, "FrozenLake-v1", **settings)
    Trainer(whole, config=config, progress=False).run(1_200)

    folder = RunFolder(tmp_path / "run")
    folder.create(whole, config, [])
    killed = make(kind, "FrozenLake-v1", **settings)
    killed.stream = interrupting(killed)
    with pytest.raises(KeyboardInterrupt):
        Trainer(killed, folder, config, progress=False).run(1_200)
    resumed = make(kind, "FrozenLake-v1", **settings)
    Trainer(resumed, folder, config, progress=False).run(1_200)
    assert resumed.arrays.q.tolist() == whole.arrays.q.tolist()
    assert resumed.arrays.visits.tolist() == whole.arrays.visits.tolist()


def interrupting(agent: Tabular):
    """The agent's own streams, of which the third is broken off by Ctrl-C half way."""
    original, made = agent.stream, []

    def stream(seed: int):
        inner = original(seed)
        made.append(inner)
        if len(made) == 3:
            advance = inner.advance

            def advance_and_stop(steps: int, *, last: bool = False) -> None:
                advance(steps)
                raise KeyboardInterrupt

            inner.advance = advance_and_stop
        return inner

    return stream


def test_several_environments_and_tuple_observations_are_learned_from() -> None:
    vector = make(Sarsa, gym.make_vec("FrozenLake-v1", 3))
    vector.learn(600, progress=False)
    assert vector.arrays.visits.sum() == pytest.approx(600, abs=3)
    cards = QLearning("Blackjack-v1")
    cards.learn(3_000, progress=False)
    assert cards.q.shape == (32 * 11 * 2, 2)
    assert cards.arrays.visits.sum() == 3_000
    assert cards.predict((20, 10, 0), deterministic=True)[0] in (0, 1)
    np.testing.assert_array_equal(cards.q[:88].any(), False)  # nobody holds fewer than 4 points


@pytest.mark.parametrize("kind", KINDS)
def test_rows_that_only_reset_are_not_learned_from(kind: type[Tabular]) -> None:
    """Such a row shows a hole or the goal of FrozenLake, where nothing is ever done."""
    world = SyncVectorEnv(
        [lambda: gym.make("FrozenLake-v1")] * 3, autoreset_mode=AutoresetMode.NEXT_STEP
    )
    with pytest.warns(UserWarning, match="cannot be made anew"):
        agent = make(kind, world)
    shown, done, observe = [], [], agent.observe

    def spy(transition):
        valid = np.ones(3, bool) if transition.valid is None else transition.valid
        shown.extend(transition.observation[~valid].tolist())
        done.extend(transition.observation[valid].tolist())
        return observe(transition)

    agent.observe = spy
    agent.learn(600, progress=False)
    visits = agent.arrays.visits.reshape(agent.tables, 16, 4).sum((0, 2))  # [S]
    assert set(shown) <= {5, 7, 11, 12, 15}
    assert len(shown) > 20
    assert visits.tolist() == np.bincount(done, minlength=16).tolist()
    assert agent.arrays.counters[0] == len(done)  # what exploration goes by


@pytest.mark.parametrize("kind", KINDS)
def test_actions_begin_where_their_space_begins(kind: type[Tabular]) -> None:
    config = kind.config_type(epsilon_start=0.0, epsilon_end=0.0)
    agent = kind("Table-v0", config, num_envs=4)
    tables = agent.arrays.q.reshape(agent.tables, 5, 2)
    tables[:, :4] = [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    states = np.arange(7, 11)
    assert agent.act(states, np.ones(4, bool))[0].tolist() == [4, 3, 4, 3]
    for deterministic in (True, False):
        assert agent.predict(states, deterministic=deterministic)[0].tolist() == [4, 3, 4, 3]


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("kind", [QLearning, DoubleQLearning])
def test_states_and_actions_that_begin_elsewhere_are_learned(
    kind: type[Tabular], copies: int
) -> None:
    """A world without chance is learned exactly by a learning rate of 1."""
    shares = {"epsilon_start": 1.0, "epsilon_end": 1.0}
    config = kind.config_type(discount=Table.DISCOUNT, learning_rate=1.0, **shares)
    agent = kind("Table-v0", config, num_envs=copies)
    agent.learn(3_000, progress=False)
    np.testing.assert_allclose(agent.q[:4], Table.optimum(), atol=1e-9)


def test_stable_baselines3_evaluates_ours() -> None:
    agent = QLearning("CliffWalking-v1")
    agent.learn(30_000, progress=False)
    assert evaluate_policy(agent, gym.make("CliffWalking-v1"), 3, warn=False) == (-13.0, 0.0)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (Sarsa, {"discount": 1.5}, "discount is 1.5"),
        (Sarsa, {"learning_rate": 0.0}, "learning_rate is 0.0"),
        (QLearning, {"learning_rate_decay": -1}, "learning_rate_decay is -1"),
        (QLearning, {"trace_decay": 2}, "trace_decay is 2"),
        (QLearning, {"epsilon_start": float("nan")}, "epsilon_start is nan"),
        (QLearning, {"exploration_steps": 0}, "exploration_steps is 0"),
        (QLearning, {"epsilon_schedule": "linaer"}, "'linaer': expected one of 'linear', 'glie'"),
    ],
)
def test_settings_that_cannot_work_are_refused(kind, settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kind.config_type(**settings)


def test_worlds_and_settings_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="q-learning on CartPole-v1: the observation space is Box"):
        QLearning("CartPole-v1")
    with pytest.raises(ValueError, match=r"trace_decay is 0.9 with 2 environments"):
        QLearning("FrozenLake-v1", QLearning.config_type(trace_decay=0.9), num_envs=2)
    assert not hasattr(DoubleQLearning.config_type(), "trace_decay")
