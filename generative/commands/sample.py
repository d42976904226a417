"""Sample from a trained generative model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from nets.settings import Capacity, Seed, Settings
from nets.shell.command_line import CommandError, command, parse, refusals

MOST_WAYS = 16
TEXT = """Sample from a trained generative model: a picture, or the samples themselves.

examples:
  {command} runs/vae-digits-s0
  {command} runs/vae-digits-s0 --n 100 --seed 1 --out digits.png
  {command} runs/vae-digits-s0 --n 10000 --out digits.npy
  {command} runs/vae-digits-s0 --traverse --out latents.png
  {command} runs/vae-digits-s0 --interpolate --out between.gif"""


@dataclass(frozen=True)
class SampleOptions(Settings):
    """Which model, and what of it."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """Folder of a run."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """.png, .gif of --traverse or --interpolate, or .npy of samples; by default in DIR."""
    n: Capacity = 64
    """How many samples, or ways of --interpolate, of which there are 16 at most."""
    traverse: bool = False
    """Show what each latent does."""
    interpolate: bool = False
    """Go from one datum, or sample, to another."""
    seed: Seed = 0
    """Of the noise."""
    checkpoint: str | None = None
    """Name of a checkpoint, or "last"; by default the best."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the model runs."""
    trust: bool = False
    """Import whatever modules the run's networks and data are of: their code runs."""


@command
def main(argv: list[str]) -> int:
    """Sample, and write a file."""
    options = parse(SampleOptions, "sample", argv, TEXT)
    if options.traverse and options.interpolate:
        raise CommandError("choose one of --traverse and --interpolate")
    moves = options.traverse or options.interpolate
    name = "traversals" if options.traverse else "interpolations" if moves else "samples"
    out = options.out or options.run / f"{name}.png"
    known = (".png", ".gif") if moves else (".png", ".npy")
    if out.suffix not in known:
        raise CommandError(f"{out}: expected a name that ends in {' or '.join(known)}")
    with refusals(ValueError):
        _write(options, out)
    print(out)
    return 0


def _write(options: SampleOptions, out: Path) -> None:
    """Let the model show what was asked for."""
    import numpy as np
    import torch

    from nets.process.seeding import seeded
    from nets.runs.checkpoint import atomic_write

    from ..data.parts import load_run_data
    from ..gallery import draw, grids
    from ..loading import load
    from ..training.run import RunFolder

    record = RunFolder(options.run).load_config()
    chosen, device = options.checkpoint, options.device
    model = load(options.run, checkpoint=chosen, device=device, trust=options.trust)
    with seeded(options.seed), torch.no_grad():
        if out.suffix == ".npy":
            samples = model.sample(options.n).cpu().numpy()
            atomic_write(out, lambda file: np.save(file, samples))
            return
        data = load_run_data(record, trust=options.trust)[1]
        if options.traverse:
            pictures, names = draw.traversed(model, data)
        elif options.interpolate:
            pictures, names = draw.interpolated(model, data, min(options.n, MOST_WAYS)), []
        else:
            grids.save(out, draw.samples(model, data, options.n))
            return
    if out.suffix == ".gif":
        grids.save(out, grids.film(pictures.transpose(0, 1)))
    else:
        grids.save(out, grids.rows(pictures, names))
