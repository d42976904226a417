"""Speed of DQN and PPO on pictures by a GPU, beside ourselves on the CPU and stable-baselines3."""

from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from nets.benchmarks.gpu import NEED, GpuCase
from nets.benchmarks.timing import Case, Side

from ..algorithms import find_algorithm
from ..environments.ids import find_spec
from .deep import OUR_PIXELS, ours, sb3_pixels
from .peers import NOISE_84

DQN_BEFORE, DQN_STEPS = 192, 4_096
CATCH = "dreamgym/Catch-v0"
PPO_COPIES = 64
PPO_BEFORE, PPO_STEPS = 4_096, 32_768
PPO: dict[str, Any] = {"n_steps": 32, "batch_size": 512, "epochs": 4}
SHOWN = 16  # observations whose outputs are compared


def outputs(algorithm: str, env_id: str, settings: dict[str, Any], device: str) -> Tensor:
    """Return the values `[B, *]` of random pictures by new weights of a seed, on `device`."""
    found = find_algorithm(algorithm)
    env = gym.make(NOISE_84 if env_id == NOISE_84.id else find_spec(env_id))
    config = found.config_type()(**settings | {"precision": "float32"})
    agent: Any = found.agent_type()(env, config, seed=0, device=device)
    shape = (SHOWN, *env.observation_space.shape)  # type: ignore[misc]
    pictures = np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)
    value = agent.q_values if algorithm == "dqn" else agent.values
    return torch.as_tensor(np.asarray(value(pictures)))


CASES = (
    GpuCase(
        Case(
            "gpu-dqn-pixels",
            "DQN on pictures of 84x84x4, Nature's network, 32 rows every 4 steps",
            f"{DQN_STEPS:,} steps",
            "steps/s",
            Side("dqn", ours("dqn", NOISE_84.id, 1, DQN_BEFORE, DQN_STEPS, OUR_PIXELS, "cuda")),
            (
                Side("dqn on the CPU", ours("dqn", NOISE_84.id, 1, DQN_BEFORE, 256, OUR_PIXELS)),
                Side("stable-baselines3 DQN", partial(sb3_pixels, device="cuda", steps=DQN_STEPS)),
            ),
            rounds=3,
            needs=NEED,
        ),
        partial(outputs, "dqn", NOISE_84.id, OUR_PIXELS),
    ),
    GpuCase(
        Case(
            "gpu-ppo-pixels",
            f"PPO on {CATCH}, {PPO_COPIES} environments of 32 steps, 4 epochs of 512 rows",
            f"{PPO_STEPS:,} steps",
            "steps/s",
            Side("ppo", ours("ppo", CATCH, PPO_COPIES, PPO_BEFORE, PPO_STEPS, PPO, "cuda")),
            (Side("ppo on the CPU", ours("ppo", CATCH, PPO_COPIES, 2_048, 4_096, PPO)),),
            rounds=3,
            needs=NEED,
        ),
        partial(outputs, "ppo", CATCH, PPO),
    ),
)
