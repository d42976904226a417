"""Several environments are as strict as one: each value goes through a door before it is stored."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

import agents
from agents.environments.door import InvalidExperience
from agents.environments.source import EnvSource

BYTES = spaces.Box(0, 255, (3,), np.uint8)


class Odd(gym.Env):
    """A world that returns what it is told to."""

    action_space = spaces.Discrete(2)

    def __init__(self, space=None, observation=None, reward=1.0, terminated=False, info=()):
        self.observation_space = space or spaces.Box(-1, 1, (2,))
        self.told = np.zeros(2, np.float32) if observation is None else observation
        self.reward, self.terminated, self.info = reward, terminated, info

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.told, {}

    def step(self, action):
        return self.told, self.reward, self.terminated, False, self.info or {}


gym.register("guard/Odd-v0", Odd, max_episode_steps=7)


def step(**told):
    """What two copies side by side return in their first step."""
    source = EnvSource.of(gym.make("guard/Odd-v0", disable_env_checker=True, **told), 2)
    stepper = source.stepper()
    stepper.reset(0)
    return stepper.step(np.zeros(2, np.int64))


@pytest.mark.parametrize("reward", [np.ones(1), [1.0], np.ones((1, 1)), np.float32(1), 1, True])
def test_a_reward_in_any_form_is_a_number(reward):
    assert step(reward=reward).reward.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"terminated": "False"}, "the flag 'False' at step 1: expected True or False"),
        ({"terminated": None}, "the flag None at step 1: expected True or False"),
        ({"reward": "1.0"}, "the reward '1.0' at step 1: expected a number"),
        ({"info": ["why"]}, r"the info \['why'\] at step 1: expected a dict"),
        ({"observation": np.zeros(3, np.float32)}, r"of shape \(3,\) at step 0: expected \(2,\)"),
        ({"observation": "words"}, "at step 0: expected"),
        ({"space": BYTES, "observation": np.array([0, 300, 0])}, "300 at step 0"),
    ],
)
def test_what_does_not_fit_is_named(told, words):
    with pytest.raises(InvalidExperience, match=rf"guard/Odd-v0 returned .*{words}"):
        step(**told)


def test_whole_numbers_are_taken_into_bytes_and_states():
    given = np.array([0, 7, 255])
    seen = step(space=BYTES, observation=given).observation
    assert seen.dtype == np.uint8
    assert seen.tolist() == [[0, 7, 255]] * 2
    states = step(space=spaces.Discrete(5), observation=2.0).observation
    assert states.dtype == np.int64
    assert states.tolist() == [2, 2]


def test_evaluations_are_as_strict():
    agent = agents.PPO("CartPole-v1")
    world = gym.make(
        "guard/Odd-v0",
        space=agent.observation_space,
        observation=np.zeros(4, np.float32),
        terminated="False",
        disable_env_checker=True,
    )
    with pytest.raises(InvalidExperience, match="the flag 'False'"):
        agents.evaluate(agent, world, episodes=3)


class OfPython(Odd):
    """A world that asks for numbers of Python's own, as one does that writes them to JSON."""

    def step(self, action):
        assert type(action) is int
        return super().step(action)


gym.register("guard/OfPython-v0", OfPython, disable_env_checker=True)


@pytest.mark.parametrize("count", [1, 2])
def test_a_world_beside_others_is_given_the_numbers_that_it_is_given_alone(count):
    stepper = EnvSource.of("guard/OfPython-v0", count).stepper()
    stepper.reset(0)
    stepper.step(np.zeros(count, np.int64))
