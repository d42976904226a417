"""Trains agents in children of its own, to be killed while they do."""

import importlib.util
import os
import signal

import torch
import torch._dynamo  # what the first optimiser of a process imports
import torch.utils.tensorboard
from killable import INTERRUPTED, serve

from agents.algorithms import ALGORITHMS, find_algorithm
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from nets.settings import from_plain


def train(job):
    """Begin or resume the run, as the command line does."""
    torch.set_num_threads(1)
    run = RunFolder(job["folder"])
    algorithm = find_algorithm(job["algorithm"])
    if run.config_file.exists():
        record = run.load_config() | {"steps": 0, "segment": 0}
        agent = algorithm.agent_type().from_manifest(record)
        config = run.extend(job["run"]["steps"])
    else:
        config = RunConfig(**job["run"])
        agent = algorithm.agent_type()(
            job["env"],
            algorithm.config_type()(**from_plain(job["config"])),
            seed=job.get("seed", 0),
            num_envs=job.get("num_envs"),
        )
        run.create(agent, config, ["test"])
    if "die_at" in job:
        die_at(job["die_at"])
    trainer = Trainer(agent, run, config, progress=False)
    try:
        trainer.run(config.steps)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def die_at(moment):
    """Let this process kill itself around its n-th operation on files.

    Operation k is preceded by moment 2k and followed by moment 2k + 1.
    """
    moments = iter(range(10**9))

    def deadly(operation):
        def operate(*args, **kwargs):
            for after in (False, True):
                if after:
                    result = operation(*args, **kwargs)
                if next(moments) == moment:
                    os.kill(os.getpid(), signal.SIGKILL)
            return result

        return operate

    for name in ("fsync", "replace", "unlink"):
        setattr(os, name, deadly(getattr(os, name)))


def load_kernels():
    """Load what numba compiles of a first update, which children would do one after the other."""
    for name, env, settings in (
        ("q-learning", "dreamgym/Lake-v0", {}),
        ("ppo", "CartPole-v1", {"kernel": "fused", "n_steps": 8}),
        ("a2c", "Pendulum-v1", {"kernel": "fused"}),
    ):
        algorithm = find_algorithm(name)
        agent = algorithm.agent_type()(env, algorithm.config_type()(**settings))
        agent.learn(agent.rollout_steps, progress=False)


if __name__ == "__main__":
    for algorithm in ALGORITHMS.values():
        algorithm.agent_type()
    if importlib.util.find_spec("numba"):
        load_kernels()
    serve(train)
