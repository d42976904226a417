"""Every registered world keeps the contract: one text, seeds, saving, errors."""

import copy
import pickle
import re
import warnings
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from contract import (
    Kwargs,
    actions_of,
    check_no_sharing,
    check_no_sharing_scalar,
    check_one_text,
    equal,
    every_world,
    rollout,
    same,
    vectors_agree,
)
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, VectorEnv
from stable_baselines3.common.env_checker import check_env as sb3_check_env


@every_world
@pytest.mark.parametrize("mode", AutoresetMode)
def test_scalar_vector_and_sync_agree(id: str, kwargs: Kwargs, mode: AutoresetMode):
    check_one_text(id, 3, mode, limit=None, **kwargs)
    assert check_one_text(id, 1, mode, limit=1, **kwargs) > 0
    assert check_one_text(id, 37, mode, limit=13, **kwargs) > 37


@every_world
def test_results_share_no_memory(id: str, kwargs: Kwargs):
    for mode in AutoresetMode:
        make = partial(gym.make_vec, id, 5, "vector_entry_point", max_episode_steps=7, **kwargs)
        check_no_sharing(make(autoreset_mode=mode), make(autoreset_mode=mode))
    check_no_sharing_scalar(gym.make(id, **kwargs), gym.make(id, **kwargs))


@every_world
def test_gymnasium_and_sb3_accept(id: str, kwargs: Kwargs):
    env = gym.make(id, **kwargs)
    with warnings.catch_warnings():
        # An unbounded velocity is no mistake.
        warnings.filterwarnings("ignore", r".*A Box observation space \w+ value is -?infinity")
        # Advice: actions in [-1, 1]; boards, which are no pictures, flat.
        warnings.filterwarnings("ignore", r".*recommend .*normalized .*space")
        if env.observation_space.dtype == np.float32 and len(env.observation_space.shape) > 1:
            warnings.filterwarnings("ignore", r".*[Yy]our observation .*(shape|image)")
            warnings.filterwarnings("ignore", r".*minimal resolution")
        check_env(env.unwrapped)
        goals = isinstance(env.observation_space, gym.spaces.Dict)
        sb3_check_env(env.unwrapped if goals else env)  # it asks for rewards through no wrapper
    env.close()
    env.close()


@every_world
def test_a_seed_repeats_and_episodes_do_not_depend_on_the_past(id: str, kwargs: Kwargs):
    one, other = gym.make(id, **kwargs), gym.make(id, **kwargs)
    first = rollout(one, 60, seed=3)
    assert equal(first, rollout(other, 60, seed=3))
    assert equal(first, rollout(one, 60, seed=3))
    assert one.unwrapped.np_random_seed == 3
    one.reset(seed=9)
    one.step(one.action_space.sample())
    other.reset(seed=9)
    assert equal(rollout(one, 30), rollout(other, 30))  # episode 1 of seed 9, whatever happened


@every_world
def test_a_first_reset_needs_no_seed(id: str, kwargs: Kwargs):
    env, again = gym.make(id, **kwargs), gym.make(id, **kwargs)
    said = rollout(env, 30)
    assert equal(said, rollout(again, 30, seed=env.unwrapped.np_random_seed))
    vector = gym.make_vec(id, 3, "vector_entry_point", **kwargs)
    observations, _ = vector.reset()
    again_vector = gym.make_vec(id, 3, "vector_entry_point", **kwargs)
    assert same(again_vector.reset(seed=vector.np_random_seed)[0], observations)


@every_world
@pytest.mark.parametrize("copied", [lambda env: pickle.loads(pickle.dumps(env)), copy.deepcopy])
def test_copies_go_on_alike(id: str, kwargs: Kwargs, copied: Any):
    for mode in [None, *gym.make(id, **kwargs).metadata["render_modes"]]:
        env = gym.make(id, render_mode=mode, **kwargs)
        env.unwrapped._window._fps = 10_000
        rollout(env, 5, seed=1)
        if mode is not None:
            env.render()
        twin = copied(env)
        assert equal(rollout(env, 20, start=False), rollout(twin, 20, start=False))
        env.close()
        twin.close()
    vector = gym.make_vec(id, 4, "vector_entry_point", max_episode_steps=9, **kwargs)
    assert vectors_agree(vector, copied(vector), seed=1)  # copied before the first reset
    assert vectors_agree(vector, copied(vector), seed=None)


@every_world
def test_state_dicts_go_back(id: str, kwargs: Kwargs):
    env = gym.make(id, **kwargs).unwrapped
    rollout(env, 5, seed=1)
    saved = env.state_dict()
    expected = rollout(env, 20, start=False)
    fresh = gym.make(id, **kwargs).unwrapped
    for target in (env, fresh):
        target.load_state_dict(copy.deepcopy(saved))
        assert equal(rollout(target, 20, start=False), expected)
    make = partial(gym.make_vec, id, 4, "vector_entry_point", max_episode_steps=9, **kwargs)
    vector, others = make(), make()
    vector.reset(seed=1)
    for action, _ in zip(actions_of(vector), range(12), strict=False):
        vector.step(action)
    saved = vector.unwrapped.state_dict()
    before = copy.deepcopy(saved)
    others.unwrapped.load_state_dict(saved)
    assert vectors_agree(vector, others, seed=None)
    for part in (lambda saved: saved["state"], lambda saved: {**saved, "state": 0}):
        assert equal(list(part(before).values()), list(part(saved).values()))  # not written to
    with pytest.raises(ValueError, match="expected 3 environments"):
        gym.make_vec(id, 3, "vector_entry_point", **kwargs).unwrapped.load_state_dict(saved)


@every_world
def test_errors_are_clear_and_change_nothing(id: str, kwargs: Kwargs):
    env = gym.make(id, **kwargs).unwrapped
    with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
        env.step(env.action_space.sample())
    rendering = gym.make(id, render_mode="ansi", **kwargs).unwrapped if has_text(env) else None
    if rendering is not None:
        with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
            rendering.render()
    with pytest.warns(UserWarning, match="render_mode"):
        env.render()
    with pytest.raises(gym.error.UnsupportedMode, match="'sepia' is not one of"):
        type(env)(env.dynamics, render_mode="sepia")
    expected = rollout(env, 20, seed=6)[1:]
    env.reset(seed=6)
    for wrong in wrong_actions(env.action_space):
        with pytest.raises(InvalidAction, match=re.escape(str(env.action_space))):
            env.step(wrong)
    assert equal(rollout(env, 20, start=False), expected)
    env.reset(seed=6)
    over = False
    for action, _ in zip(actions_of(env), range(20_000), strict=False):
        if over:
            with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
                env.step(action)
            env.reset()
            break
        over = env.step(action)[2]


def has_text(env: Any) -> bool:
    return "ansi" in env.metadata["render_modes"]


def wrong_actions(space: gym.Space) -> list[Any]:
    if isinstance(space, gym.spaces.Discrete):
        return [
            int(space.start + space.n),
            int(space.start) - 1,
            0.5,
            None,
            "a",
            [0],
            np.array([0]),
        ]
    return [space.high + 1.0, space.low - 1.0, np.full(space.shape, np.nan), np.zeros(7), 0.0]


@every_world
def test_vector_errors_are_clear_and_change_nothing(id: str, kwargs: Kwargs):
    make = partial(gym.make_vec, id, 3, "vector_entry_point", max_episode_steps=4, **kwargs)
    vector = make(autoreset_mode="Disabled", **draws(id, kwargs))
    actions = vector.action_space.sample()
    with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
        vector.step(actions)
    if vector.render_mode is not None:
        with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
            vector.render()
    with pytest.raises(ResetNeeded, match="leave environments out"):
        vector.reset(options={"reset_mask": np.array([True, False, True])})
    with pytest.raises(gym.error.UnsupportedMode, match="'human' is not one of"):
        make(render_mode="human")
    with pytest.warns(UserWarning, match="render_mode"):
        make().render()
    vector.reset(seed=6)
    for wrong in wrong_actions(vector.single_action_space):
        bad = [*actions]
        bad[1] = wrong
        with pytest.raises(InvalidAction, match=re.escape(str(vector.single_action_space))):
            vector.step(bad)
    for wrong in (actions[:2], actions[None], None):
        with pytest.raises(InvalidAction):
            vector.step(wrong)
    for seed, error in (
        ([1, 2], ValueError),
        ([1, 2, -3], gym.error.Error),
        ([1, 2, 0.5], TypeError),
        (-1, gym.error.Error),
    ):
        with pytest.raises(error):
            vector.reset(seed=seed)
    for mask, error in (
        ([True, True, False], TypeError),
        (np.array([1, 0, 1]), TypeError),
        (np.array([True]), ValueError),
        (np.zeros(3, bool), ValueError),
    ):
        with pytest.raises(error, match="reset_mask"):
            vector.reset(options={"reset_mask": mask})
    assert vectors_agree_until_the_end(vector, make(autoreset_mode="Disabled"))


def draws(id: str, kwargs: Kwargs) -> Kwargs:
    modes = gym.make(id, **kwargs).metadata["render_modes"]
    return {"render_mode": "rgb_array"} if "rgb_array" in modes else {}


def vectors_agree_until_the_end(used: VectorEnv, fresh: VectorEnv) -> bool:
    """Step to the time limit of 4 and into the next episodes; `used` was reset with seed 6."""
    fresh.reset(seed=6)
    for action, _ in zip(actions_of(used), range(8), strict=False):
        said, expected = used.step(action)[:4], fresh.step(action)[:4]
        assert equal(said, expected)
        over = said[2] | said[3]
        if over.any():
            with pytest.raises(ResetNeeded, match=re.escape(f"{np.flatnonzero(over).tolist()}")):
                used.step(action)
            assert same(*(env.reset(options={"reset_mask": over})[0] for env in (used, fresh)))
    return True
