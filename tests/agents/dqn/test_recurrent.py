"""DQN with a memory (DRQN): updates against loops of cells, and a corridor that needs it."""

from contextlib import nullcontext
from copy import deepcopy
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import small_worlds  # noqa: F401  # registers Salary-v0
import torch
from learning import best_of
from torch import nn
from torch.nn import functional

import envs  # noqa: F401
from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.loop.evaluation import evaluate
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from agents.presets import find_preset

CONFIG = DQNConfig(
    encoder="lstm",
    hidden=(6,),
    memory_size=5,
    sequence_length=4,
    burn_in=3,
    n_step=2,
    discount=0.9,
    learning_starts=100,
    batch_size=8,
    buffer_size=400,
    target_every=60,
)


# One update -------------------------------------------------------------------------------------


def unrolled(network, past, burn_in):
    """Values of all rows after the burn-in, by a loop of cells: `[L - burn-in, B, A]`."""
    weights = dict(network.memory.named_parameters())
    layer = network.memory
    lstm = layer.mode == "LSTM"
    cell = (nn.LSTMCell if lstm else nn.GRUCell)(layer.in_features, layer.out_features)
    parameters = {name: weights[f"{name}_l0"] for name, _ in cell.named_parameters()}
    state, values = list(past.state[:, 0]), []
    for row in range(len(past.observation)):
        state = [s * ~past.starts[row, :, None] for s in state]
        x = network.body(past.observation[row])
        new = torch.func.functional_call(cell, parameters, (x, tuple(state) if lstm else state[0]))
        state = list(new) if lstm else [new]
        if row >= burn_in:
            values.append(network.head(state[0]))
        else:
            state = [s.detach() for s in state]
    return torch.stack(values)


def plain_update(online, target, adam, batch, config):
    """DRQN's update with a loop over time and one over sequences, by autograd."""
    errors = []
    for k in range(len(batch.weight)):
        values = unrolled(online, batch.observation[k], config.burn_in)
        with torch.no_grad():
            after = unrolled(target, batch.observation[k], config.burn_in)
        loss, error = torch.zeros(()), torch.zeros(batch.weight[k].shape)
        for t, b in np.ndindex(*batch.weight[k].shape):
            row = batch.next_observation.row[k, t, b]
            chooser = values if config.double else after
            best = chooser[row, b].argmax()
            y = batch.reward[k, t, b] + batch.discount[k, t, b] * after[row, b, best]
            q = values[t, b, batch.action[k, t, b]]
            error[t, b] = (q - y).detach().abs()
            loss = loss + batch.weight[k, t, b] * functional.smooth_l1_loss(q, y.detach())
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(online.parameters(), config.max_grad_norm)
        adam.step()
        errors.append(error)
    return torch.stack(errors)


@pytest.mark.parametrize("double", [False, True], ids=["single", "double"])
@pytest.mark.parametrize("encoder", ["lstm", "gru"])
def test_A_FA_02_updates_are_those_of_a_loop_of_cells(encoder, double):
    config = replace(CONFIG, encoder=encoder, double=double, learning_starts=10**6)
    agent = DQN("CartPole-v1", config, seed=1, num_envs=2).learn(300, progress=False)
    generator = torch.Generator().manual_seed(0)
    agent.target.weights.data.add_(
        0.3 * torch.randn(agent.target.weights.data.shape, generator=generator)
    )
    agent.online.weights.data.mul_(1.5)
    online, target = deepcopy(agent.online.module), deepcopy(agent.target.module)
    adam = torch.optim.Adam(online.parameters(), lr=config.learning_rate)
    before = agent.online.weights.detach().clone()
    batch, _ = agent.replay.sample(np.random.default_rng(0), 5, 8)
    filled = batch.weight == 0
    assert filled.any()
    assert batch.observation.starts.any()
    _, errors = agent.update(batch)
    expected = plain_update(online, target, adam, batch, config)
    torch.testing.assert_close(errors[~filled], expected[~filled], rtol=1e-3, atol=1e-4)
    weights = torch.cat([p.detach().reshape(-1) for p in online.parameters()])
    assert (agent.online.weights.detach() - before).abs().max() > 3e-3
    torch.testing.assert_close(agent.online.weights.detach(), weights, rtol=0, atol=1e-5)


def test_rows_that_fill_a_sequence_up_do_not_count():
    agent = DQN("CartPole-v1", replace(CONFIG, learning_starts=10**6), seed=1)
    agent.learn(400, progress=False)
    batch, _ = agent.replay.sample(np.random.default_rng(0), 1, 32)
    filled = batch.weight == 0
    assert filled.any()
    other = batch._replace(reward=torch.where(filled, 1e6, batch.reward))
    twin = deepcopy(agent.state_dict())
    metrics, error = agent.update(batch)
    weights = agent.online.weights.detach().clone()
    agent.load_state_dict(twin)
    metrics_of_other, error_of_other = agent.update(other)
    assert torch.equal(agent.online.weights, weights)
    assert metrics == metrics_of_other
    assert torch.equal(batch.priorities(error), other.priorities(error_of_other))


# Acting -----------------------------------------------------------------------------------------


def test_what_fills_a_sequence_up_is_an_action_where_actions_begin_elsewhere():
    agent = DQN("Table-v0", CONFIG)  # actions are 3 and 4, episodes shorter than sequences
    agent.learn(300, progress=False)
    batch, _ = agent.replay.sample(agent.rng, 1, 64, 1.0)
    assert (batch.weight == 0).any()
    assert set(batch.action.unique().tolist()) == {3, 4}


@pytest.mark.parametrize("encoder", ["lstm", "gru"])
def test_predictions_remember_and_forget_where_an_episode_starts(encoder):
    agent = DQN("CartPole-v1", replace(CONFIG, encoder=encoder), seed=0)
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(6, 3, 4)).astype(np.float32)  # [T, N, D]
    start = np.zeros((6, 3), bool)
    start[0], start[3, 1] = True, True
    state, values = None, []
    for t in range(6):
        values.append(agent._values(seen[t], state, start[t])[0])
        action, after = agent.predict(seen[t], state, start[t], deterministic=True)
        np.testing.assert_array_equal(action, values[-1].argmax(1))
        state = after
    afresh = agent.q_values(seen[3])  # each the first of an episode
    np.testing.assert_allclose(values[3][1], afresh[1], rtol=0, atol=1e-6)
    assert not np.isclose(values[3][[0, 2]], afresh[[0, 2]], atol=1e-4).any()
    single, state = agent.predict(seen[0, 0], None, np.ones(1, bool), deterministic=True)
    assert single == values[0][0].argmax()
    assert state.shape == (2 if encoder == "lstm" else 1, 1, 1, 5)


def test_what_acting_remembers_is_stored_with_the_sequences():
    agent = DQN("CartPole-v1", replace(CONFIG, burn_in=0, learning_starts=10**6), seed=0)
    agent.learn(150, progress=False)
    rows, later = agent.replay._fields, 0
    for m in range(1, agent.replay.rows):
        if rows.starts[m, 0]:
            continue  # the first of an episode
        previous = torch.from_numpy(rows.observation[m - 1, :4, None])
        state = torch.from_numpy(rows.state[m - 1 : m]).movedim(0, 2)
        starts = torch.from_numpy(rows.starts[m - 1, :4, None])
        with torch.no_grad():
            _, after = agent.online.module._remember(previous, state, starts)
        np.testing.assert_allclose(after[:, :, 0], rows.state[m], rtol=0, atol=1e-6)
        later += 1
    assert later > 20


# What it learns ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n_step", [1, 3])
def test_A_FA_02_a_time_limit_is_not_the_end_of_the_world(n_step):
    """Reward 1 for ever is worth 1 / (1 − γ) = 10, in episodes of ten steps as well."""
    config = DQNConfig(
        encoder="gru",
        hidden=(),
        memory_size=8,
        sequence_length=4,
        burn_in=2,
        discount=0.9,
        n_step=n_step,
        learning_rate=1e-2,
        loss="mse",
        learning_starts=100,
        target_every=20,
        gradient_steps=4,
        batch_size=16,
    )

    def value_of(**kwargs):
        agent = DQN(gym.make("Salary-v0", **kwargs), config).learn(1000, progress=False)
        return agent.q_values(np.ones((1, 1), np.float32)).item()

    assert value_of() == pytest.approx(10.0, abs=0.3)
    if n_step == 1:  # negative control: (1 - 0.9**10) / 0.1 = 6.5 to one who counts the steps
        assert 5.0 < value_of(lie=True) < 7.5


def recall(encoder, length, steps, bar, **settings):
    """Mean return after training on a corridor, with as many seeds as it takes to reach `bar`."""
    preset = find_preset("dqn", "dreamgym/Recall-v0")
    config = replace(preset.apply(DQNConfig()), encoder=encoder, **settings)

    def train(seed):
        env = gym.make("dreamgym/Recall-v0", length=length)
        agent = DQN(env, config, seed=seed, num_envs=preset.num_envs).learn(steps, progress=False)
        return evaluate(agent, episodes=1000, num_envs=100).mean_return

    return best_of(train, bar)


@pytest.mark.parametrize(("encoder", "low", "high"), [("gru", 0.98, 1.0), ("mlp", 0.4, 0.6)])
def test_A_PG_05_a_short_corridor_is_soon_remembered(encoder, low, high):
    assert low <= recall(encoder, 3, 2000, low, exploration_steps=1500) <= high


@pytest.mark.parametrize("settings", [{"replay": "prioritized"}, {"head": "categorical"}])
def test_other_parts_work_on_sequences(settings):
    extra = {"value_range": (0.0, 1.0), "dueling": True, "n_step": 3, "exploration_steps": 1500}
    assert recall("lstm", 3, 2000, 0.98, **extra, **settings) >= 0.98


@pytest.mark.slow
@pytest.mark.parametrize(("encoder", "low", "high"), [("lstm", 0.98, 1.0), ("mlp", 0.45, 0.55)])
def test_A_PG_05_recall_is_solved_with_a_memory_only(encoder, low, high):
    preset = find_preset("dqn", "dreamgym/Recall-v0")
    assert low <= recall(encoder, 20, preset.steps, low) <= high


# Repeatability ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {"num_envs": 3},
        {"encoder": "gru", "replay": "prioritized", "target_rate": 0.1},
        {"encoder": "auto", "head": "categorical", "noisy": True, "value_range": (0.0, 10.0)},
        {"head": "quantile", "atoms": 5, "replay": "prioritized", "noisy": True, "dueling": True},
    ],
    ids=["lstm", "gru prioritized", "rainbow", "all"],
)
def test_S_IO_02_interrupted_runs_resume_exactly(tmp_path, settings):
    num_envs = settings.pop("num_envs", None)
    config = replace(CONFIG, **settings)
    cut = RunConfig(steps=480, segment_steps=120, log_every=50, eval_every=150, eval_episodes=2)
    whole = DQN("CartPole-v1", config, seed=2, num_envs=num_envs)
    Trainer(whole, None, cut, progress=False).run(480)
    for stop in (201, 396, None):  # each time as in a new process

        def interrupt(progress, stop=stop):
            if progress.steps == stop:
                raise KeyboardInterrupt

        part = DQN("CartPole-v1", config, seed=2, num_envs=num_envs)
        trainer = Trainer(part, RunFolder(tmp_path), cut, callbacks=[interrupt], progress=False)
        with pytest.raises(KeyboardInterrupt) if stop is not None else nullcontext():
            trainer.run(480)
    assert whole.updates > 50
    assert torch.equal(part.online.weights, whole.online.weights)
    assert torch.equal(part.target.weights.data, whole.target.weights.data)
    for a, b in zip(part.replay._fields, whole.replay._fields, strict=True):
        live = len(whole.replay)
        np.testing.assert_array_equal(a[:live], b[:live])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"burn_in": -1}, "burn_in is -1: expected at least 0"),
        ({"sequence_length": 0}, "sequence_length is 0: expected at least 1"),
        ({"encoder": "lsmt"}, "unknown encoder 'lsmt'; did you mean 'lstm'"),
    ],
)
def test_impossible_settings_are_named(setting, message):
    with pytest.raises(ValueError, match=message):
        DQN("CartPole-v1", DQNConfig(**setting))
