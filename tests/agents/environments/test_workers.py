"""Environments in processes of their own: what ends one of them is told, and none is left."""

import multiprocessing
import os
import signal
import sys
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest

import agents
from agents.commands.train import main as train
from agents.environments.door import InvalidExperience
from agents.environments.source import EnvSource
from nets.foreign import is_foreign

STEPS = 3  # of an environment before it fails


class Odd(Exception):
    """An error that cannot be made from its message."""

    def __init__(self, what, why):
        super().__init__(f"{what}, {why}")


def fail(how):
    """End the process, or fail, in one of the ways in which environments do."""
    if how == "exit":
        os._exit(3)
    if how == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "sys.exit":
        sys.exit(4)
    if how == "odd":
        raise Odd("level 7", "no such file")
    raise FileNotFoundError(2, "No such file", "level7 100%.dat")


class Mortal(gym.Env):
    """An environment whose second copy, the one of seed 1, fails."""

    observation_space = gym.spaces.Box(-1, 1, (2,))
    action_space = gym.spaces.Discrete(2)

    def __init__(self, how="exit", where="step", home=0):
        self.how, self.where, self.taken, self.mortal = how, where, 0, False
        if where == "made" and os.getpid() != home:
            fail(how)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.mortal = seed == 1
        if self.mortal and self.where == "reset":
            fail(self.how)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.taken += 1
        if self.mortal and self.where == "step" and self.taken > STEPS:
            fail(self.how)
        reward = "much" if self.mortal and self.where == "reward" else 1.0
        return np.zeros(2, np.float32), reward, False, False, {}


gym.register("Mortal-v0", Mortal, max_episode_steps=50, disable_env_checker=True)


def source(how="exit", where="step"):
    arguments = {"how": how, "where": where, "home": os.getpid()}
    made = EnvSource.of("Mortal-v0", 3).adapted(arguments, {})
    return replace(made, vectorization="async")


def play(stepper):
    stepper.reset(0)
    for _ in range(STEPS + 1):
        stepper.step(np.zeros(stepper.num_envs, np.int64))


WORDS = {
    "exit": "ended with exit status 3",
    "killed": "was killed by SIGKILL, as the system does where memory runs out",
}


@pytest.mark.parametrize("how", WORDS)
@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("step", f"returned nothing in its step after {3 * STEPS} steps"),
        ("reset", "returned nothing in its reset after 0 steps"),
        ("made", "was not made"),
    ],
)
def test_a_process_that_ends_is_told_in_a_sentence(how, where, place):
    number = 0 if where == "made" else 1
    with pytest.raises(InvalidExperience) as told:
        play(source(how, where).stepper())
    who = f"the process of environment {number} (of 3, from 0) {WORDS[how]}"
    if where != "made":  # where all of them end, in some order
        assert str(told.value) == f"Mortal-v0 {place}: {who}"
    assert str(told.value).startswith(f"Mortal-v0 {place}: the process of environment ")
    assert str(told.value).endswith(WORDS[how])
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("how", "kind", "said"),
    [
        ("file", FileNotFoundError, "level7 100%.dat"),
        ("odd", RuntimeError, "Odd: level 7, no such file"),
        ("sys.exit", RuntimeError, "sys.exit(4) was called"),
    ],
)
@pytest.mark.parametrize(
    ("where", "place"),
    [("step", f"in its step after {3 * STEPS} steps"), ("made", "when it was made")],
)
def test_an_error_arrives_with_its_traceback_as_user_code(how, kind, said, where, place):
    with pytest.raises(kind) as told:
        play(source(how, where).stepper())
    assert said in str(told.value)
    assert is_foreign(told.value)
    assert told.value.__notes__[-1].startswith(f"raised by the environment Mortal-v0, {place}")
    first = told.value.__context__ if how == "sys.exit" else told.value
    assert "fail(" in first.__notes__[0]
    assert not multiprocessing.active_children()


def test_what_the_door_refuses_in_a_process_is_told_in_a_sentence():
    with pytest.raises(InvalidExperience) as told:
        play(source(where="reward").stepper())
    assert str(told.value) == "Mortal-v0 returned the reward 'much' at step 1: expected a number"
    assert not is_foreign(told.value)


def test_the_shell_tells_it_in_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "mortal", sys.modules[__name__])
    line = "ppo mortal:Mortal-v0 --num-envs 3 --vectorization async --steps 60 --env.how exit"
    monkeypatch.setattr("agents.loop.trainer.hash31", lambda *_: 0)
    assert train([*line.split(), "--eval-every", "0", "--run", "r"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("error: Mortal-v0 returned nothing in its step after 9 steps: ")
    assert told.endswith(" ended with exit status 3")


def test_of_an_object_that_was_given_it_is_told_too():
    env = gym.vector.AsyncVectorEnv([lambda: Mortal("exit")] * 2)
    with pytest.warns(UserWarning, match="cannot be made anew"):
        stepper = EnvSource.of(env).stepper()
    with pytest.raises(InvalidExperience, match=r"environment 1 \(of 2, from 0\) ended with exit"):
        play(stepper)
    for process in env.processes:
        process.kill()
        process.join()
    env.closed = True


def test_ctrl_c_of_a_terminal_is_the_parent_s_alone():
    agent = agents.A2C(source("nothing", "nowhere"), agents.A2CConfig(n_steps=5), device="cpu")

    def press(progress):
        for child in multiprocessing.active_children():
            os.kill(child.pid, signal.SIGINT)
        if progress.steps == 30:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        agent.learn(60, callback=press, progress=False)
    assert agent.steps == 30
    assert not multiprocessing.active_children()
    agent.learn(30, progress=False)
    assert agent.steps == 60
