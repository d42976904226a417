"""What environments return is made ours, or refused by name."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents.environments.door import Door, InvalidExperience
from agents.environments.masks import Masks
from agents.environments.parts import parts, row_space
from agents.environments.spaces import as_rows
from nets.near import shortened

BOX = gym.spaces.Box(np.array([-1, -np.inf], np.float32), np.array([1, np.inf], np.float32))
FREE = gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)
HALF = gym.spaces.Box(-np.inf, np.inf, (2,), np.float16)
PICTURE = gym.spaces.Box(0, 255, (2, 3), np.uint8)
CARDS = gym.spaces.Tuple([gym.spaces.Discrete(32), gym.spaces.Discrete(2, start=1)])


def door(space):
    return Door("World-v0", space)


SPACES = [
    (FREE, [[1e30, -1e30]], [[np.nan, 0.0], [0.0, np.inf], [1e300, 0.0]]),
    (HALF, [[6e4, -6e4]], [[np.inf, 0.0], [0.0, np.nan], [1e5, 0.0]]),
    (FREE, [[0, 1]], [["0.5", "1"], np.array([0, 1], "m8[s]"), np.ma.array([0, 1], mask=[1, 0])]),
    (BOX, [[1.0, 1e30], [-1.0, -3e38]], [[1.1, 0.0], [0.0, np.inf], [np.nan, 0.0], [0.0, 1e39]]),
    (BOX, [[1.0 + 1e-7, 0.0], [-1.000001, 0.0]], [[1.0001, 0.0]]),  # one rounding, and more
    (gym.spaces.Discrete(3, start=2), [2, 4.0], [1, 5, 2.5]),
    (gym.spaces.MultiDiscrete([2, 3]), [[1, 2], [0, 0]], [[2, 0], [0, 3], [-1, 0], [0, np.nan]]),
    (gym.spaces.Box(0, 3, (2,), np.uint8), [[0, 3]], [[4, 0]]),
    (PICTURE, [[[0, 255, 3], [1, 2, 3]]], [[[0, 256, 3], [1, 2, 3]], [[0, 0.5, 3], [1, 2, 3]]]),
    (gym.spaces.Box(0, 1, (2,), np.bool_), [[True, False], [1, 0.0]], [[2, 0]]),
    (gym.spaces.MultiBinary(2), [[0, 1]], [[-1, 0]]),
    (CARDS, [(3, 1), (31, 2)], [(32, 1), (0, 0)]),
]


@pytest.mark.parametrize(("space", "members", "strangers"), SPACES, ids=lambda s: str(s)[:20])
def test_members_are_taken_and_strangers_refused(space, members, strangers):
    ours = door(space)
    for member in members:
        row = ours.observation(member)
        assert row.dtype == (np.int64 if space is CARDS else space.dtype)
        np.testing.assert_allclose(row[0], member, rtol=1e-6)
    ours.steps = 9
    for stranger in strangers:
        with pytest.raises(InvalidExperience, match=r"World-v0 returned .* at step 9: expected a"):
            ours.observation(stranger)


def test_the_door_agrees_with_the_space_on_random_numbers():
    ours, verdicts = door(BOX), []
    for row in np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32):
        try:
            ours.observation(row)
            verdicts.append(True)
        except InvalidExperience:
            verdicts.append(False)
        assert verdicts[-1] == BOX.contains(row)
    assert 50 < sum(verdicts) < 200


def test_bounds_are_those_of_every_row_however_many_come():
    ours = door(gym.spaces.Box(np.array([0, -9], "f"), np.array([1, 9], "f")))
    for count in (2, 1, 4, 3, 40_000):
        rows = np.tile(np.array([1, 9], np.float32), (count, 1))
        np.testing.assert_array_equal(ours.observations(rows, count), rows)
        rows[-1] = [1, 10]
        with pytest.raises(InvalidExperience, match=r"\[1\] 10.0 at step 0"):
            ours.observations(rows, count)


@pytest.mark.parametrize(
    "picture",
    [
        np.arange(6, dtype=np.uint8).reshape(2, 3),
        np.arange(6, dtype=np.int64).reshape(2, 3),
        np.arange(6, dtype=np.float64).reshape(2, 3),
        np.arange(6, dtype=np.uint8).reshape(2, 3)[::-1, ::-1],
        np.asfortranarray(np.arange(6, dtype=np.uint8).reshape(2, 3)),
        torch.arange(6).view(2, 3),
        [[0, 1, 2], [3, 4, 5]],
    ],
    ids=["ours", "int64", "float64", "mirrored", "columns first", "torch", "list"],
)
def test_observations_become_copies_of_the_spaces_dtype_in_order(picture):
    row = door(PICTURE).observation(picture)
    assert row.dtype == np.uint8
    assert row.flags.c_contiguous
    assert row.base is None or row.base is not picture
    np.testing.assert_array_equal(row[0], np.asarray(picture))
    torch.from_numpy(row)  # takes no negative strides
    if isinstance(picture, np.ndarray):
        assert not np.shares_memory(row, picture)


def test_shapes_are_checked_also_where_every_number_is_allowed():
    with pytest.raises(InvalidExperience, match=r"of shape \(3, 2\) at step 0: expected \(2, 3\)"):
        door(PICTURE).observation(np.zeros((3, 2), np.uint8))
    with pytest.raises(
        InvalidExperience, match=r"shape \(2, 2, 3\) at step 0: expected \(3, 2, 3\)"
    ):
        door(PICTURE).observations(np.zeros((2, 2, 3), np.uint8), 3)
    with pytest.raises(InvalidExperience, match="expected a member of"):
        door(PICTURE).observation([[1, 2, 3], [4]])


def test_tensors_leave_their_graph():
    ours = door(gym.spaces.Box(-9, 9, (2,)))
    graph = torch.arange(2.0, requires_grad=True)
    assert ours.observation(graph).tolist() == [[0.0, 1.0]]
    assert ours.observations([graph, graph + 1], 2).tolist() == [[0.0, 1.0], [1.0, 2.0]]
    assert ours.reward(graph[1]).tolist() == [1.0]
    assert ours.rewards([*graph], 2).tolist() == [0.0, 1.0]
    assert ours.flags(graph, 2).tolist() == [False, True]
    masks = Masks(ours, gym.spaces.Discrete(2))
    assert masks.of_one({"action_mask": graph}).tolist() == [[False, True]]


REWARDS = [2, 2.0, np.float32(2), np.array([2.0]), np.array(2), torch.tensor(2.0), [2]]


@pytest.mark.parametrize("reward", REWARDS)
def test_a_reward_is_a_number_however_it_comes(reward):
    row = door(BOX).reward(reward)
    assert row.dtype == np.float64
    assert row.tolist() == [2.0]


NO_REWARDS = [np.nan, np.inf, -1e39, None, "much", "1", 1 + 1j, [1.0, 2.0], [], 10**400, 10**5000]
NO_REWARDS += [np.datetime64("2020"), np.timedelta64("NaT"), np.ma.masked]  # NumPy has numbers for


@pytest.mark.parametrize("reward", NO_REWARDS, ids=map(shortened, NO_REWARDS))
def test_what_is_no_reward_is_refused(reward):
    with pytest.raises(InvalidExperience, match=r"World-v0 returned .*reward.* at step 0"):
        door(BOX).reward(reward)


def test_rewards_of_many_are_copied_and_checked():
    theirs = np.array([1.0, 2.0], np.float32)
    rows = door(BOX).rewards(theirs, 2)
    theirs[:] = 7
    assert rows.tolist() == [1.0, 2.0]
    assert door(BOX).rewards(np.ones((2, 1)), 2).shape == (2,)
    with pytest.raises(InvalidExperience, match="the reward nan"):
        door(BOX).rewards(np.array([1.0, np.nan]), 2)
    with pytest.raises(InvalidExperience, match="rewards of shape"):
        door(BOX).rewards(np.ones(3), 2)


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int64, np.float32])
def test_flags_become_bool(dtype):
    theirs = np.array([1, 0], dtype)
    rows = door(BOX).flags(theirs, 2)
    theirs[:] = 0
    assert rows.dtype == np.bool_
    assert rows.tolist() == [True, False]


@pytest.mark.parametrize("flag", [np.nan, 0.5, "False", None, [True, [False]]])
def test_what_is_no_flag_is_refused(flag):
    with pytest.raises(
        InvalidExperience, match=r"World-v0 returned the flag .* at step 0: expected"
    ):
        door(BOX).flags(flag, 1)


# Parts ------------------------------------------------------------------------------------------

ROBOT = gym.spaces.Dict(
    {
        "camera": PICTURE,
        "goal": gym.spaces.Discrete(3, start=1),
        "arm": gym.spaces.Tuple([BOX, gym.spaces.MultiBinary(2)]),
    }
)
SEEN = {
    "camera": np.arange(6, dtype=np.uint8).reshape(2, 3),
    "goal": 2,
    "arm": (np.array([0.5, 7.0]), [1, 0]),
}


def test_parts_become_one_row_and_are_checked_by_name():
    ours = door(ROBOT)
    row = ours.observation(SEEN)
    by_name = {str(part.path): row[0, part.columns].tolist() for part in parts(ROBOT)}
    assert by_name == {
        "('arm', 0)": [0.5, 7.0],
        "('arm', 1)": [1.0, 0.0],
        "('camera',)": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
        "('goal',)": [2.0],
    }
    assert row.dtype == row_space(ROBOT).dtype == np.float32
    np.testing.assert_array_equal(ours.listed([SEEN, SEEN]), np.concatenate([row, row]))
    batch = gym.vector.utils.batch_space(ROBOT, 3).sample()
    many = ours.observations(batch, 3)
    for k in range(3):
        goal = {"camera": batch["camera"][k], "goal": batch["goal"][k]}
        one = goal | {"arm": (batch["arm"][0][k], batch["arm"][1][k])}
        np.testing.assert_array_equal(ours.observation(one)[0], many[k])
        rows, single = as_rows(ROBOT, one)
        assert single
        np.testing.assert_array_equal(rows[0], many[k])
    with pytest.raises(InvalidExperience, match=r"observation\['goal'\] 9 at step 0: expected a"):
        ours.observation(SEEN | {"goal": 9})
    with pytest.raises(InvalidExperience, match=r"observation\['arm'\]\[0\]\[1\] nan at step 0"):
        ours.observation(SEEN | {"arm": (np.array([0.5, np.nan]), [1, 0])})
    with pytest.raises(InvalidExperience, match=r"an observation without \['goal'\]"):
        ours.observation({"camera": SEEN["camera"], "arm": SEEN["arm"]})


def test_rows_keep_bytes_and_whole_numbers_where_all_parts_are_such():
    assert row_space(CARDS).dtype == np.int64
    assert row_space(gym.spaces.Dict(a=PICTURE, b=PICTURE)).dtype == np.uint8
    assert row_space(PICTURE) is PICTURE
    with pytest.raises(TypeError, match=r"the part \['mission'\] is Text.*FilterObservation"):
        parts(gym.spaces.Dict(image=PICTURE, mission=gym.spaces.Text(9)))
