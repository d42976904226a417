"""Agents answer names of stable-baselines3 with their own, and stay what they are otherwise."""

import copy
import inspect
import pickle
import re

import gymnasium as gym
import numpy as np
import pytest
import stable_baselines3
from stable_baselines3.common.evaluation import evaluate_policy

import agents
from agents.sb3.config import WORDS
from nets.habits import ATTRIBUTES, SETTINGS

OURS = {theirs: ours for ours, theirs in WORDS.items()} | {
    "exploration_fraction": "exploration_steps",
    "train_freq": "train_every",
    "tensorboard_log": "run",
    "n_eval_episodes": "episodes",
    "progress_bar": "progress",
}
"""Their words that have one of ours."""
FEWER = {  # settings that the same algorithm behind our verbs does not have
    *("SB3DQN n_steps", "SB3SAC n_steps", "SB3SAC target_update_interval", "SB3TD3 n_steps"),
}


def refused(call, **arguments):
    """Return what is said of arguments; nothing where they are taken."""
    try:
        call(**arguments)
    except (TypeError, ValueError) as error:
        return str(error)
    return ""


def parameters(call):
    return [name for name in inspect.signature(call).parameters if name not in ("self", "kwargs")]


@pytest.fixture(scope="module")
def dqn():
    return agents.DQN("CartPole-v1", agents.DQNConfig(hidden=(4,)))


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_an_attribute_of_theirs_is_answered_with_ours(dqn, name):
    with pytest.raises(AttributeError) as error:
        getattr(dqn, name)
    assert str(error.value) == f"DQN has no attribute {name!r}: {ATTRIBUTES[name]}"
    assert not hasattr(dqn, name)


@pytest.mark.parametrize("name", ["PPO", "A2C", "DQN", "SB3PPO", "SB3DQN", "SB3SAC", "SB3TD3"])
def test_every_argument_of_their_algorithms_is_ours_or_answered(name):
    config = getattr(agents, f"{name}Config")
    for word in parameters(getattr(stable_baselines3, name.removeprefix("SB3"))):
        told = refused(config, **{word: None})
        if "has no setting" not in told:  # one of ours
            continue
        if f"{name} {word}" in FEWER:
            assert "expected one of" in told, told
            continue
        meant = re.search(r"did you mean '(\w+)'\?$", told)
        assert "expected one of" not in told, f"{name}: {told}"
        wanted = {"DQN n_steps": "n_step"}.get(f"{name} {word}", OURS.get(word))
        assert meant is None or meant[1] == wanted, f"{name}: {told}"


def test_every_argument_of_their_functions_is_ours_or_answered(dqn, tmp_path):
    dqn.save(tmp_path / "dqn.pt")
    for call, given, theirs in (
        (dqn.learn, {"total_timesteps": 0}, stable_baselines3.DQN.learn),
        (dqn.predict, {"observation": np.zeros(4)}, stable_baselines3.DQN.predict),
        (dqn.save, {"path": tmp_path / "dqn.pt"}, stable_baselines3.DQN.save),
        (agents.DQN.load, {"path": tmp_path / "dqn.pt"}, stable_baselines3.DQN.load),
        (agents.evaluate, {"agent": dqn, "max_steps": 1, "episodes": 1}, evaluate_policy),
    ):
        for word in set(parameters(theirs)) - given.keys() - {"model", "env"}:
            told = refused(call, **given, **{word: None})
            assert "expected one of" not in told, told
            assert "unexpected keyword" not in told, told
            meant = re.search(r"did you mean '(\w+)'\?$", told)
            assert meant is None or meant[1] == OURS[word], told


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: agents.DQN("CartPole-v1", n_steps=3), "config=DQNConfig(n_step=...)"),
        (lambda: agents.DQNConfig(replay_buffer_kwargs={}), "replay are the algorithm's own"),
        (lambda: agents.A2CConfig(normalize_advantage=True), "take advantages as they are"),
        (lambda: agents.A2CConfig(norm_adv=True), "take advantages as they are"),
        (lambda: agents.PPOConfig(env="CartPole-v1"), "it is given beside the settings"),
        (lambda: agents.VecMonitor, "the loop counts returns itself"),
        (lambda: agents.BaseFeaturesExtractor, "PPOConfig(encoder=MyEncoder)"),
        (lambda: agents.TQC, "there is none; SB3SAC"),
        (lambda: agents.QRDQN, "DQNConfig(head='quantile')"),
        (lambda: agents.VecFrameStack, "FrameStackObservation"),
    ],
)
def test_a_word_of_theirs_is_told_what_is_here(make, message):
    with pytest.raises((TypeError, AttributeError)) as error:
        make()
    assert message in str(error.value)


def test_settings_are_asked_of_the_agent_by_their_words(dqn):
    for word in SETTINGS:
        with pytest.raises(AttributeError) as error:
            getattr(dqn, word)
        meant = re.search(r": it is config\.(\w+)$", str(error.value))
        assert meant is None or hasattr(dqn.config, meant[1])
    with pytest.raises(AttributeError, match=r"^DQN has no attribute 'gamma': it is config.disc"):
        _ = dqn.gamma
    with pytest.raises(
        AttributeError, match=r"^PPO has no attribute 'clip_range': it is config.cl"
    ):
        _ = agents.PPO.clip_range


def test_what_is_absent_is_no_completion(dqn):
    assert not {*dir(dqn)} & {*ATTRIBUTES, *SETTINGS}
    assert {"learn", "predict", "steps", "online", "config"} <= {*dir(dqn)}


def test_what_the_answers_name_is_there(dqn):
    assert (dqn.steps, dqn.epsilon, len(dqn.state_dict()) > 0) == (0, 1.0, True)
    assert all(hasattr(dqn, name) for name in ("online", "target", "replay", "load_state_dict"))
    assert dqn.q_values(np.zeros((1, 4), np.float32)).shape == (1, 2)
    assert isinstance(dqn.source.make(), gym.Env)


def test_an_evaluation_answers_names_of_theirs_too():
    found = agents.Evaluation(1.0, 0.0, 1.0, 1.0, 1, [1.0])
    with pytest.raises(AttributeError) as error:
        _ = found.mean_reward
    assert str(error.value) == "Evaluation has no attribute 'mean_reward': it is mean_return"
    assert not hasattr(found, "mean")
    with pytest.raises(TypeError, match="it has mean_return and std_return"):
        _mean, _std = found


def test_other_names_are_missing_as_ever_and_copies_are_made(dqn):
    with pytest.raises(AttributeError, match=r"^'DQN' object has no attribute 'predikt'$"):
        _ = dqn.predikt
    for each in (copy.deepcopy(dqn), pickle.loads(pickle.dumps(dqn))):
        assert each.config == dqn.config


def test_heirs_may_have_what_agents_have_not():
    class Counting(agents.QLearning):
        num_timesteps = property(lambda self: self.steps)

        def __init__(self, env, **options):
            super().__init__(env, **options)
            self.logger = print

    agent = Counting("FrozenLake-v1")
    assert (agent.num_timesteps, agent.logger) == (0, print)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda agent: agent.predict(np.zeros(4), determinstic=True),
            "predict has no argument 'determinstic': did you mean 'deterministic'?",
        ),
        (
            lambda agent: agents.evaluate(agent, n_eval_episodes=3),
            "evaluate has no argument 'n_eval_episodes': did you mean 'episodes'?",
        ),
        (
            lambda agent: agents.evaluate(agent, "CartPole-v1", 3),
            "evaluate takes the rest by name, as in episodes=3",
        ),
    ],
)
def test_a_call_by_other_arguments_says_which_were_meant(dqn, call, message):
    with pytest.raises(TypeError) as error:
        call(dqn)
    assert str(error.value) == message


def test_a_wrong_shape_is_told_as_shapes_are_written(dqn):
    with pytest.raises(ValueError, match=r"expected \(4,\) or \(N, 4\)$"):
        dqn.predict([0, 0, 0])
