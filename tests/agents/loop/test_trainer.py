import csv
import errno
import itertools
import json
import random
from dataclasses import replace
from unittest.mock import Mock

import gymnasium as gym
import numpy as np
import pytest
import torch
from leftovers import leaves
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.loading import load
from agents.loop.evaluation import evaluate
from agents.loop.experience import Episode
from agents.loop.progress import Progress
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from agents.policy_gradient.ppo import PPO, PPOConfig
from agents.tabular.temporal_difference import QLearning
from nets.process.seeding import hash31

SMALL = DQNConfig(
    hidden=(16,), learning_starts=60, batch_size=16, train_every=4, target_every=50, n_step=2
)
QUIET = {"eval_every": 0, "log_every": 10**9}


def config(steps, segment_steps, **settings):
    return RunConfig(steps=steps, segment_steps=segment_steps, **QUIET | settings)


def train(agent, steps, folder=None, callbacks=(), **settings):
    run = None if folder is None else RunFolder(folder)
    cut = config(steps, settings.pop("segment_steps", steps), **settings)
    trainer = Trainer(agent, run, cut, callbacks=callbacks, progress=False)
    trainer.run(steps)
    return trainer


def read(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        rows = [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(file)]
    return {int(row.pop("step")): row for row in rows}


# Segments ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("log_every", [10**9, 10, 7])
@pytest.mark.parametrize(("num_envs", "ends"), [(None, [31, 62, 90]), (4, [32, 64, 92])])
def test_every_segment_begins_anew_and_ends_truncated(scribe, num_envs, ends, log_every):
    """Also where the copies overshoot the end, or a log falls just before it."""
    agent = scribe("Ledger-v0", num_envs=num_envs)
    train(agent, 90, segment_steps=31, log_every=log_every)
    size = agent.num_envs
    assert (agent.steps, agent.segment) == (ends[-1], 3)
    for step, transition in enumerate(agent.transitions, start=1):
        over = transition.terminated | transition.truncated
        if step * size in ends:
            assert over.all()
        fresh = (transition.observation[:, 1:3] == 0).all()
        assert fresh == (step == 1 or (step - 1) * size in ends)  # all in episode 0, step 0


def test_every_segment_has_its_own_seed_and_environments(scribe):
    made, seeds = [], []

    class Witness(gym.Wrapper):
        def __init__(self, env):
            super().__init__(env)
            made.append(self)
            self.closed = False

        def reset(self, *, seed=None, options=None):
            if seed is not None:
                seeds.append(seed)
            return self.env.reset(seed=seed, options=options)

        def close(self):
            self.closed = True
            self.env.close()

    gym.register("Witness-v0", entry_point=lambda: Witness(gym.make("Ledger-v0").unwrapped))
    agent = scribe("Witness-v0", seed=3)
    made.clear()
    train(agent, 40, segment_steps=10)
    assert len(made) == len(set(map(id, made))) == 4
    assert all(env.closed for env in made)
    segments = [hash31(3, "segment", k) for k in range(4)]
    assert seeds == [hash31(seed, "environment") for seed in segments]


class Dice(gym.Env):
    """A badly behaved world that throws the global dice."""

    metadata = {"render_modes": []}
    observation_space = gym.spaces.Box(0.0, 1.0, (3,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        return self.throw(), {}

    def step(self, action):
        return self.throw(), 0.0, random.random() < 0.1, False, {}

    def throw(self):
        numbers = random.random(), np.random.random(), torch.rand(()).item()  # noqa: NPY002
        return np.array(numbers, np.float32)


gym.register("Dice-v0", entry_point=Dice, disable_env_checker=True)


def observations(agent):
    return np.concatenate([t.observation for t in agent.transitions])


def test_training_neither_feels_nor_moves_the_global_generators(scribe):
    runs = []
    for outside in (1, 2):
        random.seed(outside)
        np.random.seed(outside)  # noqa: NPY002
        torch.manual_seed(outside)
        before = random.getstate(), np.random.get_state()[1], torch.get_rng_state()  # noqa: NPY002
        agent = scribe("Dice-v0", seed=7)
        train(agent, 60, segment_steps=25)
        after = random.getstate(), np.random.get_state()[1], torch.get_rng_state()  # noqa: NPY002
        assert before[0] == after[0]
        assert np.array_equal(before[1], after[1])
        assert torch.equal(before[2], after[2])
        runs.append(observations(agent))
    np.testing.assert_array_equal(*runs)
    other = scribe("Dice-v0", seed=8)
    train(other, 60, segment_steps=25)
    assert not np.isin(observations(other)[:, 0], runs[0][:, 0]).any()


def test_threads_are_those_of_the_configuration(scribe):
    seen, before = [], torch.get_num_threads()
    train(
        scribe("Ledger-v0"),
        5,
        callbacks=[lambda _: seen.append(torch.get_num_threads())],
        threads=2,
    )
    assert (set(seen), torch.get_num_threads()) == ({2}, before)


# What is written --------------------------------------------------------------------------------


def episodes_of(agent):
    """(step of the end, return, length) of every whole episode, from the transitions."""
    total, length, step = np.zeros(agent.num_envs), np.zeros(agent.num_envs, int), 0
    for t in agent.transitions:
        step += agent.num_envs
        total, length = total + t.reward, length + 1
        odd = (t.observation[:, 0] + t.observation[:, 1]) % 2 == 1
        for k in np.flatnonzero(t.terminated | (t.truncated & odd)):
            yield step, total[k], length[k]
            total[k] = length[k] = 0


@pytest.mark.parametrize("num_envs", [None, 3])
def test_rows_summarise_the_episodes_since_the_last_row(scribe, tmp_path, num_envs):
    agent = scribe("Ledger-v0", num_envs=num_envs)
    train(agent, 120, tmp_path, log_every=12)
    rows = read(tmp_path)
    assert list(rows) == list(range(12, 121, 12))
    finished = list(episodes_of(agent))
    assert len(finished) > 10
    for step, row in rows.items():
        since = [e for e in finished if step - 12 < e[0] <= step]
        assert row["episodes"] == sum(e[0] <= step for e in finished)
        assert row["transitions"] == step // agent.num_envs  # the agent's own metric
        assert ("return" in row) == bool(since)
        if since:
            assert row["return"] == pytest.approx(np.mean([e[1] for e in since]))
            assert row["length"] == pytest.approx(np.mean([e[2] for e in since]))


def test_the_recent_episodes_are_the_latest_hundred(scribe):
    """Also where more of them ended since callbacks were called."""
    agent = scribe("Ledger-v0")
    trainer = train(agent, 1000)
    returns = [episode[1] for episode in episodes_of(agent)]
    assert len(returns) > 200
    assert list(trainer.progress.recent) == returns[-100:]


def test_S_TB_02_events_hold_what_the_table_holds(tmp_path, monkeypatch):
    ticks = itertools.count(step=0.5)  # seconds: from each look at the clock to the next
    monkeypatch.setattr("agents.loop.trainer.perf_counter", lambda: next(ticks))
    agent = DQN("CartPole-v1", SMALL)
    trainer = train(agent, 300, tmp_path, log_every=50, eval_every=100, eval_episodes=2)
    assert trainer._log._board._writer is None  # closed
    rows = read(tmp_path)
    events = EventAccumulator(str(tmp_path)).Reload()
    columns = {name for row in rows.values() for name in row}
    assert set(events.Tags()["scalars"]) == columns | {"steps_per_second"}
    assert {"return", "td_error", "epsilon", "eval_return"} <= columns
    for name in columns:
        expected = [(step, np.float32(row[name])) for step, row in rows.items() if name in row]
        assert [(e.step, np.float32(e.value)) for e in events.Scalars(name)] == expected
    assert {event.value for event in events.Scalars("steps_per_second")} == {100.0}  # 50 in each


def test_the_best_agent_of_all_evaluations_is_kept(tmp_path):
    agent, seen = DQN("CartPole-v1", SMALL, seed=1), {}

    def watch(progress):
        if progress.evaluation is not None and progress.steps % 100 == 1:
            seen[progress.steps - 1] = progress.evaluation, progress.best_return

    train(agent, 601, tmp_path, eval_every=100, eval_episodes=3, callbacks=[watch])
    assert list(seen) == [100, 200, 300, 400, 500, 600]
    means = {step: evaluation.mean_return for step, (evaluation, _) in seen.items()}
    best = max(means.values())
    assert len(set(means.values())) > 1
    record = json.loads((tmp_path / "best" / "evaluation.json").read_text())
    first = next(step for step, mean in means.items() if mean == best)
    assert (record["step"], record["mean_return"]) == (first, best)
    kept = load(tmp_path)
    assert kept.steps == first
    again = evaluate(kept, episodes=3, seed=hash31(1, "evaluation"))
    assert again.returns == record["returns"] == seen[first][0].returns
    rows = read(tmp_path)
    assert {step: rows[step]["eval_return"] for step in means} == means
    assert rows[601]["eval_return"] <= best  # the end of a run is evaluated, too


def test_a_run_is_evaluated_at_its_end_wherever_that_is(tmp_path, scribe):
    cut = config(50, 100, log_every=20, eval_every=1000, eval_episodes=2)
    Trainer(scribe("Ledger-v0"), RunFolder(tmp_path), cut, progress=False).run(200)
    assert [step for step, row in read(tmp_path).items() if "eval_return" in row] == [200]


def test_a_live_object_is_trained_without_evaluation(tmp_path, ledger):
    with pytest.warns(UserWarning, match="cannot be made anew"):
        agent = DQN(ledger(), SMALL)
    train(agent, 100, tmp_path, eval_every=20, log_every=20)
    assert list(read(tmp_path)) == [20, 40, 60, 80, 100]
    assert not (tmp_path / "best").exists()


# Callbacks and stops ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [bool, np.bool_])
def test_callbacks_see_every_step_and_may_stop(scribe, kind):
    agent, seen = scribe("Ledger-v0", num_envs=2), []

    def callback(progress):
        assert isinstance(progress, Progress)
        assert progress.agent is agent
        seen.append((progress.steps, progress.episodes, list(progress.recent)))
        return kind(progress.steps < 40)

    trainer = train(agent, 100, callbacks=[callback, lambda _: None])
    assert trainer.stopped
    assert [step for step, *_ in seen] == list(range(2, 41, 2))
    finished = list(episodes_of(agent))
    for step, count, recent in seen:
        assert count == sum(e[0] <= step for e in finished)
        assert recent == [e[1] for e in finished if e[0] <= step]
    trainer.callbacks = ()
    assert trainer.run(100).steps == 100


def test_what_is_neither_true_nor_false_is_no_answer_of_a_callback(scribe):
    with pytest.raises(
        TypeError, match=r"a callback returned array\(\[1, 2\]\): expected True, Fa"
    ):
        train(scribe("Ledger-v0"), 10, callbacks=[lambda _: np.array([1, 2])])


def state_of(agent):
    """Everything a checkpoint holds, bit for bit."""
    return list(leaves(agent.state_dict()))


def interrupt_at(step):
    def callback(progress):
        if progress.steps == step:
            raise KeyboardInterrupt

    return callback


CUT_LOG = {"log_every": 30, "eval_every": 70, "eval_episodes": 2}
CUT = {"segment_steps": 100} | CUT_LOG


@pytest.mark.parametrize("train_every", [4, 64])
@pytest.mark.parametrize("step", [37, 100, 101, 269])
def test_S_IO_02_ctrl_c_leaves_a_file_to_look_at_and_an_exact_resume(tmp_path, step, train_every):
    """With rare updates, rows after the resume repeat metrics of updates before it."""
    settings = replace(SMALL, train_every=train_every)
    whole = DQN("CartPole-v1", settings)
    train(whole, 330, tmp_path / "whole", **CUT)
    broken = DQN("CartPole-v1", settings)
    with pytest.raises(KeyboardInterrupt) as told:
        train(broken, 330, tmp_path / "run", callbacks=[interrupt_at(step)], **CUT)
    where = f"goes on from the last checkpoint in {tmp_path / 'run'}"
    said = f"dqn on CartPole-v1 was interrupted at step {step}; the next call {where}"
    assert told.value.__notes__ == [said]
    look = load(tmp_path / "run", checkpoint="interrupted")
    assert look.steps == step
    assert state_of(look) == state_of(broken)
    resumed = DQN("CartPole-v1", settings)
    train(resumed, 330, tmp_path / "run", **CUT)
    assert state_of(resumed) == state_of(whole)
    for name in ("metrics.csv", "best/evaluation.json"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_ctrl_c_stays_ctrl_c_where_nothing_can_be_saved(tmp_path, monkeypatch):
    full = OSError(errno.ENOSPC, "No space left on device", "interrupted.pt")

    def stop(progress):
        if progress.steps == 130:
            monkeypatch.setattr(RunFolder, "keep", Mock(side_effect=full))
            raise KeyboardInterrupt

    agent, nothing = (
        DQN("CartPole-v1", SMALL),
        pytest.warns(UserWarning, match="nothing to look at"),
    )
    with nothing, pytest.raises(KeyboardInterrupt) as told:
        train(agent, 330, tmp_path / "run", callbacks=[stop], **CUT)
    assert "No space left on device: 'interrupted.pt'" in told.value.__notes__[0]
    assert "was interrupted at step 130" in told.value.__notes__[1]
    assert load(tmp_path / "run", checkpoint="last").steps == 100


def test_S_IO_02_the_same_trainer_can_be_interrupted_and_run_again(tmp_path):
    whole, broken = (DQN("CartPole-v1", SMALL) for _ in range(2))
    expected = train(whole, 330, tmp_path / "whole", **CUT).progress
    run, cut = RunFolder(tmp_path / "run"), config(330, CUT["segment_steps"], **CUT_LOG)
    trainer = Trainer(broken, run, cut, callbacks=[interrupt_at(269)], progress=False)
    with pytest.raises(KeyboardInterrupt):
        trainer.run(330)
    trainer.callbacks = ()
    trainer.run(330)
    assert state_of(broken) == state_of(whole)
    assert broken.replay.rows == whole.replay.rows == 330
    assert trainer.progress.state_dict() == expected.state_dict()
    assert len(expected.recent) > 5


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("kind", [DQN, PPO, QLearning])
def test_stopped_before_the_first_checkpoint_a_run_begins_anew(tmp_path, kind, error):
    world = "FrozenLake-v1" if kind is QLearning else "CartPole-v1"
    settings = {DQN: SMALL, PPO: PPOConfig(n_steps=32, hidden=(8,)), QLearning: None}[kind]
    whole, broken = (kind(world, settings, device="cpu") for _ in range(2))
    expected = train(whole, 330, tmp_path / "whole", **CUT).progress

    def stop(progress):
        if progress.steps > 66:
            raise error

    run, cut = RunFolder(tmp_path / "run"), config(330, CUT["segment_steps"], **CUT_LOG)
    trainer = Trainer(broken, run, cut, callbacks=[stop], progress=False)
    for _ in range(2):
        with pytest.raises(error):
            trainer.run(330)
    trainer.callbacks = ()
    trainer.run(330)
    assert state_of(broken) == state_of(whole)
    assert broken.replay.rows == whole.replay.rows
    assert trainer.progress.state_dict() == expected.state_dict()
    files = [(tmp_path / name / "metrics.csv").read_bytes() for name in ("run", "whole")]
    assert files[0] == files[1]


@pytest.mark.parametrize("damaged", [True, False])
def test_a_best_that_is_gone_is_told_at_once_and_made_again(tmp_path, damaged):
    cut = {"segment_steps": 100, "eval_every": 50, "eval_episodes": 1}
    train(DQN("CartPole-v1", SMALL), 200, tmp_path, **cut)
    best = tmp_path / "best" / "checkpoint.pt"
    best.write_bytes(b"") if damaged else best.unlink()
    with pytest.warns(UserWarning, match=r"best/checkpoint\.pt .*; the next evaluation") as told:
        train(DQN("CartPole-v1", SMALL), 300, tmp_path, **cut)
    assert len(told) == 1
    assert load(tmp_path).steps in (250, 300)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_without_a_folder_training_goes_on_from_where_it_stopped_in_new_episodes(scribe, error):
    agent = scribe("Ledger-v0")

    def stop(progress):
        if progress.steps == 30:
            raise error

    trainer = Trainer(agent, None, config(60, 60), callbacks=[stop], progress=False)
    with pytest.raises(error):
        trainer.run(60)
    assert (agent.steps, agent.segment) == (30, 1)
    trainer.callbacks = ()
    trainer.run(60)
    assert (agent.steps, agent.segment) == (60, 2)


def test_a_snapshot_changes_nothing(tmp_path):
    whole, watched = (DQN("CartPole-v1", SMALL) for _ in range(2))
    train(whole, 330, tmp_path / "whole", **CUT)
    run, seen = RunFolder(tmp_path / "run"), []
    trainer = Trainer(watched, run, config(330, CUT["segment_steps"], **CUT_LOG), progress=False)

    def look(progress):
        if progress.steps in (37, 269):
            trainer.snapshot()
            seen.append((load(run.path, checkpoint="interrupted").steps, state_of(watched)))

    trainer.callbacks = [look]
    trainer.run(330)
    assert [steps for steps, _ in seen] == [37, 269]
    assert state_of(load(run.path, checkpoint="interrupted")) == seen[-1][1]
    assert state_of(watched) == state_of(whole)


def test_a_finished_run_is_extended(tmp_path):
    agent = DQN("CartPole-v1", SMALL)
    trainer = train(agent, 200, tmp_path, **CUT)
    recent = list(trainer.progress.recent)
    fresh = DQN("CartPole-v1", SMALL)
    extended = train(fresh, 500, tmp_path, **CUT)
    assert (fresh.steps, fresh.segment, fresh.replay.rows) == (500, 5, 500)
    assert list(extended.progress.recent)[: len(recent)] == recent
    rows = read(tmp_path)
    assert [step for step in rows if step > 200] == [
        step for step in range(201, 501) if step % 30 == 0 or step % 70 == 0 or step == 500
    ]
    train(agent := DQN("CartPole-v1", SMALL), 500, tmp_path, **CUT)  # nothing is left to do
    assert agent.steps == 500
    assert read(tmp_path) == rows


def test_the_recent_raw_returns_are_the_latest_hundred():
    progress = Progress(DQN("CartPole-v1"))
    progress.count([Episode(k, -1.0, 1, raw_return=float(k)) for k in range(250)], None)
    assert list(progress.recent_raw) == list(map(float, range(150, 250)))
