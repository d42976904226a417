"""Every registered world can be made, watched, played and read about."""

from functools import partial
from pathlib import Path

import gymnasium as gym
import numpy as np
import pygame
import pytest
from contract import DOCS, IDS, Kwargs, actions_of, equal, every_world, rollout
from fresh_process import printed_by
from gymnasium.envs.classic_control import PendulumEnv
from gymnasium.utils.play import PlayableGame
from gymnasium.vector import SyncVectorEnv

import envs

OWN_IDS = [id for id in IDS if id.startswith("dreamgym/")]
PAGES = sorted((DOCS / "envs").glob("*.md"))


def test_worlds_are_made_without_importing_envs(tmp_path: Path):
    program = (
        "import sys, gymnasium as gym\n"
        "print(gym.make('envs:dreamgym/Catch-v0').reset(seed=0)[0].shape)\n"
        "print(gym.make_vec('envs:dreamgym/CartPole-v0', num_envs=2).reset(seed=0)[0].shape)\n"
        "assert not {'torch', 'pygame', 'stable_baselines3', 'matplotlib'} & set(sys.modules)\n"
    )
    assert printed_by(program, cwd=tmp_path).split("\n") == ["(44, 44, 1)", "(2, 4)"]


@every_world
def test_specs_are_portable(id: str, kwargs: Kwargs):
    spec = gym.make(id, **kwargs).spec
    again = gym.envs.registration.EnvSpec.from_json(spec.to_json())
    assert equal(rollout(gym.make(again), 10, seed=0), rollout(gym.make(id, **kwargs), 10, seed=0))
    vector = gym.make_vec(id, num_envs=2, **kwargs)  # prefers our own vector environment
    assert type(vector).__name__ == "DynamicsVectorEnv"
    assert vector.spec.max_episode_steps == spec.max_episode_steps


@every_world
def test_every_render_mode_works_and_changes_nothing(id: str, kwargs: Kwargs):
    modes = gym.make(id, **kwargs).unwrapped.metadata["render_modes"]
    if id.startswith("dreamgym/"):
        assert modes == ["human", "rgb_array", "ansi"]
    expected = rollout(gym.make(id, **kwargs), 20, seed=2)
    for mode in modes:
        env = gym.make(id, render_mode=mode, **kwargs)
        assert type(env.metadata["render_fps"]) is int
        env.unwrapped.metadata["render_fps"] = env.unwrapped._window._fps = 10_000
        env.reset(seed=2)
        shown = env.render()
        if mode == "ansi":
            assert isinstance(shown, str)
            assert shown
        elif mode == "rgb_array":
            assert shown.dtype == np.uint8
            assert shown.ndim == 3
            assert shown.shape[2] == 3
            assert shown.std() > 1.0
            assert shown.shape[0] % 16 == shown.shape[1] % 16 == 0  # as video encoders like it
            before = shown.copy()
            shown.fill(0)
            assert np.array_equal(env.render(), before)
        else:
            assert shown is None
        assert equal(rollout(env, 20, seed=2), expected)
        env.close()
        env.close()


@pytest.mark.parametrize("id", OWN_IDS)
def test_a_vector_draws_what_its_environments_draw(id: str):
    vector = gym.make_vec(id, 3, "vector_entry_point", render_mode="rgb_array")
    many = SyncVectorEnv([partial(gym.make, id, render_mode="rgb_array")] * 3)
    vector.reset(seed=4)
    many.reset(seed=4)
    for action, _ in zip(actions_of(many), range(15), strict=False):
        frames, expected = vector.render(), many.render()
        assert isinstance(frames, tuple)
        assert equal(frames, expected)
        vector.step(action)
        many.step(action)


@every_world
def test_a_person_can_play(id: str, kwargs: Kwargs):
    env = gym.make(id, **kwargs)
    keys = env.unwrapped.get_keys_to_action()
    if not id.startswith("dreamgym/"):
        assert keys == {}
        return
    noop = getattr(env.unwrapped.dynamics, "noop", None)
    actions = [*keys.values()] if noop is None else [*keys.values(), noop]
    assert all(action in env.action_space for action in actions)
    if isinstance(env.action_space, gym.spaces.Discrete):
        assert set(actions) == set(range(env.action_space.n))
    else:
        assert equal(np.min(actions, axis=0), env.action_space.low)
        assert equal(np.max(actions, axis=0), env.action_space.high)
    env = gym.make(id, render_mode="rgb_array", **kwargs)
    env.reset(seed=0)
    game = PlayableGame(env)
    assert game.relevant_keys == {key for combination in keys for key in combination}
    pygame.display.quit()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_are_complete_and_listed(page: Path):
    text = page.read_text(encoding="utf-8")
    for heading in ("Actions", "Observations", "Rewards", "Start", "End", "Reference scores"):
        assert f"## {heading}" in text
    assert f"(envs/{page.name})" in (DOCS / "envs.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("id", OWN_IDS)
def test_every_world_has_a_page(id: str):
    assert any(f"`{id}`" in page.read_text(encoding="utf-8") for page in PAGES)


def test_E_04_the_documented_pendulum_is_gymnasiums():
    env, theirs = gym.make("pendulum:mine/Pendulum-v0"), PendulumEnv()
    assert env.spec.max_episode_steps == gym.spec("Pendulum-v1").max_episode_steps
    assert env.action_space == theirs.action_space
    assert env.observation_space == theirs.observation_space
    env.reset(seed=0)
    theirs.reset(seed=0)
    theirs.state = np.array([*env.unwrapped.state_dict()["state"].values()])
    fastest = 0.0
    for action, _ in zip(actions_of(env), range(200), strict=False):
        observation, reward, terminated, _, _ = env.step(action)
        expected, expected_reward, _, _, _ = theirs.step(action)
        np.testing.assert_allclose(observation, expected, rtol=0, atol=1e-6)
        assert abs(reward - expected_reward) < 1e-6
        assert not terminated
        fastest = max(fastest, abs(observation[2]))
    assert fastest > 3.0
    starts, _ = gym.make_vec("mine/Pendulum-v0", 5000).reset(seed=0)
    angles, speeds = np.arctan2(starts[:, 1], starts[:, 0]) / np.pi, starts[:, 2]
    for number in angles, speeds:  # uniform on [-1, 1], by the Kolmogorov-Smirnov test
        assert abs(np.sort(number) - np.linspace(-1, 1, 5000)).max() < 2 * 1.95 / np.sqrt(5000)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Lake", ": gymnasium.make('dreamgym/Lake-v0') makes it"),
        ("Cartpole", ": gymnasium.make('dreamgym/CartPole-v0') makes it"),
        ("make", ": it is gymnasium.make(id)"),
        ("Grd", "; did you mean 'Grid'?"),
    ],
)
def test_a_name_that_the_package_lacks_is_answered_with_what_makes_it(name, told):
    with pytest.raises(AttributeError) as asked:
        getattr(envs, name)
    assert str(asked.value) == f"module 'envs' has no attribute {name!r}{told}"
    with pytest.raises(ModuleNotFoundError) as imported:
        exec(f"from envs import {name}")
    assert str(imported.value) == f"cannot import name {name!r} from 'envs'{told}"
