"""Spaces: every choice becomes a member, and what is remembered comes back as it was."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.error import InvalidAction
from hypothesis import given
from hypothesis import strategies as st

from agents.dqn.replay import ReplayBuffer
from agents.dqn.rows import Rows
from agents.policy_gradient.actions import action_model
from envs.actions import action_reader
from nets.layers.distributions import bounded
from nets.layers.norm import RunningNorm

SEEDS = st.integers(0, 2**31 - 1)
BOUND = st.floats(-1e3, 1e3, width=32)


@st.composite
def boxes(draw, bounded_only=False):
    """Boxes of one or two axes, some of them open on a side."""
    shape = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)))
    low, high = np.empty(shape, np.float32), np.empty(shape, np.float32)
    for place in np.ndindex(shape):
        ends = sorted((draw(BOUND), draw(BOUND)))
        open_ends = 0 if bounded_only else draw(st.sampled_from([0, 0, 1, 2, 3]))
        low[place] = -np.inf if open_ends & 1 else ends[0]
        high[place] = np.inf if open_ends & 2 else ends[1]
    return gym.spaces.Box(low, high, dtype=np.float32)


DISCRETE = st.builds(gym.spaces.Discrete, st.integers(1, 9), start=st.integers(-5, 5))
MULTI = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(gym.spaces.MultiDiscrete)
COINS = st.integers(1, 5).map(gym.spaces.MultiBinary)
SPACES = st.one_of(DISCRETE, MULTI, COINS, boxes())


@given(SPACES, SEEDS, st.floats(0, 50))
def test_N_HEAD_05_every_choice_becomes_a_member_of_the_space(space, seed, scale):
    model, rng = action_model(space), np.random.default_rng(seed)
    outputs = (scale * rng.standard_normal((6, model.size))).astype(np.float32)
    for choice in (model.sample(outputs, rng), model.mode(outputs)):
        actions = model.to_space(choice)
        assert len(actions) == 6
        for action in actions:
            assert action in space, (action, space)
        log_prob = model.distribution(torch.from_numpy(outputs)).log_prob(torch.as_tensor(choice))
        assert log_prob.shape == (6,)
        assert not log_prob.isnan().any()


@given(st.one_of(DISCRETE, MULTI), SEEDS)
def test_N_HEAD_05_what_is_chosen_has_the_probability_that_the_outputs_say(space, seed):
    """π(a) = exp log π(a) sums to 1 over all choices, and the mode has the most of it."""
    model, rng = action_model(space), np.random.default_rng(seed)
    outputs = rng.standard_normal((1, model.size)).astype(np.float32)
    sizes = [int(space.n)] if isinstance(space, gym.spaces.Discrete) else list(space.nvec)
    choices = np.stack(np.meshgrid(*map(np.arange, sizes), indexing="ij"), -1)
    choices = choices.reshape(-1, len(sizes))
    if isinstance(space, gym.spaces.Discrete):
        choices = choices[:, 0]
    rows = torch.from_numpy(outputs).expand(len(choices), -1)
    log_prob = model.distribution(rows).log_prob(torch.from_numpy(choices))
    assert log_prob.exp().sum().item() == pytest.approx(1.0, abs=1e-5)
    best = choices[log_prob.argmax()]
    np.testing.assert_array_equal(model.mode(outputs)[0], best)
    assert len({tuple(np.ravel(action)) for action in model.to_space(choices)}) == len(choices)


@given(boxes(bounded_only=True), SEEDS, st.floats(0, 20))
def test_N_HEAD_05_squashed_choices_stay_between_the_bounds(space, seed, scale):
    model, rng = action_model(space, squash=True), np.random.default_rng(seed)
    outputs = (scale * rng.standard_normal((6, model.size))).astype(np.float32)
    for action in model.to_space(model.sample(outputs, rng)):
        assert action in space, (action, space)


@given(BOUND, BOUND, st.floats(-1e6, 1e6, width=32))
def test_N_HEAD_04_a_bounded_output_never_leaves_its_interval(one, other, x):
    low, high = sorted((one, other))
    y = bounded(torch.tensor(x), torch.tensor(low), torch.tensor(high)).item()
    assert low <= y <= high


@given(DISCRETE, st.integers(-20, 20))
def test_worlds_take_the_members_of_their_actions_and_nothing_else(space, action):
    reader = action_reader(space)
    if action in space:
        assert reader.one(action) == action
        assert reader.many([action, int(space.start)], 2).tolist() == [action, space.start]
        return
    for read in (lambda: reader.one(action), lambda: reader.many([int(space.start), action], 2)):
        with pytest.raises(InvalidAction, match=str(action)):
            read()


OBSERVATIONS = st.one_of(
    DISCRETE,
    MULTI,
    COINS,
    boxes(),
    st.just(gym.spaces.Box(0, 255, (3, 4, 4), np.uint8)),
    st.just(gym.spaces.Box(-9, 9, (2,), np.int32)),
)


@given(OBSERVATIONS, SPACES, st.integers(1, 9), st.integers(1, 25), SEEDS)
def test_replay_gives_back_the_newest_rows_as_they_were(seen, done, capacity, rows, seed):
    for number, space in enumerate((seen, done)):
        space.seed(seed % 1000 + number)
    members = [(seen.sample(), done.sample(), seen.sample()) for _ in range(rows)]
    buffer = ReplayBuffer(Rows.zeros(capacity, seen, done))
    for k, (before, action, after) in enumerate(members):
        row = (np.asarray(x)[None] for x in (before, action, [float(k)], [0.5], after))
        observation, act, reward, discount, following = row
        buffer.append(Rows(observation, act, reward[0], discount[0], following))
    assert len(buffer) == min(rows, capacity)
    batch, places = buffer.sample(np.random.default_rng(seed), 2, 16)
    numbers = batch.reward.long()  # [2, 16] which row it was
    assert numbers.min() >= rows - len(buffer)
    np.testing.assert_array_equal(numbers % capacity, places)
    for at in np.ndindex(2, 16):
        before, action, after = members[numbers[at]]
        np.testing.assert_array_equal(batch.observation[at].numpy(), before)
        np.testing.assert_array_equal(batch.action[at].numpy(), action)
        np.testing.assert_array_equal(batch.next_observation[at].numpy(), after)


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=6),
    st.sampled_from(["zscore", "minmax"]),
    st.floats(-1e4, 1e4),
    st.floats(1e-3, 1e3),
    SEEDS,
)
def test_N_NORM_02_statistics_do_not_depend_on_how_the_data_were_split(
    parts, mode, shift, scale, seed
):
    x = shift + scale * torch.randn(sum(parts), 3, generator=torch.Generator().manual_seed(seed))
    split, whole = RunningNorm(3, mode=mode), RunningNorm(3, mode=mode)
    for part in x.split(parts):
        split.update(part)
    whole.update(x)
    for name, expected in whole.state_dict().items():
        torch.testing.assert_close(split.state_dict()[name], expected, rtol=1e-6, atol=1e-6)
    normal = x.numpy().astype(np.float64)
    if mode == "zscore":
        expected = (normal - normal.mean(0)) / np.sqrt(normal.var(0) + 1e-8)
    else:
        spread = np.ptp(normal, axis=0)
        expected = (normal - normal.min(0)) / np.where(spread > 0, spread, 1.0)
    tolerance = 1e-5 * (1 + abs(shift) / scale)  # what float32 leaves of x - μ
    np.testing.assert_allclose(split.eval()(x), expected, rtol=0, atol=tolerance)
