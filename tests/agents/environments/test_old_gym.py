"""Worlds that return what Gymnasium's do not: as those of the old Gym, or nothing at all."""

from itertools import islice

import gymnasium as gym
import numpy as np
import pytest

import agents
from agents import DQN, PPO, DQNConfig, PPOConfig
from agents.environments.source import EnvSource
from generative.data.playing import play
from nets.returned import InvalidExperience


class World(gym.Env):
    observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, begun=None, stepped=None):
        seen = np.zeros(2)
        self.begun = (seen, {}) if begun is None else begun
        self.stepped = (seen, 0.0, False, False, {}) if stepped is None else stepped

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.begun

    def step(self, action):
        return self.stepped


SEEN = np.zeros(2)
WRONG = [
    ({"begun": SEEN}, r"returned from reset array\(\[0\., 0\.\]\) at step 0: expected \(obs"),
    ({"stepped": (SEEN, 0.0, False, {})}, r"returned from step 4 values at step 1: expected \(obs"),
    ({"stepped": SEEN}, r"returned from step array\(.* at step 1: expected \(observation, reward"),
    ({"stepped": (SEEN, None, False, False, {})}, "returned the reward None at step 1: expected a"),
    ({"stepped": (None, 0.0, False, False, {})}, "returned the observation None at step 1: expec"),
    (
        {"stepped": (np.array([0.0, 1e300]), 0.0, False, False, {})},
        r"observation\[1\] 1e\+300 at step 1: expected a finite number of 32 bits",
    ),
]


@pytest.mark.filterwarnings("ignore:.*cannot be made anew")
@pytest.mark.parametrize(("returned", "message"), WRONG)
def test_what_is_not_gymnasiums_is_told_as_such(returned, message):
    with pytest.raises(InvalidExperience, match=message):
        DQN(World(**returned), DQNConfig(learning_starts=5)).learn(20, progress=False)


@pytest.mark.filterwarnings("ignore:.*cannot be made anew")
@pytest.mark.parametrize(
    ("method", "said"), [("reset", SEEN), ("step", SEEN), ("step", (SEEN, 0.0, False, {}))]
)
def test_nor_is_what_many_return(method, said):
    def many():
        worlds = gym.vector.SyncVectorEnv([World] * 2)
        setattr(worlds, method, lambda *_, **__: said)
        return worlds

    with pytest.raises(InvalidExperience, match=f"returned from {method}"):
        PPO(many(), PPOConfig(n_steps=4)).learn(20, progress=False)
    with pytest.raises(InvalidExperience, match=f"returned from {method}"):
        list(islice(play(many(), None, 0), 3))


def test_a_wrapped_world_of_the_old_gym_is_told_what_gymnasium_wants():
    gym.register("OldGym-v0", lambda: World(stepped=(SEEN, 0.0, False, {})), max_episode_steps=9)
    try:
        with pytest.raises(ValueError, match="unpack") as failure:
            PPO(gym.make("OldGym-v0", disable_env_checker=True)).learn(20, progress=False)
        assert any("step(action) (observation, reward, ter" in n for n in failure.value.__notes__)
    finally:
        del gym.registry["OldGym-v0"]


def test_nothing_that_is_not_finite_is_saved_or_acts(tmp_path):
    for agent in (DQN("CartPole-v1"), PPO("CartPole-v1")):
        agent.predict(np.zeros(4, np.float32), deterministic=True)
        network = agent.online if agent.name == "dqn" else agent.network
        network.weights.data.fill_(np.nan)
        with pytest.raises(agents.Diverged, match="is not finite"):
            agent.save(tmp_path / "agent.pt")
        assert not (tmp_path / "agent.pt").exists()
        with pytest.raises(agents.Diverged, match="is not finite"):
            agent.predict(np.zeros(4, np.float32), deterministic=True)


def test_a_part_that_is_missing_is_named():
    space = gym.spaces.Dict({"a": gym.spaces.Discrete(3), "b": gym.spaces.Box(-1, 1, (2,))})
    world = World()
    world.observation_space = space
    world.begun = (space.sample(), {})
    with pytest.warns(UserWarning, match="cannot be made anew"):
        agent = PPO(EnvSource.of(world))
    with pytest.raises(ValueError, match=r"an observation without \['a'\] was given: expected eve"):
        agent.predict({"b": np.zeros(2, np.float32)})


@pytest.mark.filterwarnings("ignore:.*cannot be made anew")
@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int64])
def test_boards_of_whole_numbers_are_seen_as_they_are(dtype):
    world = World()
    world.observation_space = gym.spaces.Box(-100, 100, (8, 8, 2), dtype)
    board = np.full((8, 8, 2), -3, dtype)
    world.begun, world.stepped = (board, {}), (board, 0.0, False, False, {})
    for agent in (PPO(world, PPOConfig(n_steps=8)), DQN(world, DQNConfig(learning_starts=4))):
        agent.learn(20, progress=False)
        agent.predict(board, deterministic=True)
