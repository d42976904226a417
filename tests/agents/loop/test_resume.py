"""A run that is killed again and again ends in the same bits as one that is not."""

import random
import signal
from pathlib import Path

import pytest
from killable import INTERRUPTED, Server, saved_steps
from leftovers import check_equal, result
from resuming import check_longer_run, whole_runs

from agents.loading import load

WORKER = Path(__file__).with_name("resume_worker.py")

DEEP = {
    "hidden": [24],
    "learning_starts": 100,
    "batch_size": 32,
    "target_every": 90,
    "train_every": 4,
}


def case(algorithm, env, steps, segment, config=(), **settings):
    """A job; episodes are cut by segments, rows and evaluations fall across them."""
    run = {
        "steps": steps,
        "segment_steps": segment,
        "log_every": segment // 7,
        "eval_every": segment * 3 // 5,
        "eval_episodes": 2,
        "eval_max_steps": 25,
    }
    return {"algorithm": algorithm, "env": env, "config": dict(config), "run": run} | settings


# To add an algorithm, add a line: long enough to be killed three times on its way.
CASES = {
    "dqn": case("dqn", "CartPole-v1", 1500, 150, DEEP | {"buffer_size": 540}),
    "dqn n-step": case(
        "dqn", "CartPole-v1", 1800, 180, DEEP | {"buffer_size": 180, "n_step": 3}, num_envs=3
    ),
    "dqn soft": case(
        "dqn",
        "dreamgym/Cliff-v0",
        700,
        70,
        DEEP | {"buffer_size": 245, "dueling": True, "target_rate": 0.1},
        seed=3,
    ),
    "dqn prioritized": case(
        "dqn", "CartPole-v1", 800, 80, DEEP | {"buffer_size": 200, "replay": "prioritized"}
    ),
    "dqn c51 noisy": case(
        "dqn",
        "CartPole-v1",
        700,
        70,
        DEEP | {"head": "categorical", "atoms": 11, "value_range": [0.0, 99.0], "noisy": True},
    ),
    "dqn lstm": case(
        "dqn",
        "CartPole-v1",
        630,
        63,
        DEEP | {"encoder": "lstm", "sequence_length": 6, "burn_in": 3, "buffer_size": 294},
        num_envs=3,
    ),
    "ppo": case("ppo", "CartPole-v1", 2_560, 256, {"n_steps": 32}, num_envs=4),
    "ppo fused": case(
        "ppo", "CartPole-v1", 5_120, 512, {"n_steps": 64, "kernel": "fused"}, num_envs=4
    ),
    "a2c": case("a2c", "Pendulum-v1", 3_000, 300),
    "a2c fused": case("a2c", "Pendulum-v1", 3_000, 300, {"kernel": "fused"}),
    "reinforce": case("reinforce", "CartPole-v1", 3_000, 300),
    "q-learning": case("q-learning", "Blackjack-v1", 1_000, 100),
    "q-learning fused": case("q-learning", "dreamgym/Lake-v0", 200_000, 20_000),
    "sarsa": case("sarsa", "CliffWalking-v1", 200_000, 20_000),
    "expected-sarsa": case("expected-sarsa", "dreamgym/Lake-v0", 3_000, 300, num_envs=2),
    "double-q-learning": case("double-q-learning", "FrozenLake-v1", 200_000, 20_000),
}
PLAN = case("value-iteration", "dreamgym/Lake-v0", 20, 7)


@pytest.fixture(scope="module")
def server():
    serving = Server(WORKER)
    yield serving
    serving.close()


@pytest.fixture(scope="module")
def uninterrupted(server, tmp_path_factory):
    return whole_runs(server, tmp_path_factory)


@pytest.mark.parametrize("name", CASES)
def test_S_IO_02_killed_at_random_moments(server, uninterrupted, tmp_path, name):
    job = CASES[name]
    if job["config"].get("kernel") == "fused":
        pytest.importorskip("numba")
    expected = uninterrupted(name, job)
    server.kill_thrice(tmp_path, job, random.Random(name))
    check_equal(tmp_path, expected)


@pytest.mark.parametrize("name", ["dqn", "value-iteration"])
def test_S_IO_02_killed_around_every_operation_on_files(server, uninterrupted, tmp_path, name):
    """Processes kill themselves before and after a write is synced, renamed, a file removed.

    In a segment, one process after the other gets one operation further: they die before every
    operation of one segment, and after every one of the next.
    """
    job = CASES.get(name, PLAN)
    if name == "dqn":  # from the third segment on, shards are removed
        small = {"buffer_size": 150, "learning_starts": 20}
        run = {"steps": 400, "segment_steps": 100, "log_every": 50, "eval_every": 170}
        job = job | {"config": job["config"] | small, "run": job["run"] | run}
    expected = uninterrupted(f"{name}, short", job)
    kills = moment = 0
    while True:
        before = saved_steps(tmp_path)
        status = server.run(tmp_path, job | {"die_at": moment})
        if status == 0:
            break
        assert status == -signal.SIGKILL
        kills += 1
        saved = saved_steps(tmp_path)
        segment = saved // job["run"]["segment_steps"]
        moment = segment % 2 if saved > before else moment + 2
    assert kills > (30 if name == "dqn" else 10)
    check_equal(tmp_path, expected)


# Ctrl-C and more steps --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dqn n-step", "ppo", "q-learning"])
def test_S_IO_02_ctrl_c_ends_cleanly_and_resumes_exactly(server, uninterrupted, tmp_path, name):
    job, expected = CASES[name], uninterrupted(name, CASES[name])
    total = job["run"]["steps"]
    # in the fourth of ten segments, and still there however late it comes
    assert server.run_until(0.31 * total, tmp_path, job, by=signal.SIGINT) == INTERRUPTED
    look = load(tmp_path, checkpoint="interrupted")
    assert saved_steps(tmp_path) < look.steps < total
    look.predict(look.observation_space.sample(), deterministic=True)
    assert server.run(tmp_path, job) == 0
    check_equal(tmp_path, expected)


def test_S_IO_02_a_killed_run_can_be_resumed_for_longer(server, tmp_path):
    """Killed or not, a run that gets more steps is the same run."""
    assert check_longer_run(server, tmp_path, CASES["dqn n-step"], 2520, kill_at=2160) >= 2520


def test_another_seed_or_setting_is_another_run(server, uninterrupted, tmp_path):
    """Negative control: the comparison sees small differences."""
    job = CASES["dqn"]
    expected = uninterrupted("dqn", job)
    assert server.run(tmp_path, job | {"seed": 1}) == 0
    other = result(tmp_path)
    last = "checkpoints/0000001500.pt"
    assert other.keys() == expected.keys()
    assert other[last] != expected[last]
    assert other["metrics.csv"] != expected["metrics.csv"]
    kept, same = (  # of recent episodes there are as many as there have been
        [leaf[:2] for leaf in found[last] if not leaf[0].startswith("/progress/recent")]
        for found in (other, expected)
    )
    assert kept == same
