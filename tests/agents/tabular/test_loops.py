"""The fused loop of tabular agents is the common loop, bit for bit, only faster."""

import gymnasium as gym
import numpy as np
import pytest
from tabular_kinds import KINDS, allowed, make, random_model, short_run

from agents.environments.stepping import SingleStepper
from agents.loop.interaction import Interaction
from agents.loop.trainer import Trainer
from agents.tabular import fused as tabular_fused
from agents.tabular.agent import Tabular
from agents.tabular.fused import FusedStream
from agents.tabular.kernel import sarsa
from agents.tabular.known import exact_model
from agents.tabular.model import Model
from agents.tabular.model_env import model_env
from agents.tabular.temporal_difference import QLearning

SETTINGS = [
    {},
    {"learning_rate": 0.7, "learning_rate_decay": 0.6, "epsilon_schedule": "glie"},
    {"trace_decay": 0.9, "epsilon_start": 0.9, "exploration_steps": 700, "initial_value": 1.0},
    {"trace_decay": 1.0, "discount": 1.0, "learning_rate_decay": 1.0, "epsilon_end": 0.5},
]


def outcome(agent: Tabular, stream: object) -> tuple:
    arrays = agent.arrays
    return arrays.q.tolist(), arrays.visits.tolist(), arrays.counters.tolist(), stream.episodes


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


class Masked(gym.Wrapper):
    """Says of every state which actions it allows."""

    def __init__(self, env: gym.Env, table: np.ndarray) -> None:
        super().__init__(env)
        self.table = table

    def action_masks(self) -> np.ndarray:
        return self.table[self.unwrapped._state]


@pytest.mark.parametrize("compiled", [False, True], ids=["plain", "numba"])
@pytest.mark.parametrize("settings", SETTINGS, ids=["constant", "glie", "traces", "returns"])
@pytest.mark.parametrize("kind", KINDS)
def test_with_masks_too(kind: type[Tabular], settings: dict, compiled: bool) -> None:
    if compiled:
        pytest.importorskip("numba")
    model, settings = random_model(), allowed(kind, settings) | {"mask_actions": True}
    table = np.random.default_rng(0).random((12, 3)) < 0.5
    table[:, 1] |= ~table.any(1)
    env = Masked(model_env(model, 7), table)
    common, fused = (make(kind, model_env(model, 7), **settings) for _ in range(2))
    fused.arrays.allowed.reshape(fused.tables, 12, 3)[:] = table
    streams = (
        Interaction(common, SingleStepper(env, masks=True), seed=5),
        FusedStream(fused, model, 7, 5, compiled),
    )
    for stream in streams:
        stream.advance(1_000)
        stream.advance(500, last=True)
    assert outcome(common, streams[0]) == outcome(fused, streams[1])
    visits = fused.arrays.visits.reshape(fused.tables, 12, 3).sum(0)
    assert visits[~table].sum() == 0
    assert visits[table].sum() == 1_500
    met = visits.any(1)
    assert np.array_equal(common.policy[met], fused.policy[met])


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
    monkeypatch.setattr(
        tabular_fused, "compiled_loop", lambda algorithm: None
    )  # as if without numba
    plain = make(kind, env, seed=3)
    Trainer(plain, config=short_run(1_000, 150), progress=False).run(1_000)
    assert np.array_equal(agents[0].arrays.q, plain.arrays.q)


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
    assert [tuple(episode) for episode in stream.episodes] == [(2, 5.0, 2, None), (4, 5.0, 2, None)]


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
    assert tabular_fused.compiled_loop.__wrapped__(sarsa) is not None
    assert asked == [{"cache": True}, {}]
