"""Trains generative models in children of its own, to be killed while they do."""

import torch
import torch._dynamo  # what the first optimiser of a process imports
import torch.utils.tensorboard
from killable import INTERRUPTED, serve

from generative.catalogue import MODELS, find_model
from generative.data.load import load_dataset
from generative.data.parts import DataConfig, load_parts
from generative.loading import build_model
from generative.training.run import RunConfig, RunFolder
from generative.training.trainer import Trainer
from nets.settings import from_plain


def train(job):
    """Begin or resume the run, as the command line does."""
    torch.set_num_threads(1)
    run, seed = RunFolder(job["folder"]), job.get("seed", 0)
    config = RunConfig(**job["run"])
    data, held_out = load_parts(DataConfig(job["data"], limit=400), config.held_out, 0)
    kind = find_model(job["model"]).config_type()
    model = build_model(job["model"], data, kind(**from_plain(job["config"])), seed)
    if run.config_file.exists():
        config = run.extend(config.steps)
    else:
        run.create(model.manifest(), config)
    trainer = Trainer(
        model, data, run, config, held_out=held_out, seed=seed, device="cpu", progress=False
    )
    try:
        trainer.run(config.steps)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    for model in MODELS.values():
        model.model_type()
    load_dataset("digits")  # imports scikit-learn
    serve(train)
