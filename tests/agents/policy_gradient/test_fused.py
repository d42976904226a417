"""Compiled updates against torch's, which have tests of their own, and what runs say of them."""

import sys
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from rollouts import gathered

from agents.loading import load
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from agents.policy_gradient.a2c import A2C, A2CConfig
from agents.policy_gradient.ppo import PPO, PPOConfig

pytest.importorskip("numba")

SMALL = PPOConfig(n_steps=16, batch_size=40, epochs=2, hidden=(8,), kernel="fused")
SMALL_A2C = A2CConfig(n_steps=16, hidden=(8,), kernel="fused")
BOTH = pytest.mark.parametrize(("kind", "small"), [(PPO, SMALL), (A2C, SMALL_A2C)])
HERE = "agents.policy_gradient.fused"


@pytest.fixture
def without_numba(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    for name in [name for name in sys.modules if name.startswith(f"{HERE}.")]:
        if not name.endswith(".fitting"):
            monkeypatch.delitem(sys.modules, name)


def require_equal_updates(kind, env_id, config, updates=1):
    """Up to rounding: steps of 0.003 along Adam's direction, by sums in another order.

    Elementary functions differ by less than 4·10⁻⁷, as does float32 from double precision, for
    which a thousandth of a step is room enough. Rows that only reset are among them.
    """
    config = replace(config, log_std=-0.5 if env_id == "Pendulum-v1" else 0.0, learning_rate=3e-3)
    first = kind(env_id, config, num_envs=3, seed=1)
    rollout, state = gathered(first), first.state_dict()
    assert env_id == "Pendulum-v1" or (rollout.weight == 0).any()
    found = []
    for kernel in ("torch", "fused"):
        agent = kind(env_id, replace(config, kernel=kernel), num_envs=3, seed=1)
        agent.load_state_dict(state)
        agent.reseed(0)
        for _ in range(updates):
            metrics = {name: float(value) for name, value in agent.update(rollout).items()}
        found.append((agent.state_dict(), metrics, agent.network.weights.detach()))
    (before, said, weights), (after, compiled, mine) = found
    moved = (weights - first.network.weights).abs().max().item()
    assert moved > 2e-3
    torch.testing.assert_close(mine, weights, rtol=0, atol=3e-6)
    expected, adam = (each["optimizer"]["state"][0] for each in (before, after))
    assert adam["step"] == expected["step"] > 0
    for name in ("exp_avg", "exp_avg_sq"):
        atol = 1e-5 * expected[name].abs().max().item()
        torch.testing.assert_close(adam[name], expected[name], rtol=1e-3, atol=atol)
    assert compiled == pytest.approx(said, rel=1e-4, abs=2e-6)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
@pytest.mark.parametrize(
    "settings",
    [
        {"batch_size": 1000, "epochs": 1},
        {
            "batch_size": 300,
            "entropy_coefficient": 0.05,
        },  # a whole block of rows, and a part of one
        {"activation": "relu", "hidden": (12, 9, 7), "value_clip": 0.01, "clip": 0.02},
        {"hidden": (), "normalize_over": "minibatch"},
        {"normalize_advantage": False, "max_grad_norm": 1e6},
        {"target_kl": 0.002, "epochs": 9},
    ],
)
def test_an_update_of_ppo_is_that_of_torch(env_id, settings):
    chosen = {"n_steps": 120, "batch_size": 50, "epochs": 3} | settings
    require_equal_updates(PPO, env_id, PPOConfig(**chosen))


@pytest.mark.parametrize("env_id", ["CartPole-v1", "Pendulum-v1"])
@pytest.mark.parametrize(
    "settings",
    [
        {"n_steps": 40},  # a part of a block
        {"entropy_coefficient": 0.05, "gae_lambda": 0.9},  # a whole one, and a part
        {"activation": "relu", "hidden": (12, 9, 7), "value_coefficient": 0.1},
        {"hidden": (), "max_grad_norm": 1e6},
    ],
)
def test_updates_of_a2c_are_those_of_torch(env_id, settings):
    require_equal_updates(A2C, env_id, A2CConfig(**{"n_steps": 120} | settings), updates=5)


def test_elementary_functions_are_those_of_double_precision():
    from numba import njit

    from agents.policy_gradient.fused.compiling import RULES
    from agents.policy_gradient.fused.elementary import exp, log, tanh

    @njit(**RULES)
    def all_of(x, y):
        for i in range(len(x)):
            y[0, i], y[1, i], y[2, i] = tanh(x[i]), exp(x[i]), log(abs(x[i]))

    x = np.concatenate([np.linspace(-87, 88, 20_001), np.geomspace(1e-30, 30, 5_000)])
    x = x[x != 0].astype(np.float32)
    y = np.empty((3, len(x)), np.float32)
    all_of(x, y)
    exact = x.astype(np.float64)
    assert np.abs(y[0] / np.tanh(exact) - 1).max() < 4e-7
    assert np.abs(y[1] / np.exp(exact) - 1).max() < 3e-7
    logs = np.log(np.abs(exact))
    assert (np.abs(y[2] - logs) < 2e-7 * np.maximum(np.abs(logs), 1)).all()
    limits = np.array([np.nan, np.inf, -np.inf, -1e4, 1e4], np.float32)
    y = np.empty((3, len(limits)), np.float32)
    all_of(limits, y)
    assert np.isnan(y[:2, 0]).all()  # what is not finite is found, not hidden
    np.testing.assert_allclose(y[0, 1:], [1, -1, -1, 1], rtol=4e-7)
    np.testing.assert_allclose(y[1, 1:], np.exp([88, -87, -87, 88]), rtol=3e-7)


@BOTH
@pytest.mark.parametrize("env", ["CartPole-v1", "Pendulum-v1"])
def test_what_is_acted_by_is_the_policy(kind, small, env: str):
    agent = kind(env, small, num_envs=2)
    width = agent.observation_space.shape[0]
    x = np.random.default_rng(0).normal(size=(600, width)).astype(np.float32)  # 2 blocks, a part
    outputs = agent._fused.policy(x)
    np.testing.assert_allclose(outputs, agent.policy(x, None, None)[0], atol=1e-7)
    np.testing.assert_allclose(agent.values(x), agent.network.value(x, None), atol=1e-6)
    agent.reseed(1)
    steps = x.reshape(-1, 6, width)
    drawn = [agent.draw(step, None, np.zeros(6, bool), None)[0] for step in steps]
    agent.reseed(1)
    expected = [agent.actions.sample(agent._fused.policy(step), agent.rng) for step in steps]
    np.testing.assert_array_equal(drawn, expected)


@BOTH
def test_weights_that_are_loaded_are_those_that_learn(kind, small):
    """After an update, too, when weights and moments become another agent's."""
    teacher = kind("CartPole-v1", small, num_envs=4, seed=1).learn(128, progress=False)
    agent = kind("CartPole-v1", small, num_envs=4, seed=2).learn(128, progress=False)
    rollout = gathered(agent)
    teacher.load_state_dict(deepcopy(agent.state_dict()))
    for each in (teacher, agent):
        each.reseed(0)
        each.update(rollout)
    assert torch.equal(teacher.network.weights, agent.network.weights)
    assert teacher.optimizer.moments()["step"] == agent.optimizer.moments()["step"]


@BOTH
@pytest.mark.parametrize(
    ("env_id", "settings", "why"),
    [
        ("CartPole-v1", {"encoder": "lstm"}, "with a memory"),
        ("Taxi-v4", {"mask_actions": True}, "where actions are masked"),
        ("Taxi-v4", {}, "behind an encoder"),
        ("CartPole-v1", {"activation": "elu"}, "with ELU in its networks"),
    ],
)
def test_other_networks_are_learned_by_torch_with_a_word(kind, small, env_id, settings, why):
    agents = [
        kind(env_id, replace(small, kernel=kernel, **settings), num_envs=2, seed=3)
        for kernel in ("torch", "fused")
    ]
    agents[0].learn(32, progress=False)
    with pytest.warns(UserWarning, match=f"kernel is 'fused', which changes nothing, .*{why}"):
        agents[1].learn(32, progress=False)
    assert torch.equal(agents[0].network.weights, agents[1].network.weights)


@BOTH
def test_without_numba_a_run_is_refused_but_plays_and_goes_on_by_torch(
    tmp_path, without_numba, kind, small
):
    with pytest.raises(ModuleNotFoundError, match=r"kernel is 'fused'.* or set kernel to 'torch'"):
        kind("CartPole-v1", small).learn(128, progress=False)
    agent = kind("CartPole-v1", replace(small, kernel="torch")).learn(128, progress=False)
    agent.config = small
    agent.save(tmp_path / "fused.pt")
    again = load(tmp_path / "fused.pt")
    again.predict(np.zeros(4, np.float32), deterministic=True)
    with pytest.raises(ModuleNotFoundError, match="kernel is 'fused'"):
        again.learn(128, progress=False)
    again.learn(128, progress=False, kernel="torch")
    assert again.updates == 2


@pytest.mark.parametrize("kernel", ["torch", "fused"])
def test_a_run_tells_of_another_numba_where_it_was_compiled_by_it(tmp_path, kernel, recwarn):
    agent = PPO("CartPole-v1", replace(SMALL, kernel=kernel), num_envs=2)
    run, config = RunFolder(tmp_path / "run"), RunConfig(64, 32, 32, 0)
    Trainer(agent, run, config, progress=False).run(32)
    file = max((tmp_path / "run" / "checkpoints").glob("*.pt"))
    state = torch.load(file, weights_only=True)
    state["state"]["versions"]["numba"] = "0.1"
    torch.save(state, file)
    RunFolder(tmp_path / "run").restore(PPO("CartPole-v1", agent.config, num_envs=2))
    said = [str(warning.message) for warning in recwarn]
    assert any("numba was 0.1" in words for words in said) == (kernel == "fused")
