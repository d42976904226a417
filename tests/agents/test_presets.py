"""Presets in Python, and what they say of the settings of a run."""

import json
import pickle
from copy import deepcopy
from pathlib import Path

import pytest

import agents
from agents.algorithms import ALGORITHMS, find_algorithm
from agents.presets import find_preset, load_presets
from nets.runs.configurations import recorded
from nets.settings import to_plain

PAIRS = [pair for pair in load_presets() if pair[1].startswith(("dreamgym/", "CartPole"))]
BEFORE = json.loads((Path(__file__).parents[1] / "data" / "preset_settings.json").read_text())


@pytest.mark.parametrize("named", BEFORE)
def test_no_default_changes_what_a_preset_computes(named):
    algorithm, env_id, *variant = named.split()
    preset = find_preset(algorithm, env_id, *variant)
    config = preset.apply(find_algorithm(algorithm).config_type()())
    now, then = to_plain(recorded(config)), BEFORE[named]
    assert {name: now[name] for name in then["settings"]} == then["settings"]
    assert preset.run == then["run"]


@pytest.mark.parametrize(("algorithm", "env_id"), PAIRS)
def test_an_agent_of_a_preset_has_its_settings_its_copies_and_its_steps(algorithm, env_id):
    kind, preset = find_algorithm(algorithm).agent_type(), find_preset(algorithm, env_id)
    agent = kind.preset(env_id, seed=3)
    assert agent.config == preset.apply(kind.config_type())
    assert agent.num_envs == (preset.num_envs or kind.default_num_envs)
    assert agent.source.spec.kwargs.items() >= preset.env.items()
    assert (agent.seed, agent.tuned_steps) == (3, preset.steps)


def test_learn_takes_the_steps_of_the_preset_and_copies_know_them():
    agent = agents.QLearning.preset("dreamgym/Cliff-v0", fused=True)
    assert (agent.config.discount, agent.config.learning_rate) == (1.0, 0.5)
    for each in (deepcopy(agent), pickle.loads(pickle.dumps(agent)), agent):
        assert each.learn(progress=False).steps == 50_000
    assert agents.evaluate(agent, episodes=1).mean_return == -13


def test_what_is_given_takes_the_place_of_the_preset():
    agent = agents.PPO.preset("CartPole-v1", num_envs=2, n_steps=16, gae_lambda=0.5)
    c = agent.config
    assert (agent.num_envs, c.n_steps, c.gae_lambda, c.discount) == (2, 16, 0.5, 0.98)
    rainbow = agents.DQN.preset("dreamgym/Catch-v0", "rainbow")
    assert (rainbow.config.head, rainbow.config.noise_std) == ("categorical", 1.0)
    assert (rainbow.num_envs, rainbow.tuned_steps) == (8, 8_000)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: agents.PPO.preset("CartPole-v0"), "did you mean 'CartPole-v1'"),
        (lambda: agents.DQN.preset("CartPole-v1", "rainbows"), "did you mean 'rainbow'"),
        (lambda: agents.ValueIteration.preset("FrozenLake-v1"), "no presets of value-iteration"),
        (lambda: agents.PPO.preset("CartPole-v1", n_step=16), "did you mean 'n_steps'"),
        (lambda: agents.PPO.preset("CartPole-v1", n_steps=0), "n_steps is 0"),
    ],
)
def test_what_there_is_not_is_refused_with_the_nearest(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("name", ["ppo", "dqn", "a2c", "q-learning", "value-iteration"])
def test_other_agents_need_a_number_of_steps(name):
    env = "FrozenLake-v1"
    with pytest.raises(TypeError, match="learn needs a number of steps"):
        ALGORITHMS[name].agent_type()(env).learn(progress=False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dqn = 3", "dqn is 3: expected a table"),
        ('[dqn]\n"CartPole-v1" = [1]', r"dqn\.CartPole-v1 is \[1\]: expected a table"),
        ('[dqn."CartPole-v1"]\nenv = 3', r"CartPole-v1\.env is 3: expected a table"),
        ('[dqn."CartPole-v1".wrappers]\nClipReward = 3', r"wrappers\.ClipReward is 3: expected"),
        ("a = " + "[" * 30_000, "maximum recursion depth exceeded"),
        ("#" * 70_000, "more than 65,536 bytes"),
        ("a" + ".a" * 3000 + " = 1", "a line has more than 200 dots"),
    ],
)
def test_a_file_of_somebody_s_is_refused_in_one_sentence(tmp_path, text, said):
    file = tmp_path / "theirs.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=said):
        find_preset("dqn", "CartPole-v1", str(file))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'wrappers.RecordVideo]\nvideo_folder = "/tmp"',
            "asks for the wrapper 'RecordVideo': give",
        ),
        (
            'wrappers.FlattenObservation]\na = "/etc"',
            "asks for a='/etc' of FlattenObservation: give",
        ),
        (
            'env]\nsutton_barto_reward = "/etc/passwd"',
            "='/etc/passwd' of CartPole-v1: give it on the",
        ),
    ],
)
def test_a_file_asks_for_nothing_that_writes_or_reads_files(tmp_path, text, said):
    file = tmp_path / "theirs.toml"
    file.write_text(f'[dqn."CartPole-v1".{text}')
    with pytest.raises(ValueError, match=said):
        agents.DQN.preset("CartPole-v1", str(file))


def test_a_file_may_set_wrappers_that_neither_write_nor_call(tmp_path):
    file = tmp_path / "best.toml"
    file.write_text('[dqn."CartPole-v1".wrappers.FrameStackObservation]\nstack_size = 2')
    agent = agents.DQN.preset("CartPole-v1", str(file))
    assert agent.observation_space.shape == (2, 4)
