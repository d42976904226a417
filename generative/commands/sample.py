"""Sample from a trained generative model."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from nets.drawing.style import Theme, drawing
from nets.kinds import Capacity, Seed
from nets.runs.durable import require_place
from nets.settings import Settings
from nets.shell.command_line import CommandError, command, parse, refusals
from nets.shell.here import shown

if TYPE_CHECKING:
    from ..data.dataset import Dataset

MOST_WAYS = 16
TEXT = """Sample from a trained generative model: a picture, or the samples themselves.

examples:
  {command} runs/vae-digits-s0
  {command} runs/vae-digits-s0 --n 100 --seed 1 --out digits.png
  {command} runs/vae-digits-s0 --n 10000 --out digits.npy
  {command} runs/dcgan-digits-s0 --label 3       a class, of a conditional model
  {command} runs/vae-flowers-s0 --out more.csv   of a table, in its units
  {command} runs/vae-digits-s0 --traverse --out latents.png
  {command} runs/vae-digits-s0 --interpolate --out between.gif"""


@dataclass(frozen=True)
class SampleOptions(Settings):
    """Which model, and what of it."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """Folder of a run."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """.png, .gif of --traverse or --interpolate, .svg or .pdf of points, .npy or .csv of samples;
    by default in DIR."""
    n: Capacity = 64
    """How many samples, or ways of --interpolate, of which there are 16 at most."""
    label: Annotated[str | None, tyro.conf.arg(metavar="CLASS")] = None
    """Class of all samples, by its name or number; by default all in turn, if it can be chosen."""
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
    theme: Theme = "light"
    """Paper that is drawn on."""
    trust: bool = False
    """Import whatever modules the run's networks and data are of: their code runs."""


@command
def main(argv: list[str]) -> int:
    """Sample, and write a file."""
    options = parse(SampleOptions, "sample", argv, TEXT)
    if options.traverse and options.interpolate:
        raise CommandError("choose one of --traverse and --interpolate")
    if options.label is not None and (options.traverse or options.interpolate):
        raise CommandError("--label is of samples: leave out --traverse and --interpolate")
    if options.out is not None:
        require_place(options.out)
    with refusals(ValueError, TypeError, ImportError), drawing(options.theme):
        print(shown(_write(options)))
    return 0


def _write(options: SampleOptions) -> Path:
    """Let the model show what was asked for; return where."""
    import torch

    from nets.process.seeding import seeded

    from ..gallery import draw, grids
    from ..loading import load
    from ..model import Encodes
    from ..training.run import RunFolder
    from . import written

    record = RunFolder(options.run).load_config()
    units = written.units_of(record)
    moves = options.traverse or options.interpolate
    name = "traversals" if options.traverse else "interpolations" if moves else "samples"
    chosen, device = options.checkpoint, options.device
    model = load(options.run, checkpoint=chosen, device=device, trust=options.trust)
    drawn = draw.shows_pictures(model) or (model.shape == (2,) and units is None)
    ending = "png" if drawn or moves else "csv" if len(model.shape) == 1 else "npy"
    out = options.out or options.run / f"{name}.{ending}"
    points = (".svg", ".pdf") if model.shape == (2,) else ()
    known = (".png", ".gif") if moves else (".png", *points, ".npy", ".csv")
    if out.suffix not in known:
        raise CommandError(f"{out}: expected a name that ends in {' or '.join(known)}")
    label = written.label_of(record, model, options.n, options.label)
    with seeded(options.seed), torch.no_grad():
        if out.suffix == ".npy":
            written.as_array(out, model, options.n, label, units)
        elif out.suffix == ".csv":
            written.as_table(out, model, options.n, label, units, record)
        elif not moves:
            data = _data(record, options) if model.shape == (2,) else None
            asked = label if options.label is not None else None
            grids.save(out, draw.samples(model, data, options.n, asked))
        else:
            data = _data(record, options) if isinstance(model, Encodes) else None
            if options.traverse:
                pictures, names = draw.traversed(model, data)
            else:
                ways = min(options.n, MOST_WAYS)
                pictures, names = draw.interpolated(model, data, ways), []
            film = grids.film(pictures.transpose(0, 1)) if out.suffix == ".gif" else None
            grids.save(out, grids.rows(pictures, names) if film is None else film)
    return out


def _data(record: Mapping[str, Any], options: SampleOptions) -> "Dataset | None":
    """Return held-out rows to show beside; None, and a word, where the data are gone."""
    from ..data.parts import load_run_data

    if "world" in record:
        return None  # what was lived through is no data set
    try:
        return load_run_data(record, trust=options.trust)[1]
    except FileNotFoundError as error:
        print(f"{error}: showing samples alone", file=sys.stderr)
        return None
