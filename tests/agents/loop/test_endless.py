"""Worlds that never end an episode: whoever measures or draws them ends it, and says so."""

import json
import warnings
from copy import deepcopy

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from agents import DQN, PPO, SB3DQN, DQNConfig, PPOConfig, SB3DQNConfig
from agents.environments.limits import step_limit
from agents.environments.source import EnvSource
from agents.loop.evaluation import evaluate
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from agents.outcomes.playing import make_drawn, play

LIMIT = 10
ENDLESS = 10**9


def lasts(seed, episode):
    """Steps of an episode: some are short, some late, some never end."""
    return (ENDLESS, 4, 2, 15, 7, 3)[(2 * seed + episode) % 6]


class Unbounded(gym.Env):
    """The n-th step of an episode is worth n; which episode it is decides how long it lasts."""

    metadata = {"render_modes": ["rgb_array"]}
    observation_space = gym.spaces.Box(-1.0, 1e9, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, lengths=lasts, render_mode=None):
        self.lengths, self.render_mode, self.seeded, self.episode = lengths, render_mode, 0, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode = self.episode + 1 if seed is None else 0
        self.seeded = self.seeded if seed is None else seed
        self.now = 0
        return np.array([self.episode, 0], np.float32), {}

    def step(self, action):
        self.now += 1
        over = self.now == self.lengths(self.seeded, self.episode)
        return np.array([self.episode, self.now], np.float32), float(self.now), over, False, {}

    def render(self):
        return np.full((4, 4, 3), self.now % 256, np.uint8)


for name, limit in (("Unbounded-v0", None), ("Bounded-v0", 1500)):
    gym.register(name, entry_point=Unbounded, max_episode_steps=limit, disable_env_checker=True)


def worth(length):
    return length * (length + 1) / 2


def reference(seed, episodes, count, lengths):
    """Returns and lengths, environment by environment, where nothing late ends by itself."""
    due = [len(range(k, episodes, count)) for k in range(count)]
    played = [[] for _ in range(count)]
    while any(due):
        for k in range(count):
            episode = 0
            while due[k]:
                length = lengths(seed + k, episode)
                played[k].append(min(length, LIMIT))
                due[k] -= 1
                episode += 1
                if length > LIMIT:
                    break  # it waits, until all begin anew with other seeds
        seed += count
    return [length for row in played for length in row]


def never_late(seed, episode):
    length = lasts(seed, episode)
    return length if length < LIMIT else ENDLESS


@pytest.mark.parametrize("form", ["spec", "same step", "next step"])
@pytest.mark.parametrize(("episodes", "count"), [(1, 1), (7, 1), (5, 3), (12, 4)])
def test_episodes_are_cut_off_and_others_played_in_their_turn(scribe, form, episodes, count):
    source = EnvSource.of(gym.make("Unbounded-v0", lengths=never_late))
    if form != "spec":
        mode = AutoresetMode.SAME_STEP if form == "same step" else AutoresetMode.NEXT_STEP
        make = [lambda: Unbounded(never_late)] * count
        with pytest.warns(UserWarning, match="cannot be made anew"):
            source = EnvSource.of(SyncVectorEnv(make, autoreset_mode=mode))
    settings = {"episodes": episodes, "num_envs": count, "max_steps": LIMIT, "seed": 3}
    result = evaluate(scribe(source), **settings)
    expected = reference(3, episodes, count, never_late)
    assert result.returns == [worth(length) for length in expected]
    assert result.mean_length == pytest.approx(np.mean(expected))
    assert result.cut == expected.count(LIMIT) > 0
    assert result.to_json()["cut"] == result.cut
    assert evaluate(scribe(source), **settings) == result


def test_an_environment_that_ends_late_goes_on_with_a_whole_episode(scribe):
    """It was cut off in step 10 and ended in step 15, while the other still played."""
    source = EnvSource.of(gym.make("Unbounded-v0", lengths=lambda seed, _: 15 if seed % 2 else 9))
    result = evaluate(scribe(source), episodes=6, num_envs=2, max_steps=LIMIT, seed=1)
    assert result.returns == [worth(LIMIT)] * 3 + [worth(9)] * 3
    assert result.cut == 3


def test_a_live_object_is_measured_too(scribe):
    with pytest.warns(UserWarning, match="cannot be made anew"):
        agent = scribe(Unbounded(never_late))
    result = evaluate(agent, episodes=5, max_steps=LIMIT, seed=3)
    expected = reference(3, 5, 1, never_late)
    assert result.returns == [worth(length) for length in expected]


def test_by_default_nothing_is_cut_off_before_a_thousand_steps_which_is_said_once(scribe):
    agent = scribe(gym.make("Unbounded-v0", lengths=lambda *_: ENDLESS))
    text = "episodes on Unbounded-v0 that nothing ends are cut off after 1,000 steps; max_steps"
    with pytest.warns(UserWarning, match=text):
        result = evaluate(agent, episodes=2)
    assert (result.mean_length, result.cut) == (1000, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert evaluate(agent, episodes=1, max_steps=5).mean_length == 5
        just = scribe(gym.make("Unbounded-v0", lengths=lambda *_: 1000))
        assert evaluate(just, episodes=1).cut == 0


def test_a_time_limit_is_never_cut_short_unless_asked_to(scribe):
    agent = scribe(gym.make("Bounded-v0", lengths=lambda *_: ENDLESS))
    result = evaluate(agent, episodes=1)
    assert (result.mean_length, result.cut) == (1500, 0)
    assert evaluate(agent, episodes=1, max_steps=7).cut == 1


def test_limits_are_known_by_the_name_that_atari_has_for_them():
    spec = deepcopy(gym.spec("Unbounded-v0"))
    assert step_limit(None) == step_limit(spec) == 1000
    assert step_limit(gym.spec("Bounded-v0")) == 1500
    assert step_limit(gym.spec("CartPole-v1")) == 1000
    spec.kwargs["max_num_frames_per_episode"] = 108_000
    assert step_limit(spec) == 108_000
    assert step_limit(spec, 20) == 20
    with pytest.raises(ValueError, match="max_steps is 0: expected at least 1"):
        step_limit(spec, 0)


@pytest.mark.parametrize(("max_steps", "frames"), [(6, 7), (None, 1001)])
def test_drawing_ends_too(scribe, max_steps, frames):
    agent = scribe(gym.make("Unbounded-v0", lengths=lambda *_: ENDLESS))
    with_end = list(play(agent, make_drawn(agent.source), episodes=2, max_steps=max_steps))
    assert len(with_end) == 2 * frames
    assert [frame.episode for frame in with_end] == [0] * frames + [1] * frames
    assert with_end[-1].total_reward == worth(frames - 1)


def test_a_run_keeps_its_limit(tmp_path, scribe):
    run = RunFolder(tmp_path)
    agent = scribe(gym.make("Unbounded-v0", lengths=lambda *_: ENDLESS))
    cut = {"segment_steps": 20, "log_every": 20, "eval_every": 20, "eval_episodes": 3}
    config = RunConfig(steps=40, eval_max_steps=8, **cut)
    run.create(agent, config, [])
    Trainer(agent, run, run.run_config(), progress=False).run(40)
    found = json.loads((tmp_path / "best" / "evaluation.json").read_text())
    assert (found["cut"], found["mean_length"]) == (3, 8.0)
    assert RunFolder(tmp_path).run_config().eval_max_steps == 8
    with pytest.raises(ValueError, match="eval_max_steps is 0: expected at least 1"):
        RunConfig(steps=40, eval_max_steps=0, **cut)


# Runs that are too short ------------------------------------------------------------------------

TINY = {"hidden": (4,), "batch_size": 2}
SHORT = {
    "dqn starts": (DQN, DQNConfig(learning_starts=40, train_every=1, **TINY), "learning_starts is"),
    "dqn burst": (DQN, DQNConfig(learning_starts=0, train_every=40, **TINY), "train_every is 40"),
    "dqn both": (DQN, DQNConfig(learning_starts=35, train_every=20, **TINY), "learning_starts is"),
    "ppo": (PPO, PPOConfig(n_steps=20, **TINY), "n_steps is 20 in each of 2 environments"),
    "sb3": (SB3DQN, SB3DQNConfig(learning_starts=38, train_every=2, **TINY), "learning_starts is"),
}


@pytest.mark.parametrize("steps", range(36, 44))
@pytest.mark.parametrize("name", SHORT)
def test_what_cannot_learn_is_known_before(name, steps):
    kind, config, reason = SHORT[name]
    agent = kind("CartPole-v1", config, num_envs=2, device="cpu")
    said = agent.idle(steps)
    agent.learn(steps, progress=False)
    updates = agent.model._n_updates if kind is SB3DQN else agent.updates
    assert bool(said) == (updates == 0)
    assert not said or said.startswith(reason)
