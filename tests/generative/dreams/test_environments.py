"""Dreams as environments: Gymnasium's own checks, and one dream at a time or many, bit for bit."""

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from generative.dreams import DREAM_ID
from generative.dreams.pictures import GAP, PAPER
from generative.dreams.scalar import DreamEnv
from generative.dreams.tables import best_policy, chain
from generative.dreams.vector import DreamVectorEnv
from tests.helpers.worlds import KINDS, small_world

SAME_STEP, NEXT_STEP, DISABLED = (
    AutoresetMode.SAME_STEP,
    AutoresetMode.NEXT_STEP,
    AutoresetMode.DISABLED,
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore:.*(minimum|maximum) value is:UserWarning")
@pytest.mark.filterwarnings("ignore:.*symmetric and normalized space:UserWarning")
def test_dream_passes_the_checks_of_gymnasium(kind):
    env = gym.make(DREAM_ID, run=small_world(kind), render_mode="rgb_array")
    check_env(env.unwrapped, skip_close_check=True)


@pytest.mark.parametrize("mode", AutoresetMode, ids=lambda mode: mode.name)
@pytest.mark.parametrize("kind", KINDS)
def test_many_dreams_are_what_each_would_be_alone(kind, mode):
    world, count = small_world(kind), 3
    many = DreamVectorEnv(world, count, autoreset_mode=mode, horizon=7)
    single = SyncVectorEnv([lambda: DreamEnv(world, horizon=7)] * count, autoreset_mode=mode)
    assert np.array_equal(many.reset(seed=11)[0], single.reset(seed=11)[0])
    many.action_space.seed(0)
    ended = 0
    for _ in range(20):
        action = many.action_space.sample()
        found, expected = many.step(action), single.step(action)
        for a, b in zip(found[:4], expected[:4], strict=True):
            assert a.dtype == b.dtype
            assert np.array_equal(a, b)
        over = found[2] | found[3]
        ended += over.sum()
        if mode is SAME_STEP:
            for row in np.flatnonzero(over):
                assert np.array_equal(found[4]["final_obs"][row], expected[4]["final_obs"][row])
        if mode is DISABLED and over.any():
            options = {"reset_mask": over}
            a, b = (env.reset(options=dict(options))[0] for env in (many, single))
            assert np.array_equal(a, b)
    assert ended >= count


def test_a_dream_does_not_depend_on_how_many_there_are():
    """Row 2 of 3, of 70 and alone: the same bits, beyond a block of rows too."""
    world = small_world("pixels")
    seen = []
    for count, row in ((3, 2), (70, 2), (70, 67)):
        env = DreamVectorEnv(world, count, horizon=9, autoreset_mode=SAME_STEP)
        env.reset(seed=100 - row)
        actions = np.arange(9)[:, None].repeat(count, 1) % 3
        seen.append([[part[row] for part in env.step(action)[:4]] for action in actions])
    for other in seen[1:]:
        assert all(
            np.array_equal(a, b)
            for x, y in zip(seen[0], other, strict=True)
            for a, b in zip(x, y, strict=True)
        )


def test_seed_is_a_dream_and_streams_go_on():
    env = DreamEnv(small_world("table"), starts="any", horizon=5)

    def dream(**seed):
        shown = []
        for _ in range(8):  # the first dream is of the seed
            shown += [env.reset(**seed)[0], env.step(1)[0]]
            seed = {}
        return shown

    first, second = dream(seed=4), dream()
    assert first != second
    assert dream(seed=4) == first
    assert dream() == second


def test_copies_and_pickles_dream_on_alike():
    env = DreamEnv(small_world("pixels"))
    for seed in range(20):
        env.reset(seed=seed)
        if not env.step(1)[2]:  # a world that has learned nothing ends at any time
            break
    for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert np.array_equal(other.step(0)[0], copy.deepcopy(env).step(0)[0])


def test_horizon_truncates_and_does_not_terminate():
    env = DreamEnv(small_world("table"), horizon=2)
    env.reset(seed=0)
    assert [env.step(3)[2:4] for _ in range(2)] == [(False, False), (False, True)]  # to the left
    assert DreamEnv(small_world("continuous")).horizon == small_world("continuous").longest
    with pytest.raises(ValueError, match="horizon is 0: expected at least 1 step"):
        DreamEnv(small_world("table"), horizon=0)


def test_dreams_that_have_not_begun_or_are_over_cannot_go_on():
    world = small_world("table")
    env = DreamEnv(world, horizon=1)
    with pytest.raises(ResetNeeded):
        env.step(0)
    env.reset(seed=0)
    env.step(0)
    with pytest.raises(ResetNeeded):
        env.step(0)
    many = DreamVectorEnv(world, 2, horizon=1, autoreset_mode=DISABLED)
    with pytest.raises(ResetNeeded):
        many.step(np.zeros(2, np.int64))
    with pytest.raises(ResetNeeded):
        many.reset(options={"reset_mask": np.array([True, False])})
    many.reset(seed=0)
    many.step(np.zeros(2, np.int64))
    with pytest.raises(ResetNeeded, match=r"\[0, 1\] have finished"):
        many.step(np.zeros(2, np.int64))


@pytest.mark.parametrize(
    ("kind", "action"),
    [("table", 4), ("table", -1), ("table", 0.5), ("continuous", [2.5]), ("continuous", [np.nan])],
)
def test_actions_that_are_none_are_refused(kind, action):
    world = small_world(kind)
    env, many = DreamEnv(world), DreamVectorEnv(world, 2)
    env.reset(seed=0)
    many.reset(seed=0)
    with pytest.raises(InvalidAction):
        env.step(action)
    with pytest.raises(InvalidAction):
        many.step(np.array([action, action]))
    with pytest.raises(InvalidAction):
        many.step(np.array([action]))


def test_reality_goes_along_from_the_same_start():
    """With `beside`, the real world begins as the dream does, and gets its actions."""
    world = small_world("ensemble")
    env = DreamEnv(world, beside=True, render_mode="rgb_array")
    real = world.spec.make()
    for seed in (0, 3):
        assert np.array_equal(env.reset(seed=seed)[0], real.reset(seed=seed)[0])
        assert np.array_equal(env._reality._shown[0].numpy(), real.reset(seed=seed)[0])
        env.step(1)
        assert np.array_equal(env._reality._shown[0].numpy(), real.step(1)[0])
    alone = DreamEnv(world, render_mode="rgb_array")
    alone.reset(seed=0)
    height, width, _ = alone.render().shape
    both = env.render()
    assert both.shape == (height, 2 * width + GAP, 3)
    assert (both[:, width : width + GAP] == PAPER).all()


@pytest.mark.parametrize("kind", ["ensemble", "board", "pixels", "states"])
def test_pictures_have_the_size_that_is_asked_for(kind):
    """Their longer side; where cells grow by a whole factor they stay as sharp as they are."""
    world = small_world(kind)
    made = {"run": world, "render_mode": "rgb_array"}
    sizes = [gym.make(DREAM_ID, **made, render_size=size) for size in (None, 100, 400)]
    for env in sizes:
        env.reset(seed=2)
    usual, small, large = (env.render() for env in sizes)
    height, width = (round(100 * side / max(usual.shape)) for side in usual.shape[:2])
    assert small.shape == (height, width, 3)
    many = gym.make_vec(DREAM_ID, 2, **made, render_size=400)
    many.reset(seed=2)
    assert np.array_equal(many.render()[0], large)
    if kind == "board":  # 10x10
        assert np.array_equal(large, usual[::19, ::19].repeat(40, 0).repeat(40, 1))
    both = gym.make(DREAM_ID, **made, render_size=100, beside=True)
    both.reset(seed=2)
    assert both.render().shape == (height, 2 * width + GAP, 3)


@pytest.mark.parametrize("size", [7, 4097, 96.5])
def test_sizes_that_no_picture_has_are_refused(size):
    with pytest.raises(ValueError, match="render_size is a number of pixels from 8 to 4096, got"):
        gym.make(DREAM_ID, run=small_world("table"), render_size=size)


def test_keys_are_those_of_the_real_world():
    real = small_world("pixels").spec.make().unwrapped
    assert DreamEnv(small_world("pixels")).get_keys_to_action() == real.get_keys_to_action()


def test_planners_read_the_table_of_a_world_that_was_counted():
    """Our value iteration plans in the dream; what is promised there is what is said of it."""
    from agents.tabular.dynamic_programming import value_iteration
    from agents.tabular.model import Model

    env = DreamEnv(small_world("table"))
    solution = value_iteration(Model.from_env(env), 0.99)
    _, values = best_policy(chain(env.P))
    np.testing.assert_allclose(solution.values, values, atol=1e-6)
    assert env.initial_state_distrib[0] == 1
    with pytest.raises(AttributeError, match="no attribute 'P'"):
        _ = DreamEnv(small_world("pixels")).P


@pytest.mark.parametrize("kind", ["ensemble", "pixels"])
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_dream_passes_the_checks_of_stable_baselines3(kind):
    from stable_baselines3.common.env_checker import check_env as check

    check(DreamEnv(small_world(kind)))


def test_starts_are_those_asked_for():
    world = small_world("table")
    many = DreamVectorEnv(world, 200, starts="any")
    assert len(np.unique(many.reset(seed=0)[0])) > 5
    assert (DreamVectorEnv(world, 200).reset(seed=0)[0] == 0).all()
    with pytest.raises(ValueError, match="starts is 'nowhere': expected one of first, any, real"):
        DreamEnv(world, starts="nowhere")
