"""Programs set torch to ways of their own, in which agents learn all the same, or say why not."""

import numpy as np
import pytest
import torch

import agents

SMALL = {
    "ppo": (agents.PPO, agents.PPOConfig(n_steps=8, batch_size=8, epochs=1)),
    "normalized": (agents.A2C, agents.A2CConfig(n_steps=4, normalize_observation=True)),
    "memory": (agents.DQN, agents.DQNConfig(learning_starts=32, batch_size=4, memory="lstm")),
    "dqn": (agents.DQN, agents.DQNConfig(learning_starts=32, batch_size=4, replay="prioritized")),
}
TABLES = {
    "q-learning": (agents.QLearning, agents.QLearningConfig()),
    "planner": (agents.ValueIteration, None),
}


def lives(kind, config, path, env="CartPole-v1", **options):
    """Let an agent learn, be saved, loaded, and learn on."""
    agent = kind(env, config, **options).learn(80, progress=False)
    agent.save(path)
    loaded = agents.load(path, device=options.get("device", "auto"))
    return loaded.learn(40, progress=False)


def weights(agent):
    """All that an agent has learned, as one vector."""
    return torch.cat(
        [
            w.detach().ravel()
            for w in (agent.online if agent.name == "dqn" else agent.network).parameters()
        ]
    )


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("way", [torch.inference_mode, torch.no_grad])
def test_agents_learn_the_same_where_gradients_are_off(way, name, tmp_path):
    usual = lives(*SMALL[name], tmp_path / "usual.pt")
    with way():
        agent = lives(*SMALL[name], tmp_path / "agent.pt")
    assert torch.equal(weights(agent), weights(usual))
    agent.learn(40, progress=False)  # outside, too


def test_another_default_dtype_is_refused_in_one_sentence():
    torch.set_default_dtype(torch.float64)
    try:
        with pytest.raises(ValueError, match=r"torch.float64: expected torch.float32, which"):
            agents.DQN("CartPole-v1")
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.cuda
@pytest.mark.parametrize(
    ("name", "device"),
    [(name, "cpu") for name in SMALL | TABLES]
    + [(name, "cuda") for name in SMALL | TABLES if name != "memory"],  # no pretended GPU can
)
def test_agents_learn_where_the_default_device_is_a_gpu(name, device, tmp_path):
    kind, config = (SMALL | TABLES)[name]
    env = "CartPole-v1" if name in SMALL else "FrozenLake-v1"
    torch.set_default_device("cuda")
    try:
        agent = lives(kind, config, tmp_path / "agent.pt", env, device=device)
    finally:
        torch.set_default_device(None)
    state = np.zeros(4, np.float32) if name in SMALL else 0
    assert agent.predict(state, deterministic=True)[0] in range(4)
