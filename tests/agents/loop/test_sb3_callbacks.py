"""Stable-baselines3's callbacks on agents of ours, and on its own behind our verbs."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3.common.callbacks import (
    BaseCallback,
    CallbackList,
    CheckpointCallback,
    EvalCallback,
    EveryNTimesteps,
    LogEveryNTimesteps,
    StopTrainingOnMaxEpisodes,
    StopTrainingOnNoModelImprovement,
    StopTrainingOnRewardThreshold,
)
from stable_baselines3.common.logger import KVWriter
from stable_baselines3.common.monitor import Monitor

import agents
from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.sb3.algorithms import SB3A2C, SB3DQN
from agents.sb3.config import SB3A2CConfig, SB3DQNConfig
from agents.tabular.temporal_difference import QLearning

SMALL = DQNConfig(hidden=(8,), learning_starts=20, batch_size=8)


def dqn(num_envs=None, env="CartPole-v1"):
    return DQN(env, SMALL, seed=1, device="cpu", num_envs=num_envs)


def sb3_dqn(num_envs=None, env="CartPole-v1"):
    config = SB3DQNConfig(
        hidden=(8,), learning_starts=20, batch_size=8, buffer_size=500, train_every=1
    )
    return SB3DQN(env, config, seed=1, device="cpu", num_envs=num_envs)


ours_and_theirs = pytest.mark.parametrize("make", [dqn, sb3_dqn])


class Diary(BaseCallback):
    """Writes down every call, and what can be seen at it."""

    def __init__(self, stop_at=None):
        super().__init__()
        self.calls, self.stop_at = [], stop_at
        self.steps, self.ended = [], []

    def _init_callback(self):
        self.calls.append("init")

    def _on_training_start(self):
        self.calls.append("start")
        self.total = self.locals["total_timesteps"]

    def _on_step(self):
        self.steps.append((self.n_calls, self.num_timesteps, self.model.num_timesteps))
        assert len(self.locals["dones"]) == len(self.locals["infos"]) == self.training_env.num_envs
        self.ended += [info["episode"] for info in self.locals["infos"] if "episode" in info]
        assert sum(self.locals["dones"]) == sum("episode" in i for i in self.locals["infos"])
        return self.num_timesteps != self.stop_at

    def _on_rollout_start(self):
        self.calls.append("rollout")

    def _on_rollout_end(self):
        self.calls.append("rolled out")

    def _on_training_end(self):
        self.calls.append("end")


@ours_and_theirs
@pytest.mark.parametrize("copies", [None, 3])
def test_a_callback_sees_every_step_of_one_training(make, copies):
    agent, diary, each = make(copies), Diary(), copies or 1
    agent.learn(120, diary, progress=False)
    count = 120 // each
    assert diary.steps == [(k, each * k, each * k) for k in range(1, count + 1)]
    told = [call for call in diary.calls if not call.startswith("roll")]
    assert told == ["init", "start", "end"]
    finished = sum(ended["l"] for ended in diary.ended)
    assert 120 - each * 60 < finished <= 120  # all but the episodes that are still open
    assert all(ended["r"] == ended["l"] for ended in diary.ended)  # CartPole pays 1 a step
    agent.learn(30, diary, progress=False)
    assert diary.steps[-1] == (count + 30 // each, 150, 150)
    assert diary.calls.count("start") == diary.calls.count("end") == 2


def test_every_episode_is_told_once_however_rarely_rows_are_logged():
    config = DQNConfig(hidden=(8,), learning_starts=10_000)
    agent, diary = DQN("CartPole-v1", config, num_envs=2, device="cpu"), Diary()
    agent.learn(2_000, diary, progress=False)
    assert len(diary.ended) == diary.locals["progress"].episodes
    assert 2_000 - 2 * 500 < sum(ended["l"] for ended in diary.ended) <= 2_000


@ours_and_theirs
def test_a_callback_stops_the_training(make):
    diary = Diary(stop_at=77)
    agent = make().learn(200, diary, progress=False)
    assert agent.steps == 77
    assert diary.calls[-1] == "end"
    agent.learn(23, progress=False)  # nothing of it is left
    assert agent.steps == 100
    assert diary.steps[-1][1] == 77


@ours_and_theirs
def test_evaluation_saves_the_best_and_stops_at_a_threshold(make, tmp_path):
    agent = make()
    look = EvalCallback(
        Monitor(gym.make("CartPole-v1")),
        callback_on_new_best=StopTrainingOnRewardThreshold(1.0),
        callback_after_eval=StopTrainingOnNoModelImprovement(5),
        n_eval_episodes=3,
        eval_freq=50,
        log_path=tmp_path / "log",
        best_model_save_path=tmp_path / "best",
        verbose=0,
    )
    agent.learn(500, look, progress=False)
    assert agent.steps == 50  # any return is above 1
    with np.load(tmp_path / "log" / "evaluations.npz") as log:
        assert log["timesteps"].tolist() == [50]
        assert log["results"].shape == (1, 3)
        assert look.last_mean_reward == log["results"].mean()
    best = agents.load(tmp_path / "best" / "best_model", device="cpu")
    assert (best.name, best.steps) == (agent.name, 50)


@ours_and_theirs
def test_a_list_of_callbacks_works_together(make, tmp_path):
    diary, look = (
        Diary(),
        EvalCallback(gym.make("CartPole-v1"), verbose=0, warn=False, eval_freq=40),
    )
    counted = EveryNTimesteps(25, Diary())
    saved = CheckpointCallback(60, tmp_path, name_prefix="agent")
    agent = make()
    agent.learn(130, CallbackList([diary, look, counted, saved]), progress=False)
    assert len(diary.steps) == 130
    assert look.evaluations_timesteps == []  # without a log path it keeps the last only
    assert look.best_mean_reward >= 8
    assert [at for _, at, _ in counted.callback.steps] == [25, 50, 75, 100, 125]
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["agent_120_steps.zip", "agent_60_steps.zip"]
    assert agents.load(tmp_path / "agent_120_steps.zip", device="cpu").steps == 120
    again = make()
    again.learn(130, [Diary(), EveryNTimesteps(25, Diary())], progress=False)
    assert again.steps == 130


@ours_and_theirs
@pytest.mark.parametrize("copies", [None, 2])
def test_so_many_episodes_and_no_more(make, copies):
    enough, diary = StopTrainingOnMaxEpisodes(4), Diary()
    agent = make(copies).learn(2_000, [diary, enough], progress=False)
    assert agent.steps < 2_000
    wanted = 4 * (copies or 1)  # of each copy, on average
    assert wanted <= enough.n_episodes <= wanted + 1
    assert len(diary.ended) == enough.n_episodes


class Noted(KVWriter):
    """Keeps what is written to a logger: the step, and the number of calls that `Note` told."""

    def __init__(self):
        self.written = []

    def write(self, key_values, key_excluded, step=0):
        self.written.append((step, key_values["mine/calls"]))

    def close(self):
        pass


class Note(BaseCallback):
    """Tells the logger the number of its calls, and writes it where asked to."""

    def __init__(self, every=None):
        super().__init__()
        self.every, self.writer = every, Noted()

    def _on_training_start(self):
        self.logger.output_formats.append(self.writer)

    def _on_step(self):
        self.logger.record("mine/calls", self.n_calls)
        if self.every and self.n_calls % self.every == 0:
            self.logger.dump(self.num_timesteps)
        return True


@ours_and_theirs
def test_what_a_callback_logs_is_written(make):
    note = Note(every=20)
    make().learn(60, note, progress=False)
    assert [row for row in note.writer.written if row[0] in (20, 40, 60)][:3] == [
        (20, 20),
        (40, 40),
        (60, 60),
    ]


@pytest.mark.parametrize(
    ("copies", "rows"),
    [(None, [(10, 10), (20, 20), (30, 30), (40, 40)]), (3, [(12, 4), (24, 8), (36, 12)])],
)
def test_logs_are_dumped_on_request(copies, rows):
    """Every ten steps, or with the first round of all copies beyond ten more."""
    note = Note()
    dqn(copies).learn(40, [note, LogEveryNTimesteps(10)], progress=False)
    assert note.writer.written == rows


def test_callbacks_do_not_change_what_is_learned():
    plain, watched = dqn(), dqn()
    plain.learn(200, progress=False)
    look = EvalCallback(Monitor(gym.make("CartPole-v1")), eval_freq=50, verbose=0)
    watched.learn(200, look, progress=False)
    assert torch.equal(plain.online.weights, watched.online.weights)


def test_tables_are_watched_too():
    diary = Diary()
    QLearning("dreamgym/Cliff-v0").learn(50, diary, progress=False)
    assert [at for _, at, _ in diary.steps] == list(range(1, 51))


def test_rollouts_of_stable_baselines3_are_announced():
    diary = Diary()
    agent = SB3A2C("CartPole-v1", SB3A2CConfig(hidden=(8,)), num_envs=2, device="cpu")
    agent.learn(40, diary, progress=False)
    assert diary.calls == ["init", "start", *["rollout", "rolled out"] * 4, "end"]
    assert "rewards" in diary.locals


def test_the_training_s_environments_cannot_be_reached():
    class Meddler(BaseCallback):
        def _on_step(self):
            self.training_env.set_attr("gravity", 1.0)
            return True

    with pytest.raises(
        NotImplementedError, match=r"called set_attr\('gravity'\) on the training's"
    ):
        dqn().learn(5, Meddler(), progress=False)


@ours_and_theirs
@pytest.mark.parametrize("wrong", ["eval", [print], 3, [Diary(), None]])
def test_what_is_no_callback_is_named(make, wrong):
    with pytest.raises(TypeError, match=r"expected a function of a Progress, a BaseCallback"):
        make().learn(5, wrong, progress=False)


@ours_and_theirs
def test_functions_are_called_as_ever(make):
    seen = []
    agent = make()
    agent.learn(100, lambda progress: seen.append(progress.steps) or progress.steps < 40, False)
    assert seen == list(range(1, 41))
    assert agent.steps == 40
