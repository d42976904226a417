"""A copy of an agent, or one that went through a pickle, is another agent that knows the same."""

import pickle
from contextlib import nullcontext
from copy import copy, deepcopy

import numpy as np
import pytest
import torch
from leftovers import leaves
from own_networks import Dense, halved

import agents

SMALL = {"learning_starts": 64, "train_every": 4}
KINDS = {
    "ppo": lambda: agents.PPO("CartPole-v1", agents.PPOConfig(n_steps=32)),
    "ppo lstm": lambda: agents.PPO("CartPole-v1", agents.PPOConfig(n_steps=32, encoder="lstm")),
    "ppo normalised": lambda: agents.PPO(
        "Pendulum-v1", agents.PPOConfig(n_steps=32, normalize_observation=True)
    ),
    "ppo own object": lambda: agents.PPO(
        "CartPole-v1", agents.PPOConfig(n_steps=32, encoder=torch.nn.Linear(4, 8), memory="gru")
    ),
    "dqn own class": lambda: agents.DQN(
        "CartPole-v1", agents.DQNConfig(encoder=Dense, learning_rate=halved, **SMALL)
    ),
    "a2c pixels": lambda: agents.A2C("envs:dreamgym/Catch-v0"),
    "reinforce": lambda: agents.Reinforce("CartPole-v1"),
    "dqn": lambda: agents.DQN("CartPole-v1", agents.DQNConfig(**SMALL)),
    "dqn prioritised": lambda: agents.DQN(
        "CartPole-v1", agents.DQNConfig(replay="prioritized", noisy=True, **SMALL)
    ),
    "dqn pixels": lambda: agents.DQN(
        "envs:dreamgym/Catch-v0", agents.DQNConfig(encoder="mlp", hidden=(8,), **SMALL)
    ),
    "q-learning": lambda: agents.QLearning("envs:dreamgym/Cliff-v0"),
    "value-iteration": lambda: agents.ValueIteration("envs:dreamgym/Lake-v0"),
    "sb3-ppo": lambda: agents.SB3PPO("CartPole-v1", agents.SB3PPOConfig(n_steps=64)),
    "sb3-dqn": lambda: agents.SB3DQN("CartPole-v1", agents.SB3DQNConfig(learning_starts=64)),
}
WAYS = {"deepcopy": deepcopy, "pickle": lambda agent: pickle.loads(pickle.dumps(agent))}


def knowledge(agent):
    return list(leaves(agent.state_dict()))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", KINDS)
def test_a_copy_equals_its_original_learns_and_leaves_it_alone(name, way):
    agent = KINDS[name]().learn(300, progress=False)
    copy = WAYS[way](agent)
    assert type(copy) is type(agent)
    assert (copy.config, copy.seed, copy.steps) == (agent.config, agent.seed, agent.steps)
    before = knowledge(agent)
    assert knowledge(copy) == before
    assert len(copy.replay) == len(agent.replay) if hasattr(agent.replay, "__len__") else True
    space = agent.observation_space
    space.seed(0)
    seen = np.stack([space.sample() for _ in range(5)])
    assert np.array_equal(
        copy.predict(seen, deterministic=True)[0], agent.predict(seen, deterministic=True)[0]
    )
    told = nullcontext() if agent.plans else pytest.warns(UserWarning, match="in new episodes")
    with told:
        copy.learn(300, progress=False)
    copy.learn(100, progress=False)  # it has episodes of its own now
    assert knowledge(agent) == before
    if not agent.plans:
        assert knowledge(copy) != before
    again, more = WAYS[way](agent), WAYS[way](WAYS[way](agent))
    for each in (again, more):
        with told:
            each.learn(200, progress=False)
    assert knowledge(again) == knowledge(more)


@pytest.mark.parametrize("way", WAYS)
def test_before_it_learns_a_copy_learns_as_its_original(way):
    agent = KINDS["ppo"]()
    copy = WAYS[way](agent)
    for each in (agent, copy):
        each.learn(300, progress=False)
    assert knowledge(copy) == knowledge(agent)


@pytest.mark.parametrize("name", ["ppo", "dqn"])
def test_a_shallow_copy_shares_nothing_either(name):
    agent = KINDS[name]().learn(300, progress=False)
    before, shallow = knowledge(agent), copy(agent)
    with pytest.warns(UserWarning, match="in new episodes"):
        shallow.learn(300, progress=False)
    assert knowledge(agent) == before != knowledge(shallow)


def test_a_fast_network_is_its_module_to_those_who_know_torch():
    agent = agents.DQN("CartPole-v1")
    batch = torch.randn(3, 4)
    assert torch.equal(agent.online(batch), agent.online.module(batch))
    assert agent.online.state_dict().keys() == agent.online.module.state_dict().keys()
    assert sum(p.numel() for p in agent.online.parameters()) == agent.online.weights.numel()
    with pytest.raises(AttributeError, match="nothing"):
        agent.online.nothing()


def test_seeds_and_settings_of_numpy_are_saved_like_others(tmp_path):
    config = agents.DQNConfig(learning_rate=np.logspace(-4, -2, 3)[1], batch_size=np.int64(16))
    agent = agents.DQN("CartPole-v1", config, seed=np.int64(3))
    agent.save(tmp_path / "agent.pt")
    loaded = agents.load(tmp_path / "agent.pt")
    assert (loaded.seed, loaded.config) == (3, config)
