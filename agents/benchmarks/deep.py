"""Speed of PPO, A2C, recurrent PPO and DQN on pixels, beside stable-baselines3 and sb3-contrib.

Both sides have the same settings: those of rl-baselines3-zoo for CartPole-v1 where it has some.
Ours convolves large pictures in bfloat16 where the processor has units for it: that is its default.
Bars: PPO and A2C three times the peer's steps/s, recurrent PPO four times, pixels one and a half.
"""

from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from nets.benchmarks.timing import Case, Measure, Need, Side, rate

from ..algorithms import find_algorithm
from ..environments.ids import find_spec
from .peers import NOISE_84

ENV_ID = "CartPole-v1"
COPIES = 8
PPO_STEPS, PPO_BEFORE = 16_384, 2_048
PPO = {"n_steps": 32, "batch_size": 256, "gae_lambda": 0.8, "learning_rate": 1e-3}
PPO_EPOCHS, PPO_DISCOUNT = 20, 0.98
A2C_STEPS, A2C_BEFORE = 32_768, 2_048
A2C = {"n_steps": 5, "gae_lambda": 1.0, "learning_rate": 7e-4}
LSTM_STEPS, LSTM_BEFORE = 4_096, 1_024
LSTM = {"n_steps": 128, "batch_size": 256, "gae_lambda": 0.95, "learning_rate": 1e-3}
LSTM_EPOCHS, LSTM_UNITS = 10, 64
PIXEL_STEPS, PIXEL_BEFORE = 256, 192
PIXELS = {"learning_rate": 1e-4, "batch_size": 32, "buffer_size": 2_000, "learning_starts": 100}
PIXEL_EVERY, PIXEL_TARGET = 4, 1_000
OUR_PIXELS = PIXELS | {
    "encoder": "nature",
    "train_every": PIXEL_EVERY,
    "target_every": PIXEL_TARGET,
    "double": False,
}


def built(
    algorithm: str,
    world: str | EnvSpec,
    copies: int,
    settings: dict[str, Any],
    device: str,
    seed: int,
) -> Any:
    """Return an agent of ours, whose world may be one of noise."""
    found = find_algorithm(algorithm)
    config = found.config_type()(**settings)
    spec = NOISE_84 if world == NOISE_84.id else world
    env = gym.make(spec) if isinstance(spec, EnvSpec) else spec
    return found.agent_type()(env, config, seed=seed, device=device, num_envs=copies)


def ours(
    algorithm: str,
    world: str | EnvSpec,
    copies: int,
    before: int,
    steps: int,
    settings: dict[str, Any],
    device: str = "cpu",
) -> Measure:
    """Measure env steps/s of an agent of ours."""

    def measure(turn: int) -> float:
        agent = built(algorithm, world, copies, settings, device, turn)
        agent.learn(before, progress=False)
        return rate(steps, lambda: agent.learn(steps, progress=False))

    return measure


def learning(model: Any, before: int, steps: int) -> float:
    """Measure env steps/s of a model of stable-baselines3."""
    model.learn(before)
    return rate(steps, lambda: model.learn(steps, reset_num_timesteps=False))


def copies(count: int = COPIES) -> Any:
    """Return environments as stable-baselines3 steps them."""
    from stable_baselines3.common.env_util import make_vec_env

    return make_vec_env(lambda: gym.make(find_spec(ENV_ID)), count)


def sb3_ppo(turn: int) -> float:
    """Measure stable-baselines3's PPO."""
    from stable_baselines3 import PPO as SB3PPO

    settings: dict[str, Any] = PPO | {"n_epochs": PPO_EPOCHS, "gamma": PPO_DISCOUNT}
    model = SB3PPO("MlpPolicy", copies(), seed=turn, device="cpu", ent_coef=0.0, **settings)
    return learning(model, PPO_BEFORE, PPO_STEPS)


def sb3_a2c(turn: int) -> float:
    """Measure stable-baselines3's A2C."""
    from stable_baselines3 import A2C as SB3A2C

    settings: dict[str, Any] = dict(A2C)
    model = SB3A2C("MlpPolicy", copies(), seed=turn, device="cpu", use_rms_prop=False, **settings)
    return learning(model, A2C_BEFORE, A2C_STEPS)


def contrib_ppo(turn: int) -> float:
    """Measure sb3-contrib's PPO with an LSTM that policy and value share, as ours do."""
    from sb3_contrib import RecurrentPPO

    policy = {
        "lstm_hidden_size": LSTM_UNITS,
        "shared_lstm": True,
        "enable_critic_lstm": False,
    }
    settings: dict[str, Any] = LSTM | {"n_epochs": LSTM_EPOCHS}
    model = RecurrentPPO(
        "MlpLstmPolicy", copies(), seed=turn, device="cpu", policy_kwargs=policy, **settings
    )
    return learning(model, LSTM_BEFORE, LSTM_STEPS)


def sb3_pixels(turn: int, device: str = "cpu", steps: int = PIXEL_STEPS) -> float:
    """Measure stable-baselines3's DQN on pictures."""
    from stable_baselines3 import DQN

    model = DQN(
        "CnnPolicy",
        gym.make(NOISE_84),
        seed=turn,
        device=device,
        train_freq=PIXEL_EVERY,
        gradient_steps=1,
        target_update_interval=PIXEL_TARGET,
        **PIXELS,  # type: ignore[arg-type]
    )
    return learning(model, PIXEL_BEFORE, steps)


CASES = (
    Case(
        "ppo-cartpole",
        f"PPO on {ENV_ID}, {COPIES} environments of 32 steps, 20 epochs of 256 rows",
        f"{PPO_STEPS:,} steps",
        "steps/s",
        Side(
            "ppo",
            ours(
                "ppo",
                ENV_ID,
                COPIES,
                PPO_BEFORE,
                PPO_STEPS,
                PPO | {"epochs": PPO_EPOCHS, "discount": PPO_DISCOUNT},
            ),
        ),
        (Side("stable-baselines3 PPO", sb3_ppo),),
        bar=3.0,
        rounds=5,
    ),
    Case(
        "a2c-cartpole",
        f"A2C on {ENV_ID}, {COPIES} environments of 5 steps",
        f"{A2C_STEPS:,} steps",
        "steps/s",
        Side("a2c", ours("a2c", ENV_ID, COPIES, A2C_BEFORE, A2C_STEPS, A2C)),
        (Side("stable-baselines3 A2C", sb3_a2c),),
        bar=3.0,
        rounds=5,
    ),
    Case(
        "ppo-lstm-cartpole",
        f"PPO with an LSTM of {LSTM_UNITS} units on {ENV_ID}, {COPIES} environments of 128 steps, "
        "10 epochs of 256 rows",
        f"{LSTM_STEPS:,} steps",
        "steps/s",
        Side(
            "ppo, lstm",
            ours(
                "ppo",
                ENV_ID,
                COPIES,
                LSTM_BEFORE,
                LSTM_STEPS,
                LSTM | {"epochs": LSTM_EPOCHS, "encoder": "lstm", "memory_size": LSTM_UNITS},
            ),
        ),
        (Side("sb3-contrib RecurrentPPO", contrib_ppo),),
        bar=4.0,
        rounds=3,
        needs=Need.of_module("sb3_contrib", "bench"),
    ),
    Case(
        "dqn-pixels",
        "DQN on pictures of 84x84x4, Nature's network, 32 rows every 4 steps",
        f"{PIXEL_STEPS} steps",
        "steps/s",
        Side(
            "dqn, nature",
            ours(
                "dqn",
                NOISE_84.id,
                1,
                PIXEL_BEFORE,
                PIXEL_STEPS,
                OUR_PIXELS,
            ),
        ),
        (Side("stable-baselines3 DQN", sb3_pixels),),
        bar=1.5,
        rounds=5,
    ),
)
