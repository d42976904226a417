"""Prioritised replay against sums of NumPy, the paper's formulas by hand, and its own past."""

from contextlib import nullcontext
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.dqn.prioritized import Prioritized, SumTree
from agents.dqn.replay import ReplayBuffer
from agents.dqn.rows import Rows
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from nets.runs.checkpoint import load_checkpoint, save_checkpoint

SIZES = (1, 2, 63, 64, 65, 200, 4096, 4097, 10_000)


def brute_force(numbers, mass):
    """The place in which the running sum passes `mass`."""
    return int(np.searchsorted(np.cumsum(numbers), mass, side="right"))


# The tree ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("capacity", SIZES)
def test_the_tree_finds_what_running_sums_find(capacity):
    rng, tree, numbers = np.random.default_rng(capacity), SumTree(capacity), np.zeros(capacity)
    for _ in range(20):
        places = rng.integers(capacity, size=rng.integers(1, 50))
        values = rng.integers(0, 5, size=len(places)).astype(float)  # exact sums; some zeros
        tree[places] = values
        for place, value in zip(places, values, strict=True):  # the last one holds
            numbers[place] = value
        np.testing.assert_array_equal(tree[np.arange(capacity)], numbers)
        assert tree.total == numbers.sum()
        if numbers.any():
            mass = np.concatenate([rng.random(30) * tree.total, np.arange(tree.total)[:50]])
            assert tree.find(mass).tolist() == [brute_force(numbers, m) for m in mass]
    tree.clear()
    assert tree.total == 0
    assert not tree[np.arange(capacity)].any()


@pytest.mark.parametrize("capacity", [5, 64, 1000, 5000])
def test_rounding_never_leads_to_a_place_that_holds_nothing(capacity):
    rng, tree = np.random.default_rng(0), SumTree(capacity)
    held = rng.choice(capacity, size=max(capacity // 3, 1), replace=False)
    tree[held] = 10.0 ** rng.uniform(-12, 3, size=len(held))
    ends = np.cumsum(tree[np.arange(capacity)])
    mass = np.concatenate([ends, np.nextafter(ends, 0), np.nextafter(ends, np.inf), [0.0]])
    mass = np.append(mass, [tree.total, np.nextafter(tree.total, 0), 2 * tree.total])
    assert (tree[tree.find(mass)] > 0).all()


def test_sums_do_not_drift():
    """A million changes later the sums are those of a fresh tree, to the bit."""
    rng, tree = np.random.default_rng(0), SumTree(300)
    for _ in range(1000):
        tree[rng.integers(300, size=1000)] = 10.0 ** rng.uniform(-9, 9, size=1000)
    fresh = SumTree(300)
    fresh[np.arange(300)] = tree[np.arange(300)]
    for level, other in zip(tree.levels, fresh.levels, strict=True):
        np.testing.assert_array_equal(level, other)


# What is drawn ----------------------------------------------------------------------------------


@pytest.mark.parametrize("exponent", [0.0, 0.6, 1.0])
def test_rows_are_drawn_as_often_as_their_error_says(exponent):
    """Schaul et al. (2016), equation 1: P(i) = pᵢ^α / Σ pₖ^α."""
    sampler, rng = Prioritized(10, exponent), np.random.default_rng(3)
    error = np.array([0.1, 0.5, 1.0, 2.0, 4.0, 0.2, 0.9, 3.0])
    sampler.add(np.arange(8))
    sampler.renew(np.arange(8)[None], torch.tensor(-error)[None])  # the sign does not matter
    places, _ = sampler.draw(rng, (20_000, 1), 8, 0.5)
    probability = error**exponent / (error**exponent).sum()
    counts = np.bincount(places.ravel(), minlength=8)
    assert len(counts) == 8
    assert chisquare(counts, 20_000 * probability).pvalue > 0.01
    others = chisquare(counts, 20_000 * error[::-1] ** exponent / (error**exponent).sum())
    assert others.pvalue < 1e-9 or exponent == 0  # negative control


def test_draws_of_a_minibatch_are_spread_over_equal_parts():
    sampler = Prioritized(16, 1.0)
    sampler.add(np.arange(16))
    places, weight = sampler.draw(np.random.default_rng(0), (50, 16), 16, 1.0)
    np.testing.assert_array_equal(places, np.tile(np.arange(16), (50, 1)))
    np.testing.assert_array_equal(weight, 1.0)


@pytest.mark.parametrize("correction", [0.0, 0.4, 1.0])
def test_weights_by_hand(correction):
    sampler = Prioritized(100, 1.0)
    sampler.add(np.arange(4))
    sampler.renew(np.arange(4)[None], torch.tensor([[1.0, 2.0, 3.0, 4.0]]))
    places, weight = sampler.draw(np.random.default_rng(1), (3, 8), 4, correction)
    for row, weights in zip(places, weight, strict=True):
        raw = [(4 * (place + 1) / 10) ** -correction for place in row]  # P = (place + 1) / 10
        np.testing.assert_allclose(weights, np.array(raw) / max(raw), rtol=1e-5)
    assert weight.dtype == np.float32


def test_full_correction_makes_the_mean_that_of_equal_draws():
    """With β = 1 and weights not yet divided by their maximum: E[w x] is the plain mean of x."""
    rng, sampler = np.random.default_rng(0), Prioritized(6, 0.7)
    sampler.add(np.arange(6))
    sampler.renew(np.arange(6)[None], torch.tensor([[0.5, 1.0, 2.0, 4.0, 8.0, 0.1]]))
    x = np.array([1.0, -2.0, 3.0, 0.5, -1.0, 10.0])
    places, weight = sampler.draw(rng, (1, 400_000), 6, 1.0)
    ours = (weight[0] * x[places[0]]).sum() / weight[0].sum()
    error = (x.std() / np.sqrt(400_000)) * 10  # unequal draws widen it
    assert ours == pytest.approx(x.mean(), abs=3 * error)
    assert abs(x[places[0]].mean() - x.mean()) > 1


def test_new_rows_come_first():
    """A row never drawn has the largest priority that any row ever had."""
    sampler = Prioritized(10, 1.0)
    sampler.add(np.arange(3))
    assert sampler.priorities[np.arange(4)].tolist() == [1.0, 1.0, 1.0, 0.0]
    sampler.renew(np.array([[0, 1]]), torch.tensor([[7.0, 0.0]]))
    sampler.add(np.array([3]))
    sampler.renew(np.array([[0]]), torch.tensor([[0.5]]))
    sampler.add(np.array([4]))
    expected = [0.5 + 1e-6, 1e-6, 1.0, 7 + 1e-6, 7 + 1e-6]
    np.testing.assert_allclose(sampler.priorities[np.arange(5)], expected, rtol=1e-12)


# In the ring ------------------------------------------------------------------------------------

BOX = gym.spaces.Box(-np.inf, np.inf, (2,), np.float32)


def ring(capacity):
    memory = Rows.zeros(capacity, BOX, gym.spaces.Discrete(4))
    return ReplayBuffer(memory, Prioritized(capacity, 0.6))


def rows(numbers):
    n = np.asarray(numbers, float)
    return Rows(np.stack([n, n], 1), n.astype(int) % 4, n, n, np.stack([n, n], 1))


def test_a_row_that_is_overwritten_loses_its_priority():
    buffer, rng = ring(8), np.random.default_rng(0)
    buffer.append(rows(range(8)))
    buffer.sampler.renew(np.arange(8)[None], torch.full((1, 8), 1e-3))
    buffer.sampler.renew(np.array([[2]]), torch.tensor([[100.0]]))
    assert (buffer.sample(rng, 10, 16)[0].reward == 2).float().mean() > 0.9
    buffer.append(rows([8, 9, 10]))  # rows 0, 1 and 2 go
    batch, places = buffer.sample(rng, 20, 16)
    assert not (batch.reward < 3).any()
    np.testing.assert_array_equal(batch.reward.numpy() % 8, places)
    assert {8.0, 9.0, 10.0} <= set(batch.reward.ravel().tolist())
    torch.testing.assert_close(batch.weight.amax(1), torch.full((20,), 1 / 16))


def test_S_IO_02_priorities_are_part_of_the_checkpoint(tmp_path):
    buffer, rng = ring(50), np.random.default_rng(0)
    shards = []
    for segment in range(4):
        for number in range(20):
            buffer.append(rows([20 * segment + number]))
            _, places = buffer.sample(rng, 2, 4)
            buffer.sampler.renew(places, torch.from_numpy(rng.random((2, 4))))
        shards.append(buffer.shard())
    save_checkpoint(tmp_path / "tree.pt", buffer.sampler.state_dict())
    rebuilt = ring(50)
    rebuilt.clear()
    rebuilt.sampler.load_state_dict(load_checkpoint(tmp_path / "tree.pt"))
    for shard in shards[1:]:
        rebuilt.load_shard(shard)
    for _ in range(3):
        (batch, places), (other, again) = (
            b.sample(np.random.default_rng(7), 3, 9) for b in (buffer, rebuilt)
        )
        np.testing.assert_array_equal(places, again)
        pairs = [
            (a, b) for a, b in zip(batch, other, strict=True) if a is not None or b is not None
        ]
        assert all(torch.equal(a, b) for a, b in pairs)
        for both in (buffer, rebuilt):
            both.append(rows([100]))
            both.sampler.renew(places, torch.arange(27.0).view(3, 9))


def test_priorities_without_their_rows_are_forgotten():
    """A checkpoint that is loaded alone brings no replay: nothing of it may be drawn."""
    buffer = ring(50)
    buffer.append(rows(range(40)))
    alone = ring(50)
    alone.clear()
    alone.sampler.load_state_dict(buffer.sampler.state_dict())
    alone.append(rows([7, 8]))
    batch, places = alone.sample(np.random.default_rng(0), 5, 8)
    assert set(places.ravel()) == {0, 1}
    assert set(batch.reward.ravel().tolist()) == {7.0, 8.0}


# In DQN -----------------------------------------------------------------------------------------

CONFIG = DQNConfig(
    hidden=(16,),
    learning_starts=60,
    batch_size=16,
    buffer_size=150,
    target_every=50,
    replay="prioritized",
    importance_steps=300,
)


def test_errors_of_an_update_become_priorities():
    agent = DQN("CartPole-v1", CONFIG, seed=0).learn(59, progress=False)
    tree = agent.replay.sampler.priorities
    assert set(tree[np.arange(59)]) == {1.0}
    batch, places = agent.replay.sample(np.random.default_rng(0), 2, 16)
    _, error = agent.update(batch)
    agent.replay.sampler.renew(places, error)
    with torch.no_grad():
        q = (
            agent.online.module(batch.observation)
            .gather(-1, batch.action.unsqueeze(-1))
            .squeeze(-1)
        )
        after = agent.target.module(batch.next_observation)
        best = agent.online.module(batch.next_observation).argmax(-1, keepdim=True)
        y = batch.reward + batch.discount * after.gather(-1, best).squeeze(-1)
    expected = ((q - y).abs().numpy() + 1e-6) ** 0.6  # two small gradient steps later
    np.testing.assert_allclose(tree[places[1]], expected[1], rtol=0.05)
    assert (tree[places[0]] != 1.0).all()


def test_training_renews_the_priorities_of_the_rows_it_drew():
    agent = DQN("CartPole-v1", CONFIG, seed=0).learn(60, progress=False)
    priorities = agent.replay.sampler.priorities[np.arange(60)]
    assert agent.updates == 1
    assert 8 < (priorities != 1.0).sum() <= 16  # one minibatch of 16


def test_importance_exponent_rises_to_one():
    found = [CONFIG.correction(step) for step in (0, 150, 300, 900)]
    assert found == pytest.approx([0.4, 0.7, 1.0, 1.0])


@pytest.mark.parametrize("settings", [{}, {"n_step": 3, "target_rate": 0.1}], ids=["", "n-step"])
def test_S_IO_02_a_run_with_priorities_resumes_exactly(tmp_path, settings):
    config = replace(CONFIG, **settings)
    cut = RunConfig(steps=600, segment_steps=120, log_every=50, eval_every=0)
    whole = DQN("CartPole-v1", config, seed=2)
    Trainer(whole, None, cut, progress=False).run(600)
    for stop in (200, 420, 601):  # each time as in a new process

        def interrupt(progress, stop=stop):
            if progress.steps == stop:
                raise KeyboardInterrupt

        part = DQN("CartPole-v1", config, seed=2)
        trainer = Trainer(part, RunFolder(tmp_path), cut, callbacks=[interrupt], progress=False)
        with pytest.raises(KeyboardInterrupt) if stop < 600 else nullcontext():
            trainer.run(600)
    assert torch.equal(part.online.weights, whole.online.weights)
    for a, b in zip(
        part.replay.sampler.priorities.levels, whole.replay.sampler.priorities.levels, strict=True
    ):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            {"replay": "prioritised"},
            "replay is 'prioritised': expected one of 'uniform', 'prioritiz",
        ),
        ({"priority_exponent": -0.1}, "priority_exponent is -0.1: expected a number in"),
        ({"importance_exponent": 1.5}, "importance_exponent is 1.5: expected a number in"),
        ({"importance_steps": -1}, "importance_steps is -1: expected at least 0"),
    ],
)
def test_impossible_settings_are_named(setting, message):
    with pytest.raises(ValueError, match=message):
        DQNConfig(**setting)
