"""Trainings of generative models by several processes, for test_distributed.py."""

from generative.catalogue import find_model
from generative.data.load import load_dataset
from generative.loading import build_model
from generative.training.run import RunConfig, RunFolder
from generative.training.trainer import Trainer

JOBS = {
    "ae": ("digits", {"hidden": (16,), "patience": 2}),
    "aae": ("digits", {"hidden": (16,), "ema_decay": 0.9}),
    "dcgan": ("digits", {"base_filters": 4}),
    "wgan-gp": ("ring", {"hidden": (16,), "discriminator_steps": 2}),
}
STEPS = 6


def train(name, workers, folder=None, steps=STEPS):
    """Train in memory, or in a run's folder, and return the weights."""
    spec, settings = JOBS[name]
    data = load_dataset(spec, limit=160)
    held_out = load_dataset(spec, limit=20, seed=1)
    config = find_model(name).config_type()(batch_size=16, **settings)
    model = build_model(name, data, config, seed=1)
    run = None if folder is None else RunFolder(folder)
    cut = RunConfig.default(STEPS, eval_every=2, segment_steps=3)
    trainer = Trainer(
        *(model, data, run, cut), held_out=held_out, device="cpu", team=workers, progress=False
    )
    trainer.run(steps)
    return {name: p.detach() for name, p in model.named_parameters()}


def all_trained(folder, workers):
    """Return the weights of every job; of the first, of a run in two parts, too."""
    weights = {name: train(name, workers) for name in JOBS}
    train("ae", workers, folder / "run", steps=3)
    return weights | {"ae resumed": train("ae", workers, folder / "run")}
