"""Tabular agents: every update against a plain reference, the fused loop against the common one."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3.common.evaluation import evaluate_policy

from agents import counter, schedules, tabular_fused, tabular_kernel, targets
from agents.agent import Transition
from agents.environment import SingleStepper
from agents.interaction import Interaction
from agents.model import Model, model_env
from agents.run import RunConfig, RunFolder
from agents.tabular import DoubleQLearning, ExpectedSarsa, QLearning, Sarsa, Tabular
from agents.tabular_fused import FusedStream, exact_model
from agents.trainer import Trainer
from nets.training.checkpoint import CheckpointError

KINDS = [Sarsa, ExpectedSarsa, QLearning, DoubleQLearning]
TRACED = [Sarsa, ExpectedSarsa, QLearning]
SETTINGS = [
    {},
    {"learning_rate": 0.7, "learning_rate_decay": 0.6, "epsilon_schedule": "glie"},
    {"trace_decay": 0.9, "epsilon_start": 0.9, "exploration_steps": 700, "initial_value": 1.0},
    {"trace_decay": 1.0, "discount": 1.0, "learning_rate_decay": 1.0, "epsilon_end": 0.5},
]


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


def outcome(agent: Tabular, stream: object) -> tuple:
    arrays = agent.arrays
    return arrays.q.tolist(), arrays.visits.tolist(), arrays.counters.tolist(), stream.episodes


# The fused loop is the common loop ---------------------------------------------------------------


@pytest.mark.parametrize("compiled", [False, True], ids=["plain", "numba"])
@pytest.mark.parametrize("limit", [None, 7], ids=["endless", "limited"])
@pytest.mark.parametrize("settings", SETTINGS, ids=["constant", "glie", "traces", "returns"])
@pytest.mark.parametrize("kind", KINDS)
def test_fused_loop_is_the_common_loop_bit_for_bit(
    kind: type[Tabular], settings: dict, limit: int | None, compiled: bool
) -> None:
    if compiled:
        pytest.importorskip("numba")
    model, settings = random_model(), allowed(kind, settings)
    env = model_env(model, limit)
    common, fused = make(kind, env, **settings), make(kind, env, **settings)
    streams = (
        Interaction(common, SingleStepper(env), seed=5),
        FusedStream(fused, model, limit, 5, compiled),
    )
    for stream in streams:
        for steps in (1, 400, 599):
            stream.advance(steps)
        stream.advance(500, last=True)
    assert outcome(common, streams[0]) == outcome(fused, streams[1])
    assert common.steps == fused.steps == 1500
    assert len(streams[1].episodes) > 10
    assert np.abs(common.q).max() > 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_learning_is_the_same_with_either_loop_across_segments(
    kind: type[Tabular], monkeypatch: pytest.MonkeyPatch
) -> None:
    env = model_env(random_model(1), 9)
    agents = [make(kind, env, seed=3, fused=fused) for fused in (True, False)]
    for agent in agents:
        Trainer(agent, config=short_run(1_000, 150), progress=False).run(1_000)
    assert isinstance(agents[0].stream(0), FusedStream)
    assert isinstance(agents[1].stream(0), Interaction)
    assert agents[0].segment == agents[1].segment == 7
    assert np.array_equal(agents[0].arrays.q, agents[1].arrays.q)
    monkeypatch.setattr(tabular_fused, "compiled_run", lambda: None)  # as if without numba
    plain = make(kind, env, seed=3)
    Trainer(plain, config=short_run(1_000, 150), progress=False).run(1_000)
    assert np.array_equal(agents[0].arrays.q, plain.arrays.q)


def short_run(steps: int, segment: int) -> RunConfig:
    return RunConfig(steps=steps, segment_steps=segment, log_every=100, eval_every=0)


@pytest.mark.parametrize("kind", KINDS)
def test_work_cut_into_chunks_is_the_same_work(kind: type[Tabular], monkeypatch) -> None:
    model = random_model(2)
    env = model_env(model, 5)
    settings = allowed(kind, {"trace_decay": 0.8})
    whole, cut = make(kind, env, **settings), make(kind, env, **settings)
    streams = [FusedStream(whole, model, 5, 5)]
    monkeypatch.setattr(tabular_fused, "EPISODES", 3)  # the buffer fills before the chunk ends
    monkeypatch.setattr(tabular_fused, "CHUNK", 37)
    streams.append(FusedStream(cut, model, 5, 5))
    for stream in streams:
        stream.advance(200, last=True)
    assert outcome(whole, streams[0]) == outcome(cut, streams[1])
    assert len(streams[1].episodes) >= 40


def test_episodes_report_their_step_return_and_length() -> None:
    table = {0: {0: [(1.0, 1, 2.0, False)]}, 1: {0: [(1.0, 0, 3.0, True)]}}
    model = Model.from_table(table, [1.0, 0.0])
    agent = make(QLearning, model_env(model))
    stream = agent.stream(0)
    stream.advance(3)
    stream.advance(2, last=True)
    assert [tuple(episode) for episode in stream.episodes] == [(2, 5.0, 2), (4, 5.0, 2)]


class Twice(gym.RewardWrapper):
    def reward(self, reward: float) -> float:
        return 2 * reward


def test_fused_loop_is_for_environments_that_play_their_own_table() -> None:
    plain = QLearning("FrozenLake-v1")
    assert isinstance(plain.stream(0), FusedStream)
    assert exact_model(plain.source) is not None
    assert exact_model(QLearning("Blackjack-v1").source) is None
    wrapped = gym.wrappers.TransformReward(gym.make("FrozenLake-v1"), lambda reward: 2 * reward)
    assert exact_model(QLearning(wrapped).source) is None
    assert isinstance(QLearning("FrozenLake-v1", num_envs=2).stream(0), Interaction)
    with pytest.warns(UserWarning, match="has no spec"):
        live = QLearning(Twice(gym.make("FrozenLake-v1").unwrapped.__class__()))
    assert isinstance(live.stream(0), Interaction)


def test_compilation_without_a_cache_folder_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    numba = pytest.importorskip("numba")
    asked = []

    def njit(*args: object, **kwargs: object) -> object:
        asked.append(kwargs)
        if kwargs.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda run: run if not args else args[0]

    monkeypatch.setattr(numba, "njit", njit)
    assert tabular_fused.compiled_run.__wrapped__() is not None
    assert asked == [{"cache": True}, {}]


# Every update is what the books say --------------------------------------------------------------


class Step(NamedTuple):
    state: int
    action: int
    reward: float
    next_state: int
    terminated: bool
    truncated: bool
    next_action: int  # taken, or drawn where the episode is truncated


def recorded(agent: Tabular, model: Model, limit: int, steps: int) -> Iterator[Step]:
    """Let `agent` learn step by step from a world, and tell what it met, one step late."""
    env = model_env(model, limit)
    observation, _ = env.reset(seed=1)
    start, waiting = True, None
    for _ in range(steps):
        action = int(agent.act(np.array([observation]), np.array([start]))[0][0])
        if waiting is not None:
            yield Step(*waiting, next_action=action)
        following, reward, terminated, truncated, _ = env.step(action)
        key, choice = agent.rule.key, int(agent.arrays.counters[1])
        q_before = agent.arrays.q.copy()
        agent.observe(
            Transition(
                *(np.array([x]) for x in (observation, action, reward, following)),
                np.array([terminated]),
                np.array([truncated]),
                None,
                {},
            )
        )
        waiting = (observation, action, reward, following, terminated, truncated)
        observation, start = following, terminated or truncated
        if start:
            drawn = -1
            if int(agent.arrays.counters[1]) > choice:
                drawn = epsilon_greedy_again(agent, q_before, following, key, choice)
            yield Step(*waiting, next_action=drawn)
            waiting, (observation, _) = None, env.reset()
    if waiting is not None:
        yield Step(*waiting, next_action=-2)


def epsilon_greedy_again(agent: Tabular, q: np.ndarray, state: int, key: int, choice: int) -> int:
    """The choice with this number, made again from the documented stream."""
    values = q.reshape(-1, agent.actions.size)[state]
    if counter.uniform(counter.draw(key, choice, 0)) < agent.config.epsilon_start:
        return counter.below(counter.draw(key, choice, 1), agent.actions.size)
    best = np.flatnonzero(values == values.max())
    return int(best[counter.below(counter.draw(key, choice, 2), len(best))])


def learn_by_the_book(agent: Tabular, steps: list[Step]) -> np.ndarray:
    """The textbook algorithms on two-dimensional tables with dense traces."""
    c, rule = agent.config, agent.rule
    shape = (agent.states.size, agent.actions.size)
    tables = [np.full(shape, c.initial_value) for _ in range(agent.tables)]
    visits = [np.zeros(shape, int) for _ in tables]
    trace = np.zeros(shape)
    epsilon, share = c.epsilon_start, c.epsilon_start / shape[1]
    for t, step in enumerate(steps):
        if isinstance(agent, Sarsa) and step.next_action == -2:
            break  # the last update still waits
        s, a, following = step.state, step.action, step.next_state
        discount = 0.0 if step.terminated else c.discount
        one = two = 0
        if isinstance(agent, DoubleQLearning):
            one = counter.below(counter.draw(rule.key, t, 3), 2)
            two = 1 - one
        q, other = tables[one], tables[two]
        if isinstance(agent, Sarsa):
            bootstrap = 0.0 if step.terminated else q[following, step.next_action]
        elif isinstance(agent, ExpectedSarsa):
            policy = np.full(shape[1], share)
            policy[q[following].argmax()] += 1 - epsilon
            bootstrap = policy @ q[following]
        else:
            bootstrap = other[following, q[following].argmax()]
        delta = step.reward + discount * bootstrap - q[s, a]
        visits[one][s, a] += 1
        rate = c.learning_rate / visits[one][s, a] ** c.learning_rate_decay
        trace *= c.discount * agent.trace_decay
        if isinstance(agent, QLearning) and q[s, a] < q[s].max():
            trace[:] = 0  # Watkins
        trace[s, a] = rate
        q += delta * trace
        if step.terminated or step.truncated:
            trace[:] = 0
    return np.array(tables)


@pytest.mark.parametrize(
    "settings",
    [
        {"initial_value": -1.0},
        {"learning_rate": 0.9, "learning_rate_decay": 0.7},
        {"trace_decay": 0.8},
        {"trace_decay": 1.0, "discount": 1.0, "learning_rate_decay": 0.9},
    ],
    ids=["constant", "decaying", "traces", "returns"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_A_TD_01_A_TD_02_A_TD_03_updates_are_the_textbooks(
    kind: type[Tabular], settings: dict
) -> None:
    shares = {"epsilon_start": 0.3, "epsilon_end": 0.3}
    model = random_model(4)
    agent = make(kind, model_env(model), **allowed(kind, settings), **shares)
    steps = list(recorded(agent, model, limit=6, steps=600))
    assert any(step.truncated for step in steps)
    assert any(step.terminated for step in steps)
    expected = learn_by_the_book(agent, steps)
    found = agent.arrays.q.reshape(expected.shape)
    assert np.abs(found - expected).max() < 1e-11
    assert agent.arrays.visits.sum() == len(steps) - (kind is Sarsa and steps[-1].next_action == -2)


def rows(*columns: list) -> Transition:
    arrays = [np.array(column) for column in columns]
    return Transition(*arrays, valid=None, extras={})


def test_A_TD_02_SARSA_waits_for_the_action_actually_taken() -> None:
    agent = make(Sarsa, "FrozenLake-v1", learning_rate=0.5, discount=0.9, epsilon_end=0.0)
    agent.arrays.q[:] = np.arange(64.0)  # in every state action 3 is the best: 4·s + 3
    agent.arrays.counters[0] = 10**6  # exploration is over
    no = [False]
    agent.observe(rows([2], [1], [1.0], [5], no, no))
    assert agent.q[2, 1] == 9.0  # not learned yet
    assert agent.act(np.array([5]), np.array([False]))[0].tolist() == [3]
    target = targets.sarsa_target(
        torch.tensor(1.0), torch.tensor(0.9), torch.arange(20.0, 24.0), torch.tensor(3)
    )
    assert agent.q[2, 1] == pytest.approx(9.0 + 0.5 * (target.item() - 9.0))


def test_A_TD_02_SARSA_learns_at_once_where_the_episode_ends() -> None:
    for terminated, target in ((True, 1.0), (False, 1.0 + 0.9 * 23.0)):
        agent = make(Sarsa, "FrozenLake-v1", learning_rate=0.5, discount=0.9, epsilon_end=0.0)
        agent.arrays.q[:] = np.arange(64.0)
        agent.arrays.counters[0] = 10**6
        agent.observe(rows([2], [1], [1.0], [5], [terminated], [not terminated]))
        learned = 9.0 + 0.5 * (target - 9.0)
        assert agent.q[2, 1] == pytest.approx(learned)
        agent.act(np.array([0]), np.array([True]))
        assert agent.q[2, 1] == pytest.approx(learned)  # the next episode changes nothing


def test_A_TD_02_SARSA_forgets_an_episode_that_was_dropped() -> None:
    agent = make(Sarsa, "FrozenLake-v1")
    agent.observe(rows([2], [1], [1.0], [5], [False], [False]))
    agent.act(np.array([0]), np.array([True]))
    assert not agent.q.any()


@pytest.mark.parametrize("terminated", [False, True])
def test_A_TD_03_targets_are_those_of_the_shared_functions(terminated: bool) -> None:
    q = np.random.default_rng(0).normal(size=(16, 4))
    discount = torch.tensor([0.9 * (1 - terminated)], dtype=torch.float64)
    reward, q_t = torch.tensor([1.5], dtype=torch.float64), torch.tensor(q[5:6])
    policy = torch.full((1, 4), 0.05, dtype=torch.float64)
    policy[0, q[5].argmax()] += 0.8
    expected = {
        QLearning: targets.q_learning_target(reward, discount, q_t),
        ExpectedSarsa: targets.expected_sarsa_target(reward, discount, q_t, policy),
    }
    shares = {"epsilon_start": 0.2, "epsilon_end": 0.2}
    for kind, target in expected.items():
        agent = make(kind, "FrozenLake-v1", learning_rate=1.0, discount=0.9, **shares)
        agent.arrays.q[:] = q.ravel()
        agent.observe(rows([2], [1], [1.5], [5], [terminated], [False]))
        assert agent.q[2, 1] == pytest.approx(target.item(), abs=1e-12)


def test_A_TD_03_double_q_learning_values_one_tables_choice_with_the_other() -> None:
    chosen = set()
    for seed in range(20):
        agent = make(DoubleQLearning, "FrozenLake-v1", seed, learning_rate=1.0, discount=0.9)
        one, two = agent.arrays.q[:64].reshape(16, 4), agent.arrays.q[64:].reshape(16, 4)
        one[5], two[5] = [0.0, 10.0, 4.0, 1.0], [3.0, 2.0, 8.0, 0.0]
        agent.observe(rows([2], [1], [0.0], [5], [False], [False]))
        changed = 1 if two[2, 1] else 0
        chosen.add(changed)
        assert (one, two)[changed][2, 1] == pytest.approx(0.9 * (2.0, 4.0)[changed])
        assert (one, two)[1 - changed][2, 1] == 0.0
    assert chosen == {0, 1}


def test_A_FA_01_linear_semi_gradient_on_one_hot_features_is_q_learning_bit_for_bit() -> None:
    model = random_model(6)
    agent = make(QLearning, model_env(model), epsilon_end=0.3, epsilon_start=0.3)
    weights = torch.zeros(36, dtype=torch.float64, requires_grad=True)
    features = torch.eye(36, dtype=torch.float64).reshape(12, 3, 36)
    for step in recorded(agent, model, limit=5, steps=400):
        value = features[step.state, step.action] @ weights
        with torch.no_grad():
            following = (features[step.next_state] @ weights).max()
            discount = agent.config.discount * (1 - step.terminated)
            delta = step.reward + discount * following - value
        (gradient,) = torch.autograd.grad(value, weights)
        with torch.no_grad():
            weights += agent.config.learning_rate * delta * gradient
    assert weights.detach().tolist() == agent.arrays.q.tolist()
    assert np.abs(agent.q).max() > 0.5


# Endings -----------------------------------------------------------------------------------------

LOOP = Model.from_table({0: {0: [(1.0, 0, 1.0, False)]}}, [1.0])  # worth 1 / (1 - γ) for ever
ONCE = Model.from_table({0: {0: [(1.0, 0, 1.0, True)]}}, [1.0])  # worth 1, whatever its own value


class TruncationAsTermination(gym.Wrapper):
    """The mistake to be seen: a time limit reported as the end of the world."""

    def step(self, action: int) -> tuple:
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, reward, terminated or truncated, False, info


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_A_CORE_01_a_time_limit_does_not_end_the_value(kind: type[Tabular], fused: bool) -> None:
    agent = make(kind, model_env(LOOP, 3), discount=0.9, learning_rate=0.5, fused=fused)
    agent.learn(1_500, progress=False)
    assert agent.values == pytest.approx([10.0], abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_A_CORE_01_taking_a_time_limit_for_an_end_gives_another_value(kind: type[Tabular]) -> None:
    env = model_env(LOOP, 3)
    agent = make(kind, env, discount=0.9, learning_rate=0.5)
    Interaction(agent, SingleStepper(TruncationAsTermination(env)), 0).advance(1_500)
    assert 1.0 <= agent.values[0] < 6.0


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_A_CORE_01_termination_ends_the_value(kind: type[Tabular], fused: bool) -> None:
    agent = make(kind, model_env(ONCE), discount=0.9, learning_rate=0.5, fused=fused)
    agent.learn(300, progress=False)
    assert agent.values == pytest.approx([1.0], abs=1e-9)
    through = make(kind, model_env(replace(ONCE, terminated=~ONCE.terminated)), discount=0.9)
    through.learn(1_500, progress=False)
    assert through.values[0] > 5.0  # bootstrapping through the end would be seen


# Exploration -------------------------------------------------------------------------------------


def chosen(agent: Tabular, state: int, times: int) -> np.ndarray:
    observation, start = np.array([state]), np.array([True])
    actions = [int(agent.act(observation, start)[0][0]) for _ in range(times)]
    return np.bincount(actions, minlength=agent.actions.size) / times


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
        found = tabular_kernel.exploration(agent.rule, agent.arrays, 0)
        assert found == schedules.linear(step, 0.8, 0.2, 1000)


@pytest.mark.parametrize("kind", KINDS)
def test_A_CORE_04_glie_exploration_is_one_over_the_visits(kind: type[Tabular]) -> None:
    agent = make(kind, "FrozenLake-v1", epsilon_start=0.5, epsilon_schedule="glie")
    visits = agent.arrays.visits.reshape(agent.tables, 16, 4)
    assert tabular_kernel.exploration(agent.rule, agent.arrays, 2) == 0.5
    visits[:, 2] = [[1, 2, 3, 0]] * agent.tables
    n = 6 * agent.tables + 1
    assert tabular_kernel.exploration(agent.rule, agent.arrays, 2) == 0.5 / n
    assert tabular_kernel.exploration(agent.rule, agent.arrays, 3) == 0.5


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
    for other in (agent, loaded):
        other.learn(500, progress=False)
    assert loaded.arrays.q.tolist() == agent.arrays.q.tolist()
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
    trainer = Trainer(killed, folder, config, progress=False)
    trainer.run(1_200)
    assert trainer.interrupted
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
