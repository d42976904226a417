"""What the tests of stable-baselines3's algorithms share: small agents of all five kinds."""

import pytest
import torch

from agents.algorithms import find_algorithm

# small nets; no action is drawn from the action space, whose generator SB3 seeds in its own way
SMALL = {
    "sb3-ppo": ("CartPole-v1", 4, {"n_steps": 16, "batch_size": 32, "epochs": 2}),
    "sb3-a2c": ("CartPole-v1", 4, {}),
    "sb3-dqn": (
        "CartPole-v1",
        2,
        {"epsilon_start": 0.0, "epsilon_end": 0.0, "train_every": 4, "gradient_steps": 1},
    ),
    "sb3-sac": ("Pendulum-v1", 2, {}),
    "sb3-td3": ("dreamgym/Pendulum-v0", 1, {"exploration_noise": 0.1}),
}


names = pytest.mark.parametrize("name", SMALL)


def make(name, env=None, num_envs=None, seed=3, **settings):
    algorithm = find_algorithm(name)
    home, copies, small = SMALL[name]
    if env is None:
        settings = small | {"hidden": (8, 8)} | settings
        env, num_envs = home, num_envs or copies
        if "learning_starts" in algorithm.config_type().__dataclass_fields__:
            settings = {"learning_starts": 0, "buffer_size": 100} | settings
    config = algorithm.config_type()(**settings)
    return algorithm.agent_type()(env, config, seed=seed, num_envs=num_envs, device="cpu")


def weights(agent):
    return torch.cat([p.detach().flatten() for p in agent.model.policy.parameters()])
