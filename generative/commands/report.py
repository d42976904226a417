"""What `train-generative` says before and after training."""

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nets.counted import counted
from nets.shell.training import list_run

from .options import TRAIN

if TYPE_CHECKING:
    from ..data.dataset import Dataset
    from ..model import GenerativeModel
    from ..training.run import RunConfig, RunFolder
    from ..training.trainer import Trainer

MANY_PIXELS = 128**2


def large(data: "Dataset") -> Iterator[str]:
    """Yield what to say of pictures that are larger than most models are tried on, if these are."""
    if len(data.shape) == 3 and math.prod(data.shape[1:]) > MANY_PIXELS:
        size, times = "x".join(map(str, data.shape[1:])), math.prod(data.shape[1:]) / 64**2
        yield f"{data.name}: {size} pixels; --size 64 makes {times:.0f} times less work of a step"


def heading(trainer: "Trainer", config: "RunConfig") -> str:
    """Say what is trained on what, for how long and where."""
    model, data, processes = trainer.model, trainer.data, trainer.team.size
    parameters = sum(p.numel() for p in model.parameters())
    where = f"{trainer.device} ({counted(config.threads, 'thread')})"
    if processes > 1:
        where += f", {processes} processes"
    return (
        f"{model.name} on {data.name}: {len(data):,} rows of {'x'.join(map(str, data.shape))}, "
        f"{_latents(model)}{parameters:,} parameters, {config.steps:,} steps, "
        f"seed {trainer.seed}, {where}"
    )


def _latents(model: "GenerativeModel") -> str:
    from ..autoencoders.autoencoder import Autoencoder

    if not isinstance(model, Autoencoder):
        return ""
    return f"{counted(model.latent, 'latent')}, "


def ending(trainer: "Trainer", run: "RunFolder", config: "RunConfig", track: str) -> str:
    """Say what came out, where it lies, and what to type next."""
    lines = []
    if trainer.stopped:
        lines.append(f"stopped at step {trainer.steps:,}: the held-out loss became no better")
    if trainer.best_loss is not None:
        lines.append(f"best held-out loss: {trainer.best_loss:.3f}")
    lines += latents_in_use(trainer)
    return "\n".join([*lines, contents(run), next_commands(run, trainer, 2 * config.steps, track)])


def latents_in_use(trainer: "Trainer") -> list[str]:
    """Say how many latents say something of held-out rows, where a model knows."""
    share = trainer.watch.measured.get("active_latents")
    if share is None:
        return []
    latents = trainer.model.config.latent
    active = round(share * latents)
    line = f"latents in use: {active} of {latents}, with a KL above 0.01 on held-out rows"
    if active == latents:
        return [line]
    fewer = f"--latent {active}" if active else "--config.kl-warmup-steps, a smaller learning rate"
    return [f"{line}; the others say nothing: try {fewer}"]


def contents(run: "RunFolder") -> str:
    """Name the files of a run."""
    files = {
        "curve.png": "the same as a picture",
        "samples.png": "what the model imagines",
        "reconstructions.png": "held-out rows, each above what the model makes of it",
        "traversals.png": "what each latent does",
    }
    return list_run(run.path, "the weights that are best on held-out rows", files)


def next_commands(run: "RunFolder", trainer: "Trainer", more: int, track: str) -> str:
    """Name what can be done with a run."""
    trust = trust_option(trainer)
    others = {
        f"evaluate{trust}": "measure it",
        f"sample --n 100 --seed 1{trust}": "sample more",
    }
    if len(trainer.model.shape) == 3:
        others[f"sample --interpolate{trust}"] = "go from one to the other"
    return TRAIN.suggestions(run.path, others, more, trust + track)


def trust_option(trainer: "Trainer") -> str:
    """Return the option that the run's next commands need, if any."""
    from nets.runs.configurations import needs_trust

    from ..data.load import foreign

    needed = foreign(trainer.data.name, imported=()) or needs_trust(trainer.model.config)
    return " --trust" if needed else ""


def tell_results(trainer: "Trainer", run: "RunFolder", pictures: Mapping[str, Any]) -> None:
    """Tell who is told of the training what it came to."""
    if trainer.track is not None:
        best = trainer.best_loss
        trainer.track.pictures(trainer.steps, pictures)
        trainer.track.results({} if best is None else {"best/loss": best})
        trainer.track.media(run.curve)
