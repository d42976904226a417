"""A run that is killed again and again ends in the same bits as one that is not."""

import csv
import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from agents.loading import load
from agents.run import RunFolder
from nets.training.checkpoint import load_checkpoint

logging.getLogger("tensorboard").setLevel(logging.ERROR)  # it tells every purge of killed events
WORKER = Path(__file__).with_name("resume_worker.py")

DEEP = {"hidden": [24], "learning_starts": 100, "batch_size": 32, "target_every": 90}


def case(algorithm, env, steps, segment, config=(), **settings):
    """A job; episodes are cut by segments, rows and evaluations fall across them."""
    run = {
        "steps": steps,
        "segment_steps": segment,
        "log_every": segment // 7,
        "eval_every": segment * 3 // 5,
        "eval_episodes": 2,
    }
    return {"algorithm": algorithm, "env": env, "config": dict(config), "run": run} | settings


# To add an algorithm, add a line: long enough to be killed three times on its way.
CASES = {
    "dqn": case("dqn", "CartPole-v1", 5000, 500, DEEP | {"buffer_size": 1700}),
    "dqn n-step": case(
        "dqn", "CartPole-v1", 5000, 500, DEEP | {"buffer_size": 300, "n_step": 3}, num_envs=3
    ),
    "dqn soft": case(
        "dqn",
        "dreamgym/Cliff-v0",
        4000,
        400,
        DEEP | {"buffer_size": 700, "dueling": True, "target_rate": 0.1},
        seed=3,
    ),
    "dqn prioritized": case(
        "dqn", "CartPole-v1", 4000, 400, DEEP | {"buffer_size": 900, "replay": "prioritized"}
    ),
    "dqn c51 noisy": case(
        "dqn",
        "CartPole-v1",
        3000,
        300,
        DEEP | {"head": "categorical", "atoms": 11, "value_range": [0.0, 99.0], "noisy": True},
    ),
    "dqn lstm": case(
        "dqn",
        "CartPole-v1",
        3000,
        300,
        DEEP | {"encoder": "lstm", "sequence_length": 6, "burn_in": 3, "buffer_size": 700},
        num_envs=3,
    ),
    "ppo": case("ppo", "CartPole-v1", 60_000, 6000, num_envs=4),
    "a2c": case("a2c", "Pendulum-v1", 30_000, 3000),
    "reinforce": case("reinforce", "CartPole-v1", 20_000, 2000),
    "q-learning": case("q-learning", "Blackjack-v1", 12_000, 1000),
    "q-learning fused": case("q-learning", "dreamgym/Lake-v0", 400_000, 40_000),
    "sarsa": case("sarsa", "CliffWalking-v1", 400_000, 40_000),
    "expected-sarsa": case("expected-sarsa", "dreamgym/Lake-v0", 20_000, 2000, num_envs=2),
    "double-q-learning": case("double-q-learning", "FrozenLake-v1", 400_000, 40_000),
}
PLANS = {
    "value-iteration": case("value-iteration", "dreamgym/Lake-v0", 40, 7),
    "policy-iteration": case("policy-iteration", "dreamgym/Cliff-v0", 12, 7),
}


class Server:
    """The worker's side of a pipe."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, folder, job):
        """Begin a job; the id of its process."""
        print(json.dumps(job | {"folder": str(folder)}), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def join(self):
        """Wait for the job, and return its exit status."""
        return int(self.process.stdout.readline())

    def close(self):
        self.process.communicate()


@pytest.fixture(scope="module")
def server():
    serving = Server()
    yield serving
    serving.close()


# What must be equal -----------------------------------------------------------------------------


def leaves(tree, path=""):
    """Every leaf of a state as (path, type, bits)."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, f"{path}/{key}")
    elif isinstance(tree, list | tuple):
        for index, value in enumerate(tree):
            yield from leaves(value, f"{path}/{index}")
    elif isinstance(tree, torch.Tensor):
        yield path, f"{tree.dtype}{tuple(tree.shape)}", tree.contiguous().numpy().tobytes()
    else:
        yield path, type(tree).__name__, repr(tree)


def result(folder):
    """Everything a run leaves that does not depend on the clock."""
    run = RunFolder(folder)
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    found = {
        str(file.relative_to(folder)): list(leaves(load_checkpoint(file)))
        for file in sorted(folder.rglob("*.pt"))
        if file.name != "interrupted.pt"
    }
    for file in (run.metrics_file, run.best.with_name("evaluation.json")):
        found[file.name] = file.read_bytes()
    for tag in sorted(events.Tags()["scalars"]):
        if tag != "steps_per_second":
            found[f"event {tag}"] = [(event.step, event.value) for event in events.Scalars(tag)]
    return found


def check_equal(folder, expected):
    got = result(folder)
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        assert got[name] == value, f"{name} differs"
    assert not list(folder.rglob(".*.tmp"))


def last_row(folder):
    """The step of the last whole row of metrics.csv; 0 while there is none."""
    file = folder / "metrics.csv"
    if not file.exists():
        return 0
    lines = file.read_text().splitlines(keepends=True)
    steps = [row["step"] for row in csv.DictReader(line for line in lines if line.endswith("\n"))]
    return int(steps[-1]) if steps else 0


def saved_steps(folder):
    files = RunFolder(folder).list_checkpoints()
    return int(files[-1].stem) if files else 0


# Kills ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def uninterrupted(server, tmp_path_factory):
    """The results of whole runs, each made once."""
    made = {}

    def run(name, job):
        if name not in made:
            folder = tmp_path_factory.mktemp("whole")
            server.start(folder, job)
            assert server.join() == 0
            assert saved_steps(folder) >= job["run"]["steps"]
            made[name] = result(folder)
        return made[name]

    return run


@pytest.mark.parametrize("name", CASES)
def test_S_IO_02_killed_at_random_moments(server, uninterrupted, tmp_path, name):
    job, rng = CASES[name], random.Random(name)
    expected = uninterrupted(name, job)
    total = job["run"]["steps"]
    for part in range(3):
        moment = total * (part + rng.uniform(0.2, 0.9)) / 3.2
        child = server.start(tmp_path, job)
        deadline = time.monotonic() + 60
        while last_row(tmp_path) < moment:
            assert time.monotonic() < deadline
            time.sleep(0.0005)
        time.sleep(rng.uniform(0, 0.01))
        os.kill(child, signal.SIGKILL)
        assert server.join() == -signal.SIGKILL, "the run was over before it could be killed"
        assert saved_steps(tmp_path) < total
    server.start(tmp_path, job)
    assert server.join() == 0
    check_equal(tmp_path, expected)


@pytest.mark.parametrize("name", ["dqn", *PLANS])
def test_S_IO_02_killed_around_every_operation_on_files(server, uninterrupted, tmp_path, name):
    """Processes kill themselves before and after a write is synced, renamed, a file removed.

    In every segment, one process after the other gets one operation further.
    """
    job = {**CASES, **PLANS}[name]
    if name == "dqn":  # from the third segment on, shards are removed
        small = {"buffer_size": 150, "learning_starts": 20}
        run = {"steps": 400, "segment_steps": 100, "log_every": 50, "eval_every": 170}
        job = job | {"config": job["config"] | small, "run": job["run"] | run}
    expected = uninterrupted(f"{name}, short", job)
    kills = moment = 0
    while True:
        before = saved_steps(tmp_path)
        server.start(tmp_path, job | {"die_at": moment})
        status = server.join()
        if status == 0:
            break
        assert status == -signal.SIGKILL
        kills += 1
        moment = 0 if saved_steps(tmp_path) > before else moment + 1
    assert kills > (60 if name == "dqn" else 20)
    check_equal(tmp_path, expected)


# Ctrl-C and more steps --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dqn n-step", "ppo", "q-learning"])
def test_S_IO_02_ctrl_c_ends_cleanly_and_resumes_exactly(server, uninterrupted, tmp_path, name):
    job, expected = CASES[name], uninterrupted(name, CASES[name])
    total = job["run"]["steps"]
    child = server.start(tmp_path, job)
    while last_row(tmp_path) < total * 0.55:
        time.sleep(0.0005)
    os.kill(child, signal.SIGINT)
    assert server.join() == 3  # the worker's word for "interrupted"
    look = load(tmp_path, checkpoint="interrupted")
    assert saved_steps(tmp_path) < look.steps < total
    look.predict(look.observation_space.sample(), deterministic=True)
    server.start(tmp_path, job)
    assert server.join() == 0
    check_equal(tmp_path, expected)


def test_S_IO_02_a_killed_run_can_be_resumed_for_longer(server, tmp_path):
    """Killed or not, a run that gets more steps is the same run."""
    job = CASES["dqn n-step"]
    longer = job | {"run": job["run"] | {"steps": 6500}}
    folders = [tmp_path / "whole", tmp_path / "killed"]
    for folder in folders:
        server.start(folder, job)
        assert server.join() == 0
    child = None
    for folder in folders:
        child = server.start(folder, longer)
        if folder.name == "killed":
            while last_row(folder) < 5800:
                time.sleep(0.0005)
            os.kill(child, signal.SIGKILL)
            assert server.join() == -signal.SIGKILL
            server.start(folder, longer)
        assert server.join() == 0
        assert saved_steps(folder) >= 6500
    check_equal(folders[1], result(folders[0]))


def test_another_seed_or_setting_is_another_run(server, uninterrupted, tmp_path):
    """Negative control: the comparison sees small differences."""
    job = CASES["dqn"]
    expected = uninterrupted("dqn", job)
    server.start(tmp_path, job | {"seed": 1})
    assert server.join() == 0
    other = result(tmp_path)
    last = "checkpoints/0000005000.pt"
    assert other.keys() == expected.keys()
    assert other[last] != expected[last]
    assert other["metrics.csv"] != expected["metrics.csv"]
    assert [leaf[:2] for leaf in other[last]] == [leaf[:2] for leaf in expected[last]]
