"""A training that is killed again and again ends in the same bits as one that is not."""

import random
import signal
from pathlib import Path

import pytest
from killable import INTERRUPTED, Server, saved_steps
from leftovers import check_equal, result
from resuming import check_longer_run, whole_runs

from generative.loading import load
from generative.training.run import RunFolder
from nets.runs.checkpoint import load_checkpoint

WORKER = Path(__file__).with_name("resume_worker.py")
SMALL = {"hidden": [24], "batch_size": 16}


def case(model, data, steps, config=(), **settings):
    """A job; rows and evaluations fall across segments."""
    small = {"batch_size": 16} if model == "dcgan" else SMALL
    run = {
        "steps": steps,
        "segment_steps": steps // 10,
        "log_every": steps // 70,
        "eval_every": steps * 3 // 50,
        "draw_every": 0,
        "held_out": 0.2,
    }
    return {"model": model, "data": data, "config": small | dict(config), "run": run} | settings


CASES = {
    "vae": case(
        "vae", "digits", 210, {"ema_decay": 0.99, "kl_warmup_steps": 100, "max_grad_norm": 50.0}
    ),
    "vae bfloat16": case("vae", "digits", 210, {"precision": "bfloat16", "anneal_steps": 210}),
    "ae": case("ae", "ring", 500, {"latent": 1, "warmup_steps": 100}, seed=3),
    "gan": case("gan", "ring", 210, {"ema_decay": 0.9}),
    "wgan-gp": case("wgan-gp", "ring", 200, {"discriminator_steps": 2, "conditional": True}),
    "aae": case("aae", "digits", 210),
    "dcgan": case("dcgan", "digits", 100, {"base_filters": 4}),
}


@pytest.fixture(scope="module")
def server():
    serving = Server(WORKER)
    yield serving
    serving.close()


@pytest.fixture(scope="module")
def uninterrupted(server, tmp_path_factory):
    return whole_runs(server, tmp_path_factory)


QUICK = ("vae", "gan", "aae")


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in CASES],
)
def test_S_IO_02_killed_at_random_moments(server, uninterrupted, tmp_path, name):
    job = CASES[name]
    expected = uninterrupted(name, job)
    server.kill_thrice(tmp_path, job, random.Random(name))
    check_equal(tmp_path, expected)
    assert saved_steps(tmp_path) == job["run"]["steps"]


def test_S_IO_02_ctrl_c_ends_cleanly_and_resumes_exactly(server, uninterrupted, tmp_path):
    job, expected = CASES["aae"], uninterrupted("aae", CASES["aae"])
    total = job["run"]["steps"]
    # in the sixth of ten segments, and still there however late it comes
    assert server.run_until(0.52 * total, tmp_path, job, by=signal.SIGINT) == INTERRUPTED
    state = load_checkpoint(RunFolder(tmp_path).files.interrupted)
    assert saved_steps(tmp_path) < state["step"] < total
    assert load(tmp_path, checkpoint="interrupted").sample(2).shape == (2, 1, 8, 8)
    assert server.run(tmp_path, job) == 0
    check_equal(tmp_path, expected)


def test_S_IO_02_a_killed_run_can_be_resumed_for_longer(server, tmp_path):
    assert check_longer_run(server, tmp_path, CASES["gan"], 315, kill_at=252) == 315


def test_another_seed_is_another_run(server, uninterrupted, tmp_path):
    """Negative control: the comparison sees small differences."""
    job = CASES["vae"]
    expected = uninterrupted("vae", job)
    assert server.run(tmp_path, job | {"seed": 1}) == 0
    other, last = result(tmp_path), "checkpoints/0000000210.pt"
    assert other.keys() == expected.keys()
    assert other[last] != expected[last]
    assert [leaf[:2] for leaf in other[last]] == [leaf[:2] for leaf in expected[last]]
