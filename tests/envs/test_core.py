"""The machinery under the worlds: number worlds, actions, time limits, registration."""

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.error import InvalidAction

from envs import DynamicsEnv, DynamicsVectorEnv, register_world
from envs.actions import action_reader
from envs.numbers import Pictures, Table, batch, scalar

RNG = np.random.default_rng(0)
FLOATS = np.concatenate([RNG.normal(size=200), [0.0, 1.0, -1.0, 0.5, 1e-300, 40.0]])
OTHERS = RNG.permutation(FLOATS)


# --- number worlds -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "compute",
    [
        lambda xp, x, y: xp.where(x > y, x, y),
        lambda xp, x, y: xp.where((x > 0.0) & (y > 0.0) | (x < -1.0), x, 7.0),
        lambda xp, x, y: xp.clip(x, -0.5, 0.5),
        lambda xp, x, y: xp.minimum(x, y),
        lambda xp, x, y: xp.maximum(x, y),
        lambda xp, x, y: xp.sin(x) + xp.cos(y),
        lambda xp, x, y: xp.exp(x) * xp.sqrt(abs(y)),
        lambda xp, x, y: (x + np.pi) % (2 * np.pi) - np.pi,
        lambda xp, x, y: x * x + 0.1 * y - x / 3.0,
    ],
)
def test_number_worlds_give_the_same_bits(compute):
    expected = compute(batch, FLOATS, OTHERS)
    pairs = zip(FLOATS.tolist(), OTHERS.tolist(), strict=True)
    one_by_one = [compute(scalar, *pair) for pair in pairs]
    assert all(type(number) is float for number in one_by_one)
    assert expected.dtype == np.float64
    assert expected.tolist() == one_by_one


def test_number_worlds_agree_on_what_is_no_number_and_on_limits_that_cross():
    numbers = np.nan, -1.0, 2.0
    for name, limits in (
        *((name, (y,)) for name in ("minimum", "maximum") for y in numbers),
        *(("clip", pair) for pair in ((-0.5, 0.5), (1.5, 1.0))),
    ):
        many = getattr(batch, name)(np.array(numbers), *limits)
        ones = [getattr(scalar, name)(x, *limits) for x in numbers]
        assert np.array_equal(many, ones, equal_nan=True), (name, limits)


@pytest.mark.parametrize("values", [[[1, 2], [3, 4]], [1.5, 2.5, -1.0, 0.0], [True, False] * 2])
def test_tables_give_numbers(values):
    table = Table(values)
    taken = batch.take(table, np.array([3, 0, 0]))
    assert taken.dtype == np.asarray(values).dtype
    assert taken.tolist() == [scalar.take(table, index) for index in (3, 0, 0)]
    assert type(scalar.take(table, 0)) is type(np.asarray(values).flat[0].item())


def test_pictures_are_copies():
    pictures = Pictures(np.arange(12).reshape(3, 2, 2))
    for shown, expected in (
        (scalar.picture(pictures, 1), [[4, 5], [6, 7]]),
        (batch.picture(pictures, np.array([1, 0])), [[[4, 5], [6, 7]], [[0, 1], [2, 3]]]),
    ):
        assert shown.tolist() == expected
        shown.fill(0)
    assert pictures.array.tolist() == np.arange(12).reshape(3, 2, 2).tolist()


def test_images_and_stacks_have_a_row_per_environment():
    one = scalar.image((2, 3), np.float32, 5, 0)
    many = batch.image((2, 3), np.float32, np.array([5, 1]), 0)  # a mark may be a constant
    assert one.dtype == many.dtype == np.float32
    assert one.tolist() == many[0].tolist() == [[1, 0, 0], [0, 0, 1]]
    assert many[1].tolist() == [[1, 1, 0], [0, 0, 0]]
    swapped = batch.image((2, 3), np.float32, 0, np.array([5, 1]))
    assert np.array_equal(swapped, many)
    assert scalar.stack((1.5, 2.0), np.float32).tolist() == [1.5, 2.0]
    stacked = batch.stack((1.5, np.array([2.0, 3.0])), np.float32)
    assert stacked.dtype == np.float32
    assert stacked.tolist() == [[1.5, 2.0], [1.5, 3.0]]


def test_one_number_meets_every_cell():
    cells = np.arange(6).reshape(2, 3)
    assert (scalar.every(5) - cells[0]).tolist() == [5, 4, 3]
    assert (batch.every(np.array([5, 7])) - cells).tolist() == [[5, 4, 3], [4, 3, 2]]


def test_cells_are_read_and_written_one_by_one():
    cells = np.arange(6, dtype=np.int32).reshape(2, 3)
    index, numbers = np.array([2, 0]), np.array([7, 8])
    assert batch.at(cells, index).tolist() == [2, 3]
    assert batch.put(cells, index, numbers).tolist() == [[0, 1, 7], [8, 4, 5]]
    assert [scalar.at(row, k) for row, k in zip(cells, (2, 0), strict=True)] == [2, 3]
    assert type(scalar.at(cells[0], 2)) is int
    assert scalar.put(cells[0], 2, 7).tolist() == [0, 1, 7]
    assert cells.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert batch.put(cells, index, numbers).dtype == scalar.put(cells[0], 2, 7).dtype == np.int32


def test_the_nth_true_cell_is_found():
    mask = RNG.random((50, 20)) < 0.4
    for n in range(10):
        found = batch.nth(mask, np.full(50, n))
        assert found.tolist() == [scalar.nth(row, n) for row in mask]
        for row, k in zip(mask, found, strict=True):
            places = np.flatnonzero(row)
            assert k == (places[n] if n < len(places) else 0)
    shared = batch.nth(mask[:1], np.array([0, 2]))  # one mask for all
    assert shared.tolist() == np.flatnonzero(mask[0])[[0, 2]].tolist()


# --- actions -----------------------------------------------------------------------------------


def test_discrete_actions_are_read_as_integers():
    reader = action_reader(spaces.Discrete(3, start=-1))
    for action in (1, np.int64(1), np.uint8(1), np.array(1)):
        read = reader.one(action)
        assert type(read) is int
        assert read == 1
    for dtype in (np.int64, np.int32, np.int8):
        read = reader.many(np.array([-1, 0, 1], dtype), 3)
        assert read.dtype == np.int64
        assert read.tolist() == [-1, 0, 1]
    for wrong in (-2, 2):
        with pytest.raises(InvalidAction, match=rf"action {wrong} is not in .* from -1 to 1"):
            reader.one(wrong)
        with pytest.raises(InvalidAction, match=rf"action {wrong} is not .* \(environment 1\)"):
            reader.many([0, wrong, 1], 3)
    with pytest.raises(InvalidAction, match="2 integers, one per environment"):
        reader.many([0, 0, 0], 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_box_actions_are_read_as_components(dtype):
    reader = action_reader(spaces.Box(np.float32([-1, -3]), np.float32([1, 3])))
    assert reader.one(np.array([1, -2], dtype)) == (1.0, -2.0)
    assert all(type(number) is float for number in reader.one(np.array([1, -2], dtype)))
    actions = np.array([[1, -2], [0, 3], [-1, 0]], dtype)
    components = reader.many(actions, 3)
    for component, expected in zip(components, actions.T, strict=True):
        assert component.dtype == np.float64
        assert component.flags.c_contiguous
        assert component.tolist() == expected.tolist()
    actions[1, 0] = 2
    with pytest.raises(InvalidAction, match=r"\(environment 1\)"):
        reader.many(actions, 3)
    with pytest.raises(InvalidAction, match="2 numbers from"):
        reader.one(actions[1])


def test_other_action_spaces_are_refused():
    for space in (spaces.MultiBinary(3), spaces.Box(0, 1, (2, 2))):
        with pytest.raises(TypeError, match="action"):
            action_reader(space)


# --- time limits -------------------------------------------------------------------------------


class Idle:
    """Never ends by itself."""

    observation_space = spaces.Discrete(1)
    action_space = spaces.Discrete(1)

    def initial(self, xp: Any, random: Any) -> Any:
        return Clock(0)

    def step(self, xp: Any, state: Any, action: Any, random: Any) -> tuple[Any, Any, Any]:
        return Clock(state.time + 1), 1.0, False

    def observe(self, xp: Any, state: Any) -> Any:
        return state.time * 0


class Clock(NamedTuple):
    time: Any


def test_each_environment_is_truncated_at_its_own_limit():
    vector = DynamicsVectorEnv(Idle(), 4, max_episode_steps=5, autoreset_mode="SameStep")
    vector.reset(seed=0)
    ends: list[list[int]] = [[], [], [], []]
    for step in range(1, 40):
        _, _, terminated, truncated, _ = vector.step(np.zeros(4, int))
        assert not terminated.any()
        for row in np.flatnonzero(truncated):
            ends[row].append(step)
        if step in (3, 11, 12):  # puts row 1 out of step with the others
            vector.reset(options={"reset_mask": np.array([False, True, False, False])})
    assert ends[0] == ends[2] == ends[3] == list(range(5, 40, 5))
    assert ends[1] == [8, *range(17, 40, 5)]


def test_without_a_limit_nothing_is_truncated():
    vector = DynamicsVectorEnv(Idle(), 2)
    vector.reset(seed=0)
    assert not any(vector.step(np.zeros(2, int))[3].any() for _ in range(2000))


# --- making and registering --------------------------------------------------------------------


class Scaled(Idle):
    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def step(self, xp: Any, state: Any, action: Any, random: Any) -> tuple[Any, Any, Any]:
        return Clock(state.time + 1), self.scale, False


def test_registered_arguments_reach_the_class_and_make_overrides_them():
    register_world(
        "test/Scaled-v0", f"{__name__}:Scaled", max_episode_steps=3, kwargs={"scale": 2.0}
    )
    for env, expected in (
        (gym.make("test/Scaled-v0"), 2.0),
        (gym.make("test/Scaled-v0", scale=5.0), 5.0),
    ):
        env.reset(seed=0)
        assert [env.step(0)[1:4] for _ in range(3)] == [
            (expected, False, False),
            (expected, False, False),
            (expected, False, True),
        ]
    vector = gym.make_vec("test/Scaled-v0", num_envs=2, scale=5.0)
    vector.reset(seed=0)
    assert vector.step([0, 0])[1].tolist() == [5.0, 5.0]
    with pytest.raises(TypeError, match="Scaled has no argument 'scael': did you mean 'scale'"):
        gym.make("test/Scaled-v0", scael=1.0)


def test_objects_take_no_options():
    assert DynamicsEnv(Scaled(3.0)).dynamics.scale == 3.0
    for kind in (DynamicsEnv, DynamicsVectorEnv):
        with pytest.raises(TypeError, match=r"options \['scale'\]"):
            kind(Scaled(), scale=2.0)


def test_only_tabular_worlds_have_a_model():
    env = DynamicsEnv(Idle())
    assert not hasattr(env, "P")
    env.dynamics.P = {0: {0: [(1.0, 0, 0.0, True)]}}
    assert gym.Wrapper(env).unwrapped.P == env.dynamics.P
    with pytest.raises(AttributeError, match="'DynamicsEnv' object has no attribute 'missing'"):
        _ = env.missing
