"""Reach: the best policy in closed form, goals that others ask rewards of, pictures, learning."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import agents
import envs  # noqa: F401
from envs.worlds.reach import Reach, ReachState
from tests.helpers.learning import best_of

ID = "dreamgym/Reach-v0"


def best_action(observation):
    """The axes are apart, and each wants to be at its goal as soon as it can: [*, 2]."""
    drift = observation["observation"][..., 2:]
    away = observation["desired_goal"] - observation["achieved_goal"]
    return ((away - drift) / 0.1).clip(-1, 1).astype(np.float32)


def returns(policy, episodes=2000):
    world = gym.make_vec(ID, episodes)
    observation, _ = world.reset(seed=0)
    total = np.zeros(episodes)
    for _ in range(50):
        observation, reward, terminated, truncated, _ = world.step(policy(observation))
        total += reward
        assert not terminated.any()
    assert truncated.all()
    return total


def test_the_best_policy_gets_what_the_page_says():
    assert returns(best_action).mean() == pytest.approx(-5.84, abs=0.3)
    assert returns(lambda o: np.zeros_like(o["desired_goal"])).mean() == pytest.approx(-59.2, abs=2)


@pytest.mark.parametrize("change", [(0.1, 0.0), (-0.1, 0.0), (0.0, 0.1), (0.0, -0.1)])
def test_every_other_first_stroke_is_no_better(change):
    first = [True]

    def other(observation):
        action = best_action(observation)
        if first.pop() if first else False:
            action = (action + np.array(change, np.float32)).clip(-1, 1)
        return action

    assert (returns(other) <= returns(best_action) + 1e-4).all()


def test_a_step_rows_drifts_and_stops_at_the_shore():
    env = gym.make(ID)
    before, _ = env.reset(seed=5)
    action = np.array([0.5, -1.0], np.float32)
    after, reward, _, _, _ = env.step(action)
    x, y, drift_x, drift_y = before["observation"]
    np.testing.assert_allclose(
        after["achieved_goal"], [x + 0.05 + drift_x, y - 0.1 + drift_y], atol=2e-5
    )
    np.testing.assert_array_equal(after["observation"][:2], after["achieved_goal"])
    away = np.linalg.norm(after["achieved_goal"] - after["desired_goal"])
    assert reward == pytest.approx(-away, rel=1e-5)
    for _ in range(40):
        after = env.step(np.ones(2, np.float32))[0]
    np.testing.assert_array_equal(after["achieved_goal"], [1.0, 1.0])
    np.testing.assert_array_equal(after["desired_goal"], before["desired_goal"])


@pytest.mark.parametrize("reward", ["dense", "sparse"])
def test_rewards_are_those_of_the_goals(reward):
    world = gym.make_vec(ID, 500, reward=reward)
    observation, _ = world.reset(seed=0)
    env = gym.make(ID, reward=reward).unwrapped
    for _ in range(15):
        observation, rewards, *_ = world.step(best_action(observation))
        asked = env.compute_reward(observation["achieved_goal"], observation["desired_goal"], {})
        np.testing.assert_array_equal(asked, rewards)
    assert env.compute_reward(np.zeros(2), np.array([0.06, 0.08]), {}).shape == ()
    assert set(rewards) == {0.0, -1.0} or reward == "dense"


def test_another_reward_is_refused():
    with pytest.raises(ValueError, match="reward is 'dense' or 'sparse', got 'none'"):
        gym.make(ID, reward="none")


def test_final_observations_are_dicts_as_gymnasium_has_them():
    ours = gym.make_vec(ID, 2, max_episode_steps=1, autoreset_mode=AutoresetMode.SAME_STEP)
    made = [lambda: gym.make(ID, max_episode_steps=1)] * 2
    theirs = SyncVectorEnv(made, autoreset_mode=AutoresetMode.SAME_STEP)
    for env in (ours, theirs):
        env.reset(seed=4)
    action = np.zeros((2, 2), np.float32)
    finals = [env.step(action)[4]["final_obs"][1] for env in (ours, theirs)]
    assert finals[0].keys() == finals[1].keys() == {"achieved_goal", "desired_goal", "observation"}
    for name, part in finals[0].items():
        np.testing.assert_array_equal(part, finals[1][name], strict=True)


def test_pictures_show_boat_and_buoy():
    x, y = np.array([-0.9, 0.5]), np.array([0.9, -0.25])
    state = ReachState(x, y, -x, -y, np.array([0.05, 0.0]), np.array([0.0, -0.05]))
    frames = Reach().frames(state).astype(int)
    assert frames.shape == (2, 320, 320, 3)
    for k, frame in enumerate(frames):
        teal = (frame[..., 1] - frame[..., 0] > 90) & (frame[..., 2] < 200)
        red = frame[..., 0] - frame[..., 1] > 90
        for shape, column, row in ((teal, x[k], -y[k]), (red, -x[k], y[k])):
            place = np.argwhere(shape).mean(0) + 0.5
            np.testing.assert_allclose(place, [160 + 136 * row, 160 + 136 * column], atol=3)
    said = Reach().text(state)[0]
    assert said == "boat -0.900 +0.900, buoy +0.900 -0.900, current +0.050 +0.000"


@pytest.mark.slow
def test_ppo_comes_near_the_best():
    def learned(seed):
        agent = agents.PPO.preset(ID, seed=seed).learn(progress=False)
        return agents.evaluate(agent, episodes=100, num_envs=100, seed=1).mean_return

    assert best_of(learned, -7.0) >= -7.0  # the best is -5.84
