"""Agents on observations of several parts: a picture, a number, a vector."""

import gymnasium as gym
import numpy as np
import pytest
from learning import best_of

import agents
from agents.loop.evaluation import evaluate


class Signpost(gym.Env):
    """The action that is right is cue XOR whether the picture's left half is lit; a vector lies."""

    observation_space = gym.spaces.Dict(
        cue=gym.spaces.Discrete(2, start=5),
        picture=gym.spaces.Box(0, 255, (8, 8, 1), np.uint8),
        wind=gym.spaces.Box(-1, 1, (3,), np.float32),
        flags=gym.spaces.MultiDiscrete([2, 3]),
    )
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cue, self.lit = self.np_random.integers(2, size=2)
        self.time = 0
        return self._see(), {}

    def step(self, action):
        reward = float(action == (self.cue ^ self.lit))
        self.cue, self.lit = self.np_random.integers(2, size=2)
        self.time += 1
        return self._see(), reward, self.time == 8, False, {}

    def _see(self):
        picture = np.zeros((8, 8, 1), np.uint8)
        picture[:, 4 * (1 - self.lit) : 4 * (2 - self.lit)] = 255
        wind = self.np_random.uniform(-1, 1, 3).astype(np.float32)
        return {"picture": picture, "cue": 5 + self.cue, "wind": wind, "flags": np.array([1, 2])}


gym.register("Signpost-v0", entry_point=Signpost)

OFTEN = {"epochs": 4, "batch_size": 256}
FAST = {"learning_rate": 3e-3, "discount": 0.0}
KINDS = {
    "ppo": (agents.PPO, agents.PPOConfig(n_steps=32, **OFTEN, **FAST), 8),
    "a2c": (agents.A2C, agents.A2CConfig(**FAST), 8),
    "ppo lstm": (agents.PPO, agents.PPOConfig(n_steps=32, encoder="lstm", **OFTEN, **FAST), 8),
    "dqn": (
        agents.DQN,
        agents.DQNConfig(learning_starts=100, train_every=8, exploration_steps=2000, **FAST),
        4,
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_agents_learn_from_every_part(name, tmp_path):
    kind, config, num_envs = KINDS[name]

    def train(seed):
        agent = kind("Signpost-v0", config, seed=seed, num_envs=num_envs)
        agent.learn(4_000, progress=False)
        agent.save(tmp_path / "agent.pt")
        return evaluate(agent, episodes=20).mean_return

    assert best_of(train, 7.5) >= 7.5  # chance is 4 of 8
    loaded, seen = agents.load(tmp_path / "agent.pt"), gym.make("Signpost-v0").reset(seed=0)[0]
    action, _ = loaded.predict(seen, deterministic=True)
    assert action in (0, 1)
    many = {key: np.stack([seen[key]] * 3) for key in seen}
    assert loaded.predict(many, deterministic=True)[0].tolist() == [action] * 3


def test_a_table_learns_from_discrete_parts():
    class Cards(Signpost):
        observation_space = gym.spaces.Dict(cue=gym.spaces.Discrete(2), lit=gym.spaces.Discrete(2))

        def _see(self):
            return {"cue": self.cue, "lit": self.lit}

    gym.register("Cards-v0", entry_point=Cards)
    agent = agents.QLearning("Cards-v0", agents.QLearningConfig(discount=0.0)).learn(
        2_000, progress=False
    )
    assert evaluate(agent, episodes=20).mean_return == 8.0


@pytest.mark.filterwarnings("ignore:.*cannot be made anew")
def test_what_cannot_be_encoded_is_named():
    class Told(Signpost):
        observation_space = gym.spaces.Dict(mission=gym.spaces.Text(9))

    with pytest.raises(TypeError, match=r"the part \['mission'\] is Text\(1, 9"):
        agents.PPO(Told())
    with pytest.raises(ValueError, match="encoder 'nature' needs pictures"):
        agents.PPO("CartPole-v1", agents.PPOConfig(encoder="nature"))
