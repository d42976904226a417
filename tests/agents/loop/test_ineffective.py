"""Settings that change nothing are told of, once, before a training begins."""

import gymnasium as gym
import numpy as np
import pytest

import agents
from agents.algorithms import ALGORITHMS, find_algorithm
from agents.loop.ineffective import ineffective, unfit
from agents.presets import load_presets, load_variants

VECTOR, PICTURE = gym.spaces.Box(-1, 1, (4,)), gym.spaces.Box(0, 255, (16, 16, 3), np.uint8)
MOVES, FORCE = gym.spaces.Discrete(3), gym.spaces.Box(-1, 1, (2,))


@pytest.mark.parametrize(
    ("config", "spaces", "said"),
    [
        (agents.PPOConfig(channels="last"), (VECTOR, MOVES), "channels is 'last', which changes n"),
        (
            *(agents.DQNConfig(channels="last"), (gym.spaces.Dict(a=VECTOR, b=MOVES), MOVES)),
            "channels is 'last', which changes nothing, as there are no pictures in Dict(",
        ),
        (
            agents.PPOConfig(squash=True),
            (VECTOR, MOVES),
            "squash is True, which changes nothing, a",
        ),
        (
            *(agents.A2CConfig(log_std=-1.0), (VECTOR, MOVES)),
            "log_std is -1.0, which changes nothing, as actions are Discrete(3), not continuous",
        ),
        (
            *(agents.DQNConfig(atoms=7), (VECTOR, MOVES)),
            "atoms is 7, which changes nothing, as head is 'expected': "
            "it is of head 'categorical' or 'quantile'",
        ),
        (
            *(agents.SarsaConfig(epsilon_schedule="glie", epsilon_end=0.0), (MOVES, MOVES)),
            "epsilon_end is 0.0, which changes nothing, as epsilon_schedule is 'glie': it is of",
        ),
    ],
)
def test_it_is_said_what_changes_nothing(config, spaces, said):
    (told,) = ineffective(config, *spaces)
    assert told.startswith(said)


@pytest.mark.parametrize(
    ("config", "spaces"),
    [
        (agents.PPOConfig(), (VECTOR, MOVES)),
        (agents.PPOConfig(channels="last"), (PICTURE, MOVES)),
        (agents.PPOConfig(channels="last"), (gym.spaces.Dict(a=VECTOR, b=PICTURE), MOVES)),
        (agents.PPOConfig(squash=True, log_std=-1.0), (VECTOR, FORCE)),
        (agents.DQNConfig(head="quantile", atoms=7), (VECTOR, MOVES)),
    ],
)
def test_what_does_something_passes(config, spaces):
    assert not list(ineffective(config, *spaces))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_what_needs_another_names_settings_that_there_are(name):
    kind = ALGORITHMS[name].config_type()
    settings = vars(kind())
    for each, (other, values) in kind.only_with.items():
        assert each in settings
        kind(**{other: values[0]})  # refuses what it cannot be


def test_presets_set_nothing_that_changes_nothing():
    for (algorithm, env_id), preset in load_presets().items():
        variants = [by_env[None] for by_env in load_variants().get(algorithm, {}).values()]
        for each in (preset, *(variant.over(preset) for variant in variants)):
            config = each.apply(find_algorithm(algorithm).config_type()())
            assert not list(ineffective(config, PICTURE, FORCE)), (algorithm, env_id)


def test_pictures_that_are_not_scaled_are_told_of_unless_somebody_scales_them():
    floats = gym.spaces.Box(0, 255, (16, 16, 3), np.float32)
    said = "networks see the pictures Box(0.0, 255.0, (16, 16, 3), float32) as they are, up to 255"
    for space in (floats, gym.spaces.Dict(a=floats, b=MOVES)):
        assert [each.partition(":")[0] for each in unfit(agents.DQNConfig(), space)] == [said]
    board = gym.spaces.Box(0, 9, (16, 16, 3), np.float32)
    for config, space in (
        (agents.DQNConfig(), PICTURE),
        (agents.DQNConfig(), board),
        (agents.PPOConfig(normalize_observation=True), floats),
        (agents.PPOConfig(encoder="mynets:Encoder+lstm"), floats),
        (agents.QLearningConfig(), MOVES),
    ):
        assert not [*unfit(config, space)]


def test_it_is_warned_of_when_training_begins():
    agent = agents.PPO("CartPole-v1", agents.PPOConfig(channels="last", n_steps=8), num_envs=1)
    with pytest.warns(UserWarning, match=r"channels is 'last'.*\(ppo on CartPole-v1\)") as told:
        agent.learn(8, progress=False)
    assert told[0].filename == __file__
    agent.learn(8, progress=False)  # and once is enough
