"""Type checkers know our packages from outside: signatures, fields, and what is not there."""

import subprocess
import sys

import pytest
from command_runs import ROOT

pytest.importorskip("mypy")

PROGRAM = """
import gymnasium as gym

import agents
import envs
import generative
import nets
from agents import PPO, PPOConfig
from generative.data import load_dataset
from nets.supervised.fit import FitConfig

agent = PPO("CartPole-v1", PPOConfig(clip=0.1, hidden=(64, 64)), seed=1).learn(1_000)
threshold: float = agent.config.clip
mean: float = agents.evaluate(agent, episodes=3).mean_return
model = generative.build_model("vae", load_dataset("digits"), generative.VAEConfig(latent=8))
memory = nets.LSTM(8, 16)
latents: int = generative.VAE((64,), dataset_size=9).latent
versions: list[str] = [agents.__version__, envs.__version__, generative.__version__]
"""
MISTAKES = {
    "agents.DQNConfg()": 'Module has no attribute "DQNConfg"',
    "agents.PPOConfig(clip='wide')": 'Argument "clip" to "PPOConfig" has incompatible type "str"',
    "agents.PPO('CartPole-v1', agents.DQNConfig())": 'Argument 2 to "PPO" has incompatible type',
    "agents.QLearning('CliffWalking-v1', seed='one')": 'Argument "seed" to "QLearning"',
    "agents.DQN('CartPole-v1', sede=1)": 'Unexpected keyword argument "sede" for "DQN"',
    "generative.VAEConfig(latnt=3)": 'Unexpected keyword argument "latnt" for "VAEConfig"',
    "generative.VAE((64,))": 'Missing named argument "dataset_size" for "VAE"',
    "generative.DCGAN((1, 8, 8), generative.GANConfig(), dataset_size=9)": "Argument 2 to",
    "nets.LSTM('8', 16)": 'Argument 1 to "LSTM" has incompatible type "str"',
    "envs.Cattch": 'Module has no attribute "Cattch"',
}


def test_mypy_accepts_a_users_program_and_sees_each_mistake_in_it(tmp_path):
    lines = [*PROGRAM.splitlines(), *MISTAKES]
    (tmp_path / "program.py").write_text("\n".join(lines) + "\n")
    ours = ["--config-file", ROOT / "pyproject.toml", "--cache-dir", ROOT / ".mypy_cache"]
    command = [sys.executable, "-m", "mypy", "--no-error-summary", *ours, "program.py"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    errors = [line for line in said.stdout.splitlines() if ": error: " in line]
    first = len(lines) - len(MISTAKES) + 1
    for number, (error, expected) in enumerate(zip(errors, MISTAKES.values(), strict=True), first):
        assert error.startswith(f"program.py:{number}: error: {expected}"), said.stdout
