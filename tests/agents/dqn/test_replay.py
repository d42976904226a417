import gymnasium as gym
import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from agents.dqn.build import build_recorder, build_replay
from agents.dqn.config import DQNConfig
from agents.dqn.nstep import NStep
from agents.dqn.replay import ReplayBuffer
from agents.dqn.rows import Rows
from agents.loop.experience import Transition
from nets.runs.checkpoint import CheckpointError

BOX = gym.spaces.Box(-np.inf, np.inf, (2,), np.float32)
DISCRETE = gym.spaces.Discrete(4)


def rows(numbers):
    """Rows that can be told apart by their number."""
    n = np.asarray(numbers, float)
    return Rows(np.stack([n, -n], 1), n.astype(int) % 4, 10 * n, n / 1000, np.stack([n + 1, -n], 1))


def ring(capacity, space=BOX):
    """An empty buffer for observations of `space`."""
    return ReplayBuffer(Rows.zeros(capacity, space, DISCRETE))


def contents(buffer):
    """The remembered numbers in order of age, oldest first."""
    live = np.arange(max(buffer.rows - buffer.capacity, 0), buffer.rows) % buffer.capacity
    return (buffer._fields.reward[live] / 10).tolist()


def test_a_replay_that_no_memory_holds_is_told_by_the_name_of_its_setting():
    vast = gym.spaces.Box(0, 255, (4000, 4000), np.uint8)
    for config in (DQNConfig(buffer_size=10**8), DQNConfig(buffer_size=10**8, encoder="lstm")):
        recorder = build_recorder(config, (vast, DISCRETE), 1)
        with pytest.raises(ValueError, match=r"buffer_size is 100000000: expected as many steps"):
            build_replay(config, (vast, DISCRETE), recorder)


# The ring ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[1] * 23, [3] * 9, [7, 7, 7], [5, 1, 4, 2, 7, 1, 3], [7]])
def test_the_ring_holds_the_last_rows_in_their_places(sizes):
    buffer, total = ring(7), 0
    for size in sizes:
        buffer.append(rows(range(total, total + size)))
        total += size
        assert (buffer.rows, len(buffer)) == (total, min(total, 7))
        live = list(range(max(total - 7, 0), total))
        assert contents(buffer) == live
        for number in live:
            place = number % 7
            expected = rows([number])
            for name in Rows._fields:
                stored = getattr(buffer._fields, name)[place]
                wanted = getattr(expected, name)[0].astype(stored.dtype)
                np.testing.assert_array_equal(stored, wanted)


def test_samples_are_whole_rows():
    buffer = ring(50)
    buffer.append(rows(range(30)))
    batch, places = buffer.sample(np.random.default_rng(0), 4, 25)
    number = batch.reward / 10  # [4, 25]
    assert batch.observation.shape == batch.next_observation.shape == (4, 25, 2)
    torch.testing.assert_close(batch.observation, torch.stack([number, -number], -1))
    torch.testing.assert_close(batch.next_observation, torch.stack([number + 1, -number], -1))
    assert torch.equal(batch.action, number.long() % 4)
    torch.testing.assert_close(batch.discount, number / 1000)
    assert torch.equal(batch.weight, torch.full((4, 25), 1 / 25))
    np.testing.assert_array_equal(places, number)
    assert batch.action.dtype == torch.int64
    assert batch.next_mask is None
    assert all(field.dtype == torch.float32 for field in batch[:6] if field is not batch.action)


@pytest.mark.parametrize(
    ("appended", "live"), [(6, range(6)), (10, range(10)), (27, range(17, 27))]
)
def test_sampling_is_uniform_over_what_is_remembered(appended, live):
    buffer = ring(10)
    for number in range(appended):
        buffer.append(rows([number]))
    drawn = buffer.sample(np.random.default_rng(1), 100, 200)[0].reward / 10
    numbers, counts = np.unique(drawn.numpy(), return_counts=True)
    assert numbers.tolist() == list(live)
    assert chisquare(counts).pvalue > 0.01


def test_sampling_follows_the_generator_it_is_given():
    buffer = ring(10)
    buffer.append(rows(range(10)))
    first, again, other = (
        buffer.sample(np.random.default_rng(seed), 2, 8)[0].reward for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_sample_is_a_copy():
    buffer = ring(4)
    buffer.append(rows(range(4)))
    batch, _ = buffer.sample(np.random.default_rng(0), 1, 4)
    before = batch.reward.clone()
    buffer.append(rows(range(4, 8)))
    assert torch.equal(batch.reward, before)


@pytest.mark.parametrize(
    ("space", "dtype"),
    [
        (gym.spaces.Box(0, 255, (3, 4, 4), np.uint8), np.uint8),
        (gym.spaces.Box(-1, 1, (3,), np.float64), np.float32),
        (gym.spaces.Discrete(9), np.int64),
        (gym.spaces.MultiDiscrete([3, 3]), np.int64),
        (gym.spaces.MultiBinary(3), np.int8),
    ],
    ids=str,
)
def test_rows_keep_the_type_of_the_space_and_floats_are_single(space, dtype):
    buffer = ring(3, space)
    space.seed(0)
    sample = np.stack([space.sample() for _ in range(3)])
    buffer.append(Rows(sample, np.zeros(3, int), np.zeros(3), np.zeros(3), sample))
    stored = buffer._fields.observation
    assert stored.dtype == dtype
    np.testing.assert_array_equal(stored, sample.astype(dtype))


def test_spaces_without_rows_are_refused():
    with pytest.raises(TypeError, match=r"cannot store members of Dict.* expected Box or Discrete"):
        ring(3, gym.spaces.Dict({"a": BOX}))


def test_impossible_requests_are_named():
    with pytest.raises(ValueError, match="replay capacity is 0"):
        ring(0)
    with pytest.raises(ValueError, match="empty replay buffer"):
        ring(3).sample(np.random.default_rng(0), 1, 1)
    with pytest.raises(ValueError, match="n_step is 0"):
        NStep(0, 0.9, 1)


# Shards -----------------------------------------------------------------------------------------


def same(left, right):
    if (left.rows, len(left)) != (right.rows, len(right)):
        return False
    index = slice(0, len(left))
    fields = zip(left._fields, right._fields, strict=True)
    return all(np.array_equal(a[index], b[index]) for a, b in fields)


@pytest.mark.parametrize(
    ("capacity", "segments"),
    [
        (100, [20, 30, 10]),  # never full
        (50, [20, 20, 20, 20]),  # wraps between shards
        (30, [20, 25, 30, 17]),  # wraps within a shard
        (10, [25, 3, 40, 7]),  # segments longer than the memory
        (10, [0, 5, 0, 20, 0]),  # segments without a row
    ],
)
def test_S_IO_02_shards_rebuild_an_identical_buffer(capacity, segments):
    buffer, total, shards = ring(capacity), 0, []
    for size in segments:
        for number in range(total, total + size):
            buffer.append(rows([number]))
        total += size
        shards.append(buffer.shard())
        assert len(shards[-1]["reward"]) == min(size, capacity)
        rebuilt = ring(capacity)
        ends = [shard["first_row"] for shard in shards[1:]] + [total]
        for shard, end in zip(shards, ends, strict=True):
            if end > total - capacity:
                rebuilt.load_shard(shard)
        if rebuilt.rows:
            assert same(rebuilt, buffer)
            draws = [b.sample(np.random.default_rng(5), 3, 9)[0][:6] for b in (buffer, rebuilt)]
            assert all(torch.equal(a, b) for a, b in zip(*draws, strict=True))
        for both in (buffer, rebuilt):
            assert len(both.shard()["reward"]) == 0  # nothing is written twice


def test_shards_must_be_complete_and_fit():
    buffer = ring(100)
    shards = []
    for first in (0, 10, 20):
        buffer.append(rows(range(first, first + 10)))
        shards.append(buffer.shard())
    gap = ring(100)
    gap.load_shard(shards[0])
    with pytest.raises(CheckpointError, match="shard begins at row 20, expected 10"):
        gap.load_shard(shards[2])
    other = ring(100, gym.spaces.Box(-1, 1, (5,), np.float32))
    with pytest.raises(CheckpointError, match="shard does not fit this agent"):
        other.load_shard(shards[0])
    with pytest.raises(CheckpointError, match="shard does not fit this agent: 'reward'"):
        gap.load_shard({k: v for k, v in shards[1].items() if k != "reward"})


def test_a_cleared_buffer_is_a_new_one():
    buffer = ring(5)
    buffer.append(rows(range(4)))
    buffer.shard()
    buffer.clear()
    buffer.append(rows(range(10, 13)))
    assert contents(buffer) == [10, 11, 12]
    assert buffer.shard()["first_row"] == 0


# n steps ----------------------------------------------------------------------------------------


def random_steps(rng, num_envs, steps, next_step_mode):
    """Transitions with episodes that end at random; observations are [copy, time]."""
    over = np.zeros(num_envs, bool)
    for now in range(steps):
        valid = ~over if next_step_mode else np.ones(num_envs, bool)
        terminated = valid & (rng.random(num_envs) < 0.12)
        truncated = valid & (rng.random(num_envs) < 0.12)
        here = np.stack([np.arange(num_envs), np.full(num_envs, now)], 1).astype(float)
        yield Transition(
            here,
            rng.integers(4, size=num_envs),
            rng.normal(size=num_envs),
            here + np.array([0, 0.5]),
            terminated,
            truncated,
            valid,
            {},
        )
        over = terminated | truncated


def brute_force(transitions, num_envs, n, discount):
    """Every row by its definition: {(copy, time): (action, return, discount, next time)}."""
    expected = {}
    for k in range(num_envs):
        steps = [t for t in transitions if t.valid[k]]
        for start, first in enumerate(steps):
            total, factor, whole = 0.0, 1.0, False
            for count, step in enumerate(steps[start : start + n], start=1):
                total += factor * step.reward[k]
                factor *= discount
                whole = step.terminated[k] or step.truncated[k] or count == n
                if whole:
                    break
            if whole:
                factor = 0.0 if step.terminated[k] else factor
                after = step.next_observation[k, 1]
                key = k, first.observation[k, 1]
                expected[key] = (first.action[k], total, factor, after)
    return expected


@pytest.mark.parametrize("next_step_mode", [False, True], ids=["same step", "next step"])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 50])
@pytest.mark.parametrize("num_envs", [1, 4])
def test_A_FA_02_n_step_rows_are_their_definition(n, num_envs, next_step_mode):
    rng, maker = np.random.default_rng(n), NStep(n, 0.9, num_envs)
    transitions = list(random_steps(rng, num_envs, 150, next_step_mode))
    got, order = {}, []
    for transition in transitions:
        made = maker.push(transition)
        for o, a, r, d, after in zip(*made, strict=True) if made else ():
            assert o[0] == after[0]  # of the same copy
            assert tuple(o) not in got
            got[tuple(o)] = a, r, d, after[1]
            order.append(o[1])
    expected = brute_force(transitions, num_envs, n, 0.9)
    assert got.keys() == expected.keys()
    assert len(expected) > 50 * num_envs
    for key, row in got.items():
        np.testing.assert_allclose(row, expected[key], rtol=0, atol=1e-12)
    kinds = {row[2] for row in expected.values()}
    assert {0.0, 0.9} <= kinds  # some terminated, some truncated after one step
    if num_envs == 1:
        assert order == sorted(order)


@pytest.mark.parametrize("next_step_mode", [False, True], ids=["same step", "next step"])
def test_one_step_is_the_general_path_with_n_of_one(next_step_mode):
    quick, general = NStep(1, 0.9, 3), NStep(1, 0.9, 3)
    for transition in random_steps(np.random.default_rng(0), 3, 80, next_step_mode):
        one, other = quick.push(transition), general._windows(transition)
        assert (one is None) == (other is None)
        for a, b in zip(one or (), other or (), strict=True):
            np.testing.assert_array_equal(a, b)


def test_rows_without_a_transition_give_nothing():
    reset = Transition(
        np.zeros((2, 2)),
        np.zeros(2, int),
        np.zeros(2),
        np.zeros((2, 2)),
        np.zeros(2, bool),
        np.zeros(2, bool),
        np.zeros(2, bool),
        {},
    )
    assert NStep(1, 0.9, 2).push(reset) is None
    assert NStep(3, 0.9, 2).push(reset) is None
