"""A server that trains in children of its own, to be killed while they do.

Each line of input is a job; the answer is the child's process id, then its exit status.
"""

import json
import os
import sys
import traceback

import torch
import torch._dynamo  # what the first optimiser of a process imports
import torch.utils.tensorboard

from generative.building import DataConfig, build_model, load_parts
from generative.data import load_dataset
from generative.models import MODELS, find_model
from generative.run import RunConfig, RunFolder
from generative.trainer import Trainer

INTERRUPTED = 3


def train(job):
    """Begin or resume the run, as the command line does."""
    torch.set_num_threads(1)
    run, seed = RunFolder(job["folder"]), job.get("seed", 0)
    settings = {k: tuple(v) if isinstance(v, list) else v for k, v in job["config"].items()}
    config = RunConfig(**job["run"])
    data, held_out = load_parts(DataConfig(job["data"], limit=400), config.held_out, 0)
    kind = find_model(job["model"]).config_type()
    model = build_model(job["model"], data, kind(**settings), seed)
    if run.record.file.exists():
        config = run.extend(config.steps)
    else:
        run.create(model.manifest(), config)
    trainer = Trainer(
        model, data, run, config, held_out=held_out, seed=seed, device="cpu", progress=False
    )
    trainer.run(config.steps)
    return INTERRUPTED if trainer.interrupted else 0


def main():
    """Serve jobs until the input ends."""
    for model in MODELS.values():
        model.model_type()
    load_dataset("digits")  # imports scikit-learn
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
