"""A server that trains in children of its own, to be killed while they do.

Each line of input is a job; the answer is the child's process id, then its exit status. A child
begins as a fresh process would, spared the seconds that importing takes.
"""

import json
import os
import signal
import sys
import traceback

import torch

from agents.algorithms import ALGORITHMS, find_algorithm
from agents.run import RunConfig, RunFolder
from agents.trainer import Trainer

INTERRUPTED = 3


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
        settings = {k: tuple(v) if isinstance(v, list) else v for k, v in job["config"].items()}
        config = RunConfig(**job["run"])
        agent = algorithm.agent_type()(
            job["env"],
            algorithm.config_type()(**settings),
            seed=job.get("seed", 0),
            num_envs=job.get("num_envs"),
        )
        run.create(agent, config, ["test"])
    if "die_at" in job:
        die_at(job["die_at"])
    trainer = Trainer(agent, run, config, progress=False)
    trainer.run(config.steps)
    return INTERRUPTED if trainer.interrupted else 0


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


def main():
    """Serve jobs until the input ends."""
    for algorithm in ALGORITHMS.values():
        algorithm.agent_type()
    import torch._dynamo  # what the first optimiser of a process imports
    import torch.utils.tensorboard  # noqa: F401

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = train(json.loads(line))
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
