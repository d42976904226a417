"""Stable-baselines3's algorithms behind our verbs are stable-baselines3's algorithms."""

import inspect
import re
from dataclasses import fields
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from fresh_process import printed_by
from learning import best_of
from sb3_agents import SMALL, make, names, weights
from stable_baselines3.common.callbacks import EvalCallback, StopTrainingOnRewardThreshold
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

import agents
from agents.algorithms import find_algorithm
from agents.environments.door import InvalidExperience
from agents.loop.evaluation import evaluate
from agents.presets import find_preset
from agents.sb3.config import WORDS
from nets.process.seeding import hash31, seeded

PAGE = (Path(__file__).parents[3] / "docs" / "agents" / "sb3.md").read_text(encoding="utf-8")


# Equal to stable-baselines3 -----------------------------------------------------------------------


@names
def test_settings_have_stable_baselines3_s_defaults(name):
    algorithm = find_algorithm(name)
    config, sb3 = algorithm.config_type()(), algorithm.agent_type().algorithm
    defaults = {k: v.default for k, v in inspect.signature(sb3).parameters.items()}
    settings = {k: v for k, v in vars(config).items() if k in WORDS}
    assert len(settings) >= 8
    for word, value in settings.items():
        default = defaults[WORDS[word]]
        assert value == (None if default == "auto" else default), word
    if "train_every" in vars(config):
        assert config.train_every == defaults["train_freq"]
    env = DummyVecEnv([lambda: gym.make(SMALL[name][0].replace("dreamgym/", "envs:dreamgym/"))])
    agent = algorithm.agent_type()(SMALL[name][0], seed=3, device="cpu")
    with seeded(hash31(3, "network")):
        bare = sb3("MlpPolicy", env, device="cpu")
    ours, theirs = agent.model.get_parameters(), bare.get_parameters()
    assert ours.keys() == theirs.keys()
    for key, tensor in theirs["policy"].items():  # architecture and initialisation
        assert torch.equal(ours["policy"][key], tensor)
    for key in theirs.keys() - {"policy"}:
        assert ours[key]["param_groups"] == theirs[key]["param_groups"]
    assert str(agent.model.policy) == str(bare.policy)  # activations, too


@names
def test_training_in_stretches_equals_one_call_of_stable_baselines3_s_learn(name):
    agent, bare = make(name), make(name).model
    steps = 256
    seed = hash31(3, "segment", 0)
    before = weights(agent)
    with seeded(seed):
        envs = agents_environments(agent)
        envs.seed(hash31(seed, "environment"))
        bare.set_env(envs)
        bare.set_logger(Logger(None, []))
        bare.learn(steps)
    agent.learn(steps, progress=False)  # at least four calls
    assert agent.steps == bare.num_timesteps >= steps
    expected = torch.cat([p.detach().flatten() for p in bare.policy.parameters()])
    assert not torch.equal(before, expected)
    assert torch.equal(weights(agent), expected)


def agents_environments(agent):
    return DummyVecEnv([agent.source.make] * agent.num_envs)


@names
def test_predict_is_the_model_s_own(name):
    agent = make(name)
    agent.learn(80, progress=False)
    observations = np.random.default_rng(0).normal(size=(5, *agent.observation_space.shape))
    observations = observations.astype(np.float32)
    theirs = agent.model.predict(observations, deterministic=True)[0]
    actions, state = agent.predict(observations, deterministic=True)
    assert state is None
    np.testing.assert_array_equal(actions, theirs)
    one, _ = agent.predict(observations[2], deterministic=True)
    np.testing.assert_allclose(one, theirs[2], rtol=1e-5)
    assert agent.action_space.contains(one) or agent.action_space.contains(int(one))
    agent.chance = np.random.default_rng(7)
    drawn = [agent.predict(observations)[0] for _ in range(20)]
    agent.chance = np.random.default_rng(7)
    again = [agent.predict(observations)[0] for _ in range(20)]
    np.testing.assert_array_equal(drawn, again)
    if name in ("sb3-ppo", "sb3-a2c", "sb3-sac"):  # these draw their actions
        assert len(np.unique(drawn, axis=0)) > 1


def test_dqn_explores_as_much_as_its_steps_say(tmp_path):
    agent = make("sb3-dqn", epsilon_start=1.0, epsilon_end=0.25, exploration_steps=100)
    assert agent.epsilon == 1.0
    agent.learn(40, progress=False)
    assert agent.epsilon == pytest.approx(0.7)
    assert agent.model.exploration_rate == pytest.approx(0.7)
    agent.learn(100, progress=False)
    agent.save(tmp_path / "agent.pt")
    loaded = agents.load(tmp_path / "agent.pt", device="cpu")
    x = np.zeros((1, 4), np.float32)
    greedy = loaded.predict(x, deterministic=True)[0]
    other = np.mean([loaded.predict(x)[0] != greedy for _ in range(2_000)])
    assert other == pytest.approx(0.125, abs=4 * np.sqrt(0.125 * 0.875 / 2_000))


def test_annealed_rates_reach_zero_where_they_should():
    agent = make("sb3-ppo", learning_rate=1e-2, clip=0.4, anneal_steps=256)
    seen = []

    def note(progress):
        seen.append((progress.steps, progress.metrics["learning_rate"]))

    agent.learn(256, note, progress=False)
    assert [step for step, _ in seen] == [64, 128, 192, 256]
    assert [rate for _, rate in seen] == pytest.approx([0.0075, 0.005, 0.0025, 0.0])
    assert agent.model.clip_range(1.0) == 0.0
    assert make("sb3-ppo", clip=0.4).model.clip_range(0.1) == 0.4


# The page -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_the_page_s_examples_run(example):
    exec(compile(example, "docs/agents/sb3.md", "exec"), {})


def test_the_page_s_table_is_the_code_s():
    table = PAGE.split("| ours | theirs |\n|---|---|\n")[1].split("\n\n")[0]
    assert dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|$", table, re.MULTILINE)) == WORDS
    for name in SMALL:
        for field in fields(find_algorithm(name).config_type()):
            assert f"`{field.name}`" in PAGE


# Light imports ------------------------------------------------------------------------------------


def test_names_are_listed_without_importing_the_library():
    code = (
        "import sys, agents; from agents.commands.train import main;"
        "main(['--list']);"
        "assert 'torch' not in sys.modules and 'stable_baselines3' not in sys.modules;"
        "agents.DQN, agents.PPO; assert 'stable_baselines3' not in sys.modules"
    )
    printed = printed_by(code)
    for name in SMALL:
        assert f"\n  {name} " in printed
    assert {"SB3PPO", "SB3SACConfig"} <= set(dir(agents))


@pytest.mark.slow
def test_ppo_solves_cartpole():
    preset = find_preset("sb3-ppo", "CartPole-v1")
    algorithm = find_algorithm("sb3-ppo")
    config = preset.apply(algorithm.config_type()())

    def train(seed):
        agent = algorithm.agent_type()(
            "CartPole-v1", config, seed=seed, num_envs=preset.num_envs, device="cpu"
        )
        look = EvalCallback(
            Monitor(gym.make("CartPole-v1")),
            callback_on_new_best=StopTrainingOnRewardThreshold(500),
            n_eval_episodes=20,
            eval_freq=320,
            verbose=0,
        )
        agent.learn(preset.steps, look, progress=False)
        assert agent.steps < preset.steps
        return evaluate(agent, episodes=20, seed=1).mean_return

    assert best_of(train, 475) >= 475


class Stubborn(gym.Env):
    """A world whose rewards, and flags, are arrays of one."""

    observation_space = gym.spaces.Box(-1, 1, (2,))
    action_space = gym.spaces.Discrete(2)

    def __init__(self, terminated=None):
        self.terminated = terminated

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        ended = (
            np.array([self.np_random.random() < 0.2])
            if self.terminated is None
            else self.terminated
        )
        return np.zeros(2, np.float32), np.ones(1), ended, False, {}


gym.register("sb3/Stubborn-v0", Stubborn, max_episode_steps=20, disable_env_checker=True)


def test_rewards_and_flags_of_an_array_of_one_are_numbers():
    agent = agents.SB3PPO("sb3/Stubborn-v0", agents.SB3PPOConfig(n_steps=64), device="cpu")
    seen = []
    agent.learn(128, callback=lambda progress: seen.extend(progress.recent), progress=False)
    assert seen
    assert all(total >= 1 and total == int(total) for total in seen)


def test_what_is_no_flag_is_refused_at_the_same_door():
    agent = agents.SB3PPO(gym.make("sb3/Stubborn-v0", terminated="False"), device="cpu")
    with pytest.raises(InvalidExperience, match="Stubborn-v0 returned the flag 'False' at step 1"):
        agent.learn(64, progress=False)
