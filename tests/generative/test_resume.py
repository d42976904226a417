"""A training that is killed again and again ends in the same bits as one that is not."""

import json
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

from generative.loading import load
from generative.run import RunFolder
from nets.training.checkpoint import load_checkpoint

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
        "vae", "digits", 400, {"ema_decay": 0.99, "kl_warmup_steps": 200, "max_grad_norm": 50.0}
    ),
    "vae bfloat16": case("vae", "digits", 400, {"precision": "bfloat16", "anneal_steps": 400}),
    "ae": case("ae", "ring", 500, {"latent": 1, "warmup_steps": 100}, seed=3),
    "gan": case("gan", "ring", 400, {"ema_decay": 0.9}),
    "wgan-gp": case("wgan-gp", "ring", 200, {"discriminator_steps": 2, "conditional": True}),
    "aae": case("aae", "digits", 300),
    "dcgan": case("dcgan", "digits", 100, {"base_filters": 4}),
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


@pytest.fixture(scope="module")
def server():
    serving = Server()
    yield serving
    serving.process.communicate()


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
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    found = {
        str(file.relative_to(folder)): list(leaves(load_checkpoint(file)))
        for file in sorted(folder.rglob("*.pt"))
        if file.name != "interrupted.pt"
    }
    found["metrics.csv"] = (folder / "metrics.csv").read_bytes()
    for tag in sorted(events.Tags()["scalars"]):
        if tag != "rows_per_second":
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
    lines = file.read_text().splitlines(keepends=True)[1:] if file.exists() else []
    whole = [line for line in lines if line.endswith("\n")]
    return int(whole[-1].partition(",")[0]) if whole else 0


def saved_steps(folder):
    files = RunFolder(folder).files.list()
    return int(files[-1].stem) if files else 0


def wait_for(folder, moment):
    deadline = time.monotonic() + 120
    while last_row(folder) < moment:
        assert time.monotonic() < deadline
        time.sleep(0.0005)


@pytest.fixture(scope="module")
def uninterrupted(server, tmp_path_factory):
    """The results of whole runs, each made once."""
    made = {}

    def run(name):
        if name not in made:
            folder = tmp_path_factory.mktemp("whole")
            server.start(folder, CASES[name])
            assert server.join() == 0
            assert saved_steps(folder) == CASES[name]["run"]["steps"]
            made[name] = result(folder)
        return made[name]

    return run


QUICK = ("vae", "gan", "aae")


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in CASES],
)
def test_S_IO_02_killed_at_random_moments(server, uninterrupted, tmp_path, name):
    job, rng = CASES[name], random.Random(name)
    expected = uninterrupted(name)
    total = job["run"]["steps"]
    for part in range(3):
        child = server.start(tmp_path, job)
        wait_for(tmp_path, total * (part + rng.uniform(0.2, 0.9)) / 3.2)
        time.sleep(rng.uniform(0, 0.01))
        os.kill(child, signal.SIGKILL)
        assert server.join() == -signal.SIGKILL, "the run was over before it could be killed"
        assert saved_steps(tmp_path) < total
    server.start(tmp_path, job)
    assert server.join() == 0
    check_equal(tmp_path, expected)


def test_S_IO_02_ctrl_c_ends_cleanly_and_resumes_exactly(server, uninterrupted, tmp_path):
    job, expected = CASES["aae"], uninterrupted("aae")
    total = job["run"]["steps"]
    child = server.start(tmp_path, job)
    wait_for(tmp_path, total * 0.55)
    os.kill(child, signal.SIGINT)
    assert server.join() == 3  # the worker's word for "interrupted"
    state = load_checkpoint(RunFolder(tmp_path).files.interrupted)
    assert saved_steps(tmp_path) < state["step"] < total
    assert load(tmp_path, checkpoint="interrupted").sample(2).shape == (2, 1, 8, 8)
    server.start(tmp_path, job)
    assert server.join() == 0
    check_equal(tmp_path, expected)


def test_S_IO_02_a_killed_run_can_be_resumed_for_longer(server, tmp_path):
    job = CASES["gan"]
    longer = job | {"run": job["run"] | {"steps": 600}}
    folders = [tmp_path / "whole", tmp_path / "killed"]
    for folder in folders:
        server.start(folder, job)
        assert server.join() == 0
        child = server.start(folder, longer)
        if folder.name == "killed":
            wait_for(folder, 480)
            os.kill(child, signal.SIGKILL)
            assert server.join() == -signal.SIGKILL
            server.start(folder, longer)
        assert server.join() == 0
        assert saved_steps(folder) == 600
    check_equal(folders[1], result(folders[0]))


def test_another_seed_is_another_run(server, uninterrupted, tmp_path):
    """Negative control: the comparison sees small differences."""
    expected = uninterrupted("vae")
    server.start(tmp_path, CASES["vae"] | {"seed": 1})
    assert server.join() == 0
    other, last = result(tmp_path), "checkpoints/0000000400.pt"
    assert other.keys() == expected.keys()
    assert other[last] != expected[last]
    assert [leaf[:2] for leaf in other[last]] == [leaf[:2] for leaf in expected[last]]
