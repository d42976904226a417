"""DQN: how it acts, what it learns, and that it repeats."""

from dataclasses import fields
from functools import partial
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from learning import best_agent, best_of
from scipy.stats import binomtest
from small_worlds import Table

from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.environments.source import EnvSource
from agents.loop.evaluation import evaluate
from agents.loop.run import RunConfig
from agents.loop.trainer import Trainer
from agents.presets import find_preset

# Acting -----------------------------------------------------------------------------------------


def test_A_CORE_04_the_share_of_random_actions_follows_the_schedule():
    config = DQNConfig(epsilon_start=0.9, epsilon_end=0.2, exploration_steps=1000, hidden=(4,))
    agent = DQN("Vectors-v0", config)
    observation = np.tile(np.ones(5, np.float32), (6000, 1))
    greedy = agent.q_values(observation[:1]).argmax() + 4
    for steps, epsilon in ((0, 0.9), (500, 0.55), (1000, 0.2), (5000, 0.2)):
        agent.steps = steps
        action, extras = agent.act(observation, np.zeros(6000, bool))
        assert set(action) == {4, 5, 6}
        assert extras == {}
        other = int((action != greedy).sum())
        assert binomtest(other, 6000, epsilon * 2 / 3).pvalue > 0.01


def test_prediction_is_greedy_or_explores_a_little():
    agent = DQN("Vectors-v0", DQNConfig(hidden=(4,), epsilon_end=0.3))
    batch = np.random.default_rng(0).normal(size=(4000, 5)).astype(np.float32)
    greedy = agent.q_values(batch).argmax(1) + 4
    state = agent.rng.bit_generator.state
    np.testing.assert_array_equal(agent.predict(batch, deterministic=True)[0], greedy)
    assert agent.rng.bit_generator.state == state  # a greedy choice draws nothing
    loose, _ = agent.predict(batch)
    assert binomtest(int((loose != greedy).sum()), 4000, 0.2).pvalue > 0.01
    single, memory = agent.predict(batch[0], "memory", deterministic=True)
    assert (single, memory) == (greedy[0], "memory")
    assert single.shape == ()


@pytest.mark.parametrize(
    ("make", "config"),
    [
        (lambda: "Vectors-v0", DQNConfig(hidden=(8,))),
        (lambda: "Vectors-v0", DQNConfig(hidden=(8,), dueling=True)),
        (lambda: "Vectors-v0", DQNConfig(hidden=(8,), activation="gelu")),
        (lambda: "Table-v0", DQNConfig(hidden=(8,))),
        (lambda: gym.make("Vectors-v0", picture=True), DQNConfig()),
    ],
    ids=["mlp", "dueling", "gelu", "one-hot", "cnn"],
)
def test_action_values_are_the_networks(make, config):
    agent = DQN(make(), config)
    agent.observation_space.seed(0)
    batch = np.stack([agent.observation_space.sample() for _ in range(6)])
    with torch.no_grad():
        expected = agent.online.module(torch.from_numpy(batch)).numpy()
    np.testing.assert_allclose(agent.q_values(batch), expected, rtol=0, atol=1e-6)
    assert len(np.unique(expected)) > 6
    batch_action, _ = agent.predict(batch, deterministic=True)
    first = int(agent.action_space.start)
    np.testing.assert_array_equal(batch_action, expected.argmax(1) + first)
    for observation, action in zip(batch, batch_action, strict=True):
        assert agent.predict(observation, deterministic=True)[0] == action
    # other types of the same numbers, as some worlds give
    wide = batch.astype(np.float64) if batch.dtype == np.float32 else batch.astype(np.int32)
    np.testing.assert_allclose(agent.q_values(wide), expected, rtol=0, atol=1e-6)


def test_continuous_actions_are_refused():
    with pytest.raises(TypeError, match=r"Pendulum-v1 has actions Box.*: DQN needs Discrete"):
        DQN("Pendulum-v1")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0: expected at least 1"),
        ({"target_every": 0}, "target_every is 0: expected at least 1"),
        ({"n_step": 0}, "n_step is 0: expected at least 1"),
        ({"discount": 1.1}, r"discount is 1.1: expected a number in \[0, 1\]"),
        ({"target_rate": 0.0}, r"target_rate is 0.0: expected a number in \(0, 1\]"),
        ({"loss": "hubr"}, "loss is 'hubr': expected one of 'huber', 'mse'"),
    ],
)
def test_impossible_settings_are_named(setting, message):
    with pytest.raises(ValueError, match=message):
        DQNConfig(**setting)


# What it learns ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden": (), "loss": "mse", "double": False, "learning_rate": 2e-2},
        {"hidden": (32,), "learning_rate": 3e-3, "dueling": True},
        {"hidden": (), "learning_rate": 2e-2, "target_rate": 0.05, "num_envs": 4},
        {"hidden": (32,), "activation": "tanh", "learning_rate": 5e-3, "loss": "mse"},
    ],
    ids=["linear", "dueling", "soft", "tanh"],
)
def test_A_FA_01_02_the_values_of_a_small_world_are_found(settings):
    num_envs = settings.pop("num_envs", None)
    config = DQNConfig(
        **settings,
        discount=Table.DISCOUNT,
        epsilon_end=1.0,
        learning_starts=200,
        train_every=4,
        gradient_steps=4,
        target_every=40,
    )
    agent = DQN("Table-v0", config, num_envs=num_envs)
    agent.learn(3200, progress=False)
    np.testing.assert_allclose(agent.q_values(np.arange(7, 11)), Table.optimum(), atol=0.02)
    assert np.ptp(Table.optimum()) > 1


@pytest.mark.parametrize("n_step", [1, 3])
@pytest.mark.parametrize("num_envs", [None, 2])
def test_A_FA_02_a_time_limit_is_not_the_end_of_the_world(n_step, num_envs):
    """Reward 1 for ever is worth 1 / (1 − γ) = 10, in episodes of ten steps as well."""
    config = DQNConfig(
        hidden=(),
        discount=0.9,
        n_step=n_step,
        learning_rate=5e-2,
        loss="mse",
        learning_starts=100,
        target_every=20,
        gradient_steps=4,
    )

    def value_of(**kwargs):
        agent = DQN(gym.make("Salary-v0", **kwargs), config, num_envs=num_envs)
        agent.learn(1600, progress=False)
        return agent.q_values(np.ones((1, 1), np.float32)).item()

    assert value_of() == pytest.approx(10.0, abs=0.05)
    if n_step == 1:  # negative control: a tenth of the rows end, V = 1 + 0.9 · 0.9 · V
        assert value_of(lie=True) == pytest.approx(1 / (1 - 0.81), abs=0.6)


# Repeatability ----------------------------------------------------------------------------------

SMALL = DQNConfig(
    hidden=(16,), learning_starts=60, batch_size=16, train_every=4, target_every=50, n_step=2
)


def weights_after(seed=0, num_envs=None, config=SMALL, callbacks=(), **run):
    agent = DQN("CartPole-v1", config, seed=seed, num_envs=num_envs)
    settings = {"segment_steps": 170, "log_every": 45, "eval_every": 0} | run
    trainer = Trainer(agent, None, RunConfig(400, **settings), callbacks=callbacks, progress=False)
    trainer.run(400)
    return agent.online.weights.detach().clone()


@pytest.mark.parametrize("num_envs", [None, 3])
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(num_envs):
    first = weights_after(num_envs=num_envs)
    assert torch.equal(weights_after(num_envs=num_envs), first)
    assert not torch.allclose(weights_after(seed=1, num_envs=num_envs), first)


def test_the_seed_draws_the_network():
    first, again, other = (DQN("CartPole-v1", SMALL, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.online.weights, again.online.weights)
    assert not torch.allclose(first.online.weights, other.online.weights)
    assert torch.equal(first.target.weights.data, first.online.weights)


@pytest.mark.parametrize("num_envs", [None, 3])
def test_watching_a_training_does_not_change_it(num_envs):
    """Callbacks, logging and evaluations cut the loop into other pieces."""
    plain, seen = weights_after(num_envs=num_envs), []
    watched = weights_after(
        num_envs=num_envs,
        callbacks=[lambda progress: seen.append(progress.steps)],
        log_every=7,
        eval_every=100,
        eval_episodes=2,
    )
    assert torch.equal(watched, plain)
    size = num_envs or 1
    assert seen == sorted(set(seen)) == [step for step in seen if step % size == 0]
    assert len(seen) == -(-400 // size)
    assert not torch.equal(weights_after(num_envs=num_envs, segment_steps=180), plain)


def test_learning_goes_on_where_it_was():
    agent = DQN("CartPole-v1", SMALL)
    assert agent.learn(150, progress=False) is agent
    first = agent.online.weights.detach().clone()
    agent.learn(250, progress=False)
    assert (agent.steps, agent.segment) == (400, 1)
    assert 397 <= agent.replay.rows <= 400  # the last wait for their n-th reward
    assert not torch.equal(agent.online.weights.detach(), first)
    again = DQN("CartPole-v1", SMALL).learn(150, progress=False).learn(250, progress=False)
    assert torch.equal(agent.online.weights, again.online.weights)


@pytest.mark.parametrize("num_envs", [None, 3])
def test_no_row_of_replay_spans_two_episodes(num_envs, ledger_length):
    """Segments end, trainings are stopped: the n-step rows of the world still follow its rules."""
    config = DQNConfig(hidden=(4,), n_step=3, discount=0.5, learning_starts=10**6)
    agent = DQN("Ledger-v0", config, num_envs=num_envs)
    settings = RunConfig(steps=90, segment_steps=31, log_every=10, eval_every=0)
    Trainer(agent, None, settings, progress=False).run(90)
    agent.learn(50, lambda progress: progress.steps < 107, progress=False)  # mid-episode
    agent.learn(40, progress=False)
    rows = agent.replay._fields
    for k in range(agent.replay.rows):
        copy_, episode, now, _ = rows.observation[k]
        assert rows.next_observation[k][:2].tolist() == [copy_, episode]
        spanned = int(rows.next_observation[k][2] - now)
        assert 1 <= spanned <= 3
        end = ledger_length(int(copy_), int(episode))
        over = rows.next_observation[k][2] == end
        terminated = over and (copy_ + episode) % 2 == 0
        assert rows.discount[k] == (0.0 if terminated else 0.5**spanned)
        base = sum(0.5**j * (100 * copy_ + 10 * episode + now + j) for j in range(spanned))
        assert 0 <= rows.reward[k] - base <= 0.5 * 1.75
    assert agent.replay.rows > 120


# Files ------------------------------------------------------------------------------------------


def test_saving_and_loading_gives_back_the_agent(tmp_path):
    config = DQNConfig(hidden=(16,), learning_starts=60, dueling=True, n_step=2, discount=0.9)
    agent = DQN(gym.make("Vectors-v0"), config, seed=5).learn(200, progress=False)
    agent.save(tmp_path / "agent.pt")
    loaded = DQN.load(tmp_path / "agent.pt")
    batch = np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32)
    np.testing.assert_array_equal(loaded.q_values(batch), agent.q_values(batch))
    assert (loaded.config, loaded.seed, loaded.steps, loaded.segment) == (config, 5, 200, 1)
    for key, value in agent.state_dict()["optimizer"]["state"][0].items():
        assert torch.equal(loaded.state_dict()["optimizer"]["state"][0][key], value)
    loaded.learn(50, progress=False)
    assert loaded.steps == 250


def test_every_setting_is_on_the_page():
    page = (Path(__file__).parents[3] / "docs" / "agents" / "dqn.md").read_text(encoding="utf-8")
    for field in fields(DQNConfig):
        assert f"`{field.name}`" in page or f"`{field.name} = " in page


# Slow: the real thing ---------------------------------------------------------------------------


def trained(env_id, highest, folder, seed):
    """Train with the preset, and return the best agent's mean return on new episodes."""
    preset = find_preset("dqn", env_id)
    source = EnvSource.of(env_id, preset.num_envs)
    agent = DQN(source, preset.apply(DQNConfig()), seed=seed)
    best = best_agent(agent, folder / str(seed), preset.steps, highest)
    return evaluate(best, episodes=100, seed=123).mean_return


@pytest.mark.slow
def test_A_FA_02_cartpole_is_solved(tmp_path):
    assert best_of(partial(trained, "CartPole-v1", 500.0, tmp_path), 475) >= 475


@pytest.mark.slow
def test_A_FA_02_catch_is_solved_from_pixels(tmp_path):
    assert best_of(partial(trained, "dreamgym/Catch-v0", 1.0, tmp_path), 0.95) >= 0.95
