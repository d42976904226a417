"""Sequence replay by its definition, and recurrent networks against loops of cells."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from torch import nn

from agents.dqn.build import build_network
from agents.dqn.config import DQNConfig
from agents.dqn.replay import ReplayBuffer
from agents.dqn.rows import Minibatches
from agents.dqn.sequences import History, Sequencer, Sequences
from agents.loop.experience import Transition
from nets.process.seeding import seeded

SPACES = gym.spaces.Box(-np.inf, np.inf, (2,), np.float32), gym.spaces.Discrete(4)
STATE = (2, 1, 3)


def sequencer(length, burn_in, n, num_envs=1):
    return Sequencer(length, burn_in, n, 0.9, SPACES, STATE, num_envs)


def experience(num_envs, steps, *, next_step_mode=False, share=0.12, seed=0):
    """Transitions whose episodes end at random; observations are [copy, time], states say so."""
    rng, over = np.random.default_rng(seed), np.zeros(num_envs, bool)
    for now in range(steps):
        valid = ~over if next_step_mode else np.ones(num_envs, bool)
        terminated = valid & (rng.random(num_envs) < share)
        truncated = valid & ~terminated & (rng.random(num_envs) < share)
        if now == steps - 1:
            truncated = valid & ~terminated  # a segment's end closes every episode
        here = np.stack([np.arange(num_envs), np.full(num_envs, now)], 1).astype(float)
        state = np.zeros((2, 1, num_envs, 3))
        state[0, 0, :, 0], state[1, 0, :, 1] = np.arange(num_envs), now
        yield Transition(
            here,
            rng.integers(4, size=num_envs),
            rng.normal(size=num_envs),
            here + np.stack([np.zeros(num_envs), np.where(terminated | truncated, 0.5, 1)], 1),
            terminated,
            truncated,
            valid,
            {} if now == 0 else {"state": state},
        )
        over = terminated | truncated


def episodes(transitions, num_envs):
    """The steps of each episode: (copy, [(observation, action, reward, next)], terminated)."""
    for k in range(num_envs):
        steps = []
        for t in transitions:
            if not t.valid[k]:
                continue
            steps.append((t.observation[k], t.action[k], t.reward[k], t.next_observation[k]))
            if t.terminated[k] or t.truncated[k]:
                yield k, steps, bool(t.terminated[k])
                steps = []


# Cutting ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("next_step_mode", [False, True], ids=["same step", "next step"])
@pytest.mark.parametrize(("length", "burn_in"), [(1, 0), (4, 0), (4, 2), (3, 7), (30, 5)])
@pytest.mark.parametrize("n", [1, 3])
def test_sequences_are_their_definition(length, burn_in, n, next_step_mode):
    num_envs = 3
    transitions = list(experience(num_envs, 120, next_step_mode=next_step_mode))
    maker, made = sequencer(length, burn_in, n, num_envs), []
    for transition in transitions:
        rows = maker.push(transition)
        if rows is not None:
            made += [Sequences(*(each[m] for each in rows)) for m in range(len(rows.reward))]
    found = {}  # (copy, time) of the first trained step: its sequence
    for each in made:
        found[tuple(each.observation[burn_in])] = each
    assert len(found) == len(made)
    expected = 0
    for copy, steps, terminated in episodes(transitions, num_envs):
        count = len(steps)
        seen = [step[0] for step in steps] + [steps[-1][3]]  # all observations of the episode
        for begin in range(0, count, length):
            expected += 1
            cut = found[tuple(steps[begin][0])]
            for row in range(burn_in + length + n):  # observations, before and after
                step = begin - burn_in + row
                inside = 0 <= step <= count
                np.testing.assert_array_equal(cut.observation[row], seen[step] if inside else 0)
                assert cut.starts[row] == (step == 0)
            first = begin - burn_in
            state = np.zeros(STATE)
            if first >= 0 and steps[first][0][1] > 0:
                state[0, 0, 0], state[1, 0, 1] = copy, steps[first][0][1]
            np.testing.assert_array_equal(cut.state, state)
            for t in range(length):
                i = begin + t
                assert cut.valid[t] == (i < count)
                if i >= count:
                    assert cut.reward[t] == cut.discount[t] == 0
                    continue
                span = min(n, count - i)
                total = sum(0.9**j * steps[i + j][2] for j in range(span))
                ended = terminated and i + span == count
                assert cut.action[t] == steps[i][1]
                assert cut.reward[t] == pytest.approx(total, rel=1e-5, abs=1e-6)
                assert cut.discount[t] == pytest.approx(0.0 if ended else 0.9**span)
                after = cut.observation[burn_in + cut.after[t]]
                np.testing.assert_array_equal(after, seen[i + span])
    assert expected == len(made) > 8


def test_a_sequence_is_ready_as_soon_as_it_is_known():
    """T steps and the n − 1 rewards after them; the observation after these is there, too."""
    maker = sequencer(4, 2, 3)
    ready = [maker.push(t) is not None for t in experience(1, 30, share=0.0)]
    whole = [now for now, is_ready in enumerate(ready) if is_ready]
    assert whole == [5, 9, 13, 17, 21, 25, 29]
    assert maker._open[0].rewards == []


def test_memory_of_an_open_episode_does_not_grow():
    maker = sequencer(4, 3, 2)
    for transition in experience(1, 500, share=0.0):
        maker.push(transition)
        assert len(maker._open[0].observations) <= 3 + 4 + 2


def test_S_IO_02_shards_of_sequences_rebuild_an_identical_buffer():
    maker = sequencer(4, 2, 2, 2)
    buffer, shards = ReplayBuffer(maker.zeros(60)), []
    for now, transition in enumerate(experience(2, 200)):
        rows = maker.push(transition)
        if rows is not None:
            buffer.append(rows)
        if now % 50 == 49:
            shards.append(buffer.shard())
    rebuilt = ReplayBuffer(maker.zeros(60))
    ends = [shard["first_row"] for shard in shards[1:]] + [buffer.rows]
    for shard, end in zip(shards, ends, strict=True):
        if end > buffer.rows - 60:
            rebuilt.load_shard(shard)
    assert rebuilt.rows == buffer.rows > 120
    for ours, theirs in zip(buffer._fields, rebuilt._fields, strict=True):
        np.testing.assert_array_equal(ours, theirs)


# Minibatches ------------------------------------------------------------------------------------


def test_a_minibatch_is_time_first_and_its_steps_weigh_one():
    maker = sequencer(5, 2, 1, 2)
    buffer = ReplayBuffer(maker.zeros(100))
    for transition in experience(2, 200):
        rows = maker.push(transition)
        if rows is not None:
            buffer.append(rows)
    batch, places = buffer.sample(np.random.default_rng(0), 3, 6)
    now, after = batch.observation, batch.next_observation
    assert now.observation.shape == (3, 8, 6, 2)
    assert now.state.shape == (3, 2, 1, 6, 3)
    for k in range(3):
        for b in range(6):
            stored = Sequences(*(field[places[k, b]] for field in buffer._fields))
            np.testing.assert_array_equal(now.observation[k, :, b], stored.observation)
            np.testing.assert_array_equal(now.state[k, :, :, b], stored.state)
            np.testing.assert_array_equal(now.starts[k, :, b], stored.starts)
            np.testing.assert_array_equal(after.row[k, :, b], stored.after)
            np.testing.assert_array_equal(now.row[k, :, b], np.arange(5))
            for name in ("action", "reward", "discount"):
                np.testing.assert_array_equal(getattr(batch, name)[k, :, b], getattr(stored, name))
            assert ((batch.weight[k, :, b] > 0).numpy() == (stored.valid > 0)).all()
    torch.testing.assert_close(batch.weight.sum((1, 2)), torch.ones(3))
    counted = batch.weight[0][batch.weight[0] > 0]
    torch.testing.assert_close(counted, torch.full_like(counted, 1 / len(counted)))
    assert len(counted) < 30
    assert [each.row.shape for each in now] == [(5, 6)] * 3
    moved = now.to(torch.device("meta"))
    assert {getattr(moved, name).device.type for name in ("observation", "state", "starts")} == {
        "meta"
    }


def test_the_priority_of_a_sequence_is_near_its_largest_error():
    error = torch.tensor([[[1.0, 2.0], [3.0, 0.5], [9.0, 0.0]]])  # [K=1, T=3, B=2]
    weight = torch.tensor([[[0.2, 0.1], [0.2, 0.1], [0.0, 0.1]]])  # 9 does not count
    batch = Minibatches(None, None, None, None, None, weight)
    expected = torch.tensor([[0.9 * 3 + 0.1 * 2, 0.9 * 2 + 0.1 * 2.5 / 3]])
    torch.testing.assert_close(batch.priorities(error), expected)
    torch.testing.assert_close(batch.priorities(error[0]), error[0])  # single rows: themselves


# Networks ---------------------------------------------------------------------------------------


def history(rng, *, burn_in, length, extra, batch, size, states, dims=2):
    rows = burn_in + length + extra
    observation = torch.from_numpy(rng.normal(size=(rows, batch, dims)).astype(np.float32))
    state = torch.from_numpy(rng.normal(size=(states, 1, batch, size)).astype(np.float32))
    starts = torch.from_numpy(rng.random((rows, batch)) < 0.25)
    row = torch.from_numpy(rng.integers(length + extra, size=(length, batch)))
    return History(observation, state, starts, row)


def loop_of_cells(network, past, burn_in):
    """What the network says, step by step; no gradient through the burn-in."""
    layer, head = network.memory, network.head
    kind = nn.LSTMCell if layer.mode == "LSTM" else nn.GRUCell
    weights = dict(layer.named_parameters())
    cell = kind(layer.in_features, layer.out_features)

    def call(x, state):
        parameters = {name: weights[f"{name}_l0"] for name in dict(cell.named_parameters())}
        return torch.func.functional_call(cell, parameters, (x, state))

    state = [each[0] for each in past.state]
    outputs = []
    for row, (observation, start) in enumerate(zip(past.observation, past.starts, strict=True)):
        state = [torch.where(start[:, None], 0.0, each) for each in state]
        x = network.body(observation)
        new = call(x, tuple(state) if len(state) == 2 else state[0])
        state = list(new) if isinstance(new, tuple) else [new]
        if row < burn_in:
            state = [each.detach() for each in state]
        else:
            outputs.append(head(state[0]))
    everything = torch.stack(outputs)  # [L - burn-in, B, out]
    return torch.stack(
        [
            torch.stack([everything[past.row[t, b], b] for b in range(past.row.shape[1])])
            for t in range(len(past.row))
        ]
    )


@pytest.mark.parametrize("burn_in", [0, 3])
@pytest.mark.parametrize("encoder", ["lstm", "gru"])
def test_N_RNN_10_a_recurrent_network_is_a_loop_of_cells(encoder, burn_in):
    config = DQNConfig(encoder=encoder, hidden=(6,), memory_size=4, burn_in=burn_in)
    with seeded(0):
        network = build_network(config, SPACES[0], 4, 1)
    rng = np.random.default_rng(burn_in)
    states = 2 if encoder == "lstm" else 1
    past = history(rng, burn_in=burn_in, length=5, extra=2, batch=7, size=4, states=states)
    ours, theirs = network(past), loop_of_cells(network, past, burn_in)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
    weight = torch.randn(ours.shape, generator=torch.Generator().manual_seed(0))
    ours = torch.autograd.grad((ours * weight).sum(), list(network.parameters()))
    theirs = torch.autograd.grad((theirs * weight).sum(), list(network.parameters()))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
        assert b.abs().max() > 0


def test_N_RNN_10_nothing_before_an_episodes_start_is_remembered():
    config = DQNConfig(encoder="lstm", hidden=(6,), memory_size=4, burn_in=3)
    with seeded(0):
        network = build_network(config, SPACES[0], 4, 1)
    rng = np.random.default_rng(0)
    past = history(rng, burn_in=3, length=5, extra=1, batch=2, size=4, states=2)
    past.starts.zero_()
    past.starts[5, 0] = True  # two rows after the burn-in, in the first sequence only
    past.row[:] = torch.arange(5)[:, None]
    before = network(past)
    past.state.add_(1.0)
    past.observation[:5].mul_(-2.0)
    changed = network(past)
    assert torch.equal(changed[2:, 0], before[2:, 0])
    assert not torch.isclose(changed[:2, 0], before[:2, 0]).any()
    assert not torch.isclose(changed[:, 1], before[:, 1]).any()


@pytest.mark.parametrize("encoder", ["lstm", "gru"])
def test_steps_of_acting_are_a_sequence(encoder):
    """The state that acting carries along is the one that sequences begin with."""
    config = DQNConfig(encoder=encoder, hidden=(6,), memory_size=4, burn_in=0)
    with seeded(0):
        network = build_network(config, SPACES[0], 4, 1)
    rng, states = np.random.default_rng(1), 2 if encoder == "lstm" else 1
    past = history(rng, burn_in=0, length=6, extra=0, batch=3, size=4, states=states)
    past.row[:] = torch.arange(6)[:, None]
    whole, state = network(past), past.state
    for t in range(6):
        outputs, state = network.step(past.observation[t], state, past.starts[t])
        torch.testing.assert_close(outputs, whole[t], rtol=0, atol=1e-5)
    many = network.minibatches(
        History(*(torch.stack([field, field]) for field in vars(past).values()))
    )
    torch.testing.assert_close(many, torch.stack([whole, whole]))
