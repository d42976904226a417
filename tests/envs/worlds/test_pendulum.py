"""Pendulum (curriculum E-04): Gymnasium's physics, rewards, spaces, limit; pictures."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.classic_control import PendulumEnv
from gymnasium.vector import SyncVectorEnv

import envs  # noqa: F401
from envs.worlds.pendulum import Pendulum, PendulumState


def reference(state: PendulumState) -> PendulumEnv:
    """Return Gymnasium's own environment in a state."""
    env = PendulumEnv()
    env.reset(seed=0)
    env.state = np.array(state)
    return env


@pytest.mark.parametrize("steadiness", [1, 10, 40])
def test_E_04_long_random_episodes_equal_gymnasiums_to_1e_6(steadiness):
    # Torques of few bits, so that Gymnasium's arithmetic in float32 is exact: the rest is chaos.
    env = gym.make("dreamgym/Pendulum-v0").unwrapped
    rng = np.random.default_rng(steadiness)
    for seed in range(3):
        env.reset(seed=seed)
        theirs = reference(PendulumState(**env.state_dict()["state"]))
        fastest = turns = 0.0
        for step in range(2000):
            if step % steadiness == 0:
                torque = (rng.integers(-512, 513, 1) / 256).astype(np.float32)
            observation, reward, terminated, truncated, _ = env.step(torque)
            expected, expected_reward, *_ = theirs.step(torque)
            np.testing.assert_allclose(observation, expected, rtol=0, atol=1e-6)
            assert observation.dtype == expected.dtype == np.float32
            assert reward == pytest.approx(expected_reward, abs=1e-6)
            assert not terminated | truncated
            fastest = max(fastest, abs(observation[2]))
            turns = max(turns, abs(theirs.state[0]) / (2 * np.pi))
        assert fastest > 3.0
        assert steadiness < 10 or turns > 0.5


def test_E_04_every_step_of_a_vector_equals_gymnasiums():
    # Gymnasium multiplies torques in float32, which adds up over an episode: each step starts anew.
    n = 64
    ours = gym.make_vec("dreamgym/Pendulum-v0", n, autoreset_mode="Disabled")
    theirs = SyncVectorEnv([PendulumEnv] * n, autoreset_mode="Disabled")
    ours.reset(seed=0)
    theirs.reset(seed=0)
    ours.action_space.seed(0)
    for step in range(1, 201):
        state = ours.state_dict()["state"]
        for env, angle, speed in zip(theirs.envs, state["angle"], state["speed"], strict=True):
            env.state = np.array([angle, speed])
        torques = ours.action_space.sample()
        said, expected = ours.step(torques), theirs.step(torques)
        np.testing.assert_allclose(said[0], expected[0], rtol=0, atol=5e-7)
        np.testing.assert_allclose(said[1], expected[1], rtol=0, atol=1e-8)
        assert not said[2].any()
        assert said[3].all() == said[3].any() == (step == 200)


def test_E_04_speed_is_limited_as_gymnasiums():
    env = gym.make("dreamgym/Pendulum-v0").unwrapped
    env.reset(seed=0)
    for state, torque in (((1.5, 7.9), 2.0), ((-1.5, -7.9), -2.0), ((1.5, 7.9), -2.0)):
        saved = env.state_dict()
        env.load_state_dict({**saved, "state": PendulumState(*state)._asdict()})
        theirs = reference(PendulumState(*state))
        action = np.array([torque], np.float32)
        observation, reward, *_ = env.step(action)
        expected, expected_reward, *_ = theirs.step(action)
        assert observation.tolist() == expected.tolist()
        assert abs(observation[2]) == 8.0
        assert reward == pytest.approx(expected_reward, abs=1e-9)


def test_E_04_spaces_and_limit_are_gymnasiums():
    ours, theirs = gym.make("dreamgym/Pendulum-v0"), gym.make("Pendulum-v1")
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    assert ours.spec.max_episode_steps == theirs.spec.max_episode_steps == 200


def test_E_04_episodes_begin_uniformly_in_any_position():
    n = 10_000
    vector = gym.make_vec("dreamgym/Pendulum-v0", n)
    vector.reset(seed=0)
    state = vector.state_dict()["state"]
    for numbers, bound in ((state["angle"], np.pi), (state["speed"], 1.0)):
        ranks = np.linspace(-1.0, 1.0, n)  # twice the Kolmogorov-Smirnov distance, p = 0.001
        assert abs(np.sort(numbers) / bound - ranks).max() < 2 * 1.95 / np.sqrt(n)
    assert abs(np.corrcoef(state["angle"], state["speed"])[0, 1]) < 4 / np.sqrt(n)


def test_pictures_show_the_rod_as_gymnasiums_do():
    degrees = np.array([0, 30, 90, 179, 180, 200, 315, -45, 400])
    angles = np.radians(degrees)
    frames = Pendulum().frames(PendulumState(angles, angles)).astype(int)
    assert frames.shape == (9, 288, 288, 3)
    theirs = PendulumEnv(render_mode="rgb_array")
    theirs.reset(seed=0)
    for frame, angle in zip(frames, angles, strict=True):
        rows, columns = np.nonzero(frame[..., 0] - frame[..., 2] > 80)
        far = (rows < 35) & (abs(columns - 144) < 8)  # the red mark
        direction = np.array([143.5 - rows[~far].mean(), columns[~far].mean() - 143.5])
        theirs.state = np.array([angle, 0.0])
        picture = theirs.render().astype(int)
        their_rows, their_columns = np.nonzero(picture[..., 0] - picture[..., 2] > 80)
        theirs_direction = np.array([249.5 - their_rows.mean(), their_columns.mean() - 249.5])
        cosine = direction @ theirs_direction
        cosine /= np.linalg.norm(direction) * np.linalg.norm(theirs_direction)
        assert cosine > np.cos(np.radians(0.6))
        assert np.linalg.norm(direction) > 40
    theirs.close()
    text = Pendulum().text(PendulumState(np.radians([370.0, -10.0]), np.array([0.5, -8.0])))
    assert text == ["angle +10.0°, +0.500 rad/s", "angle -10.0°, -8.000 rad/s"]
