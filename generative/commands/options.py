"""What `train-generative` can be told, with the preset for model and data in force."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import tyro
from tyro.constructors import PrimitiveConstructorSpec

from nets.kinds import Capacity, Count, Size, Threads, Whole
from nets.runs.presets import start_from
from nets.settings import check
from nets.shell.command_line import told
from nets.shell.run_options import Config, StartOptions
from nets.shell.training import TrainCommand, preset_note

from ..catalogue import MODELS, find_model
from ..presets import Preset, find_preset, load_presets

DEFAULT_STEPS = 10_000


def _sides(words: list[str]) -> int | tuple[int, int]:
    """Read a side, or height and width with an x between."""
    sides = words[0].lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() for side in sides):
        raise ValueError("expected a number of pixels, or HEIGHTxWIDTH such as 48x64")
    return int(sides[0]) if len(sides) == 1 else (int(sides[0]), int(sides[1]))


SIDES = PrimitiveConstructorSpec[Any](
    nargs=1,
    metavar="N|HxW",
    instance_from_str=_sides,
    is_instance=lambda value: value is None or isinstance(value, int | tuple),
    str_from_instance=lambda value: (
        ["x".join(map(str, value))] if isinstance(value, tuple) else [str(value)]
    ),
)
TEXT = """Train a generative model, and leave a run folder.

usage:
  {command} MODEL DATA [options]
  {command} --resume DIR [--steps N]    go on with an interrupted run, or extend it
  {command} --list                      models, data, presets

examples:
  {command} vae digits
  {command} wgan-gp ring --seed 3
  {command} beta-tcvae sprites --size 32 --limit 20000 --latent 6 --config.beta 8
  {command} dcgan frames:dreamgym/Catch-v0 --size 32 --config.base-filters 16
  {command} ae pictures/ --size 64        a folder of images, .npz, .npy
  {command} vae photos/ --size 48x64 --fit crop
  {command} vae flowers.csv --labels species"""
TRAIN = TrainCommand("train-generative", "MODEL", "DATA", MODELS, TEXT)


@dataclass(frozen=True, kw_only=True)
class TrainOptions(StartOptions[Config]):
    """A new run."""

    model: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="MODEL")]
    """Model; --list shows them."""
    data: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="DATA")]
    """sprites, digits, ring, frames:ENV_ID, observations:ENV_ID, or a path; see --list."""
    steps: Count = DEFAULT_STEPS
    """Turns of all players."""
    latent: Size | None = None
    """Number of latents; short for --config.latent."""
    size: Annotated[Count | tuple[Count, Count] | None, SIDES] = None
    """Side of the pictures in pixels, or HEIGHTxWIDTH; by default their own."""
    fit: Literal["stretch", "crop", "pad"] = "stretch"
    """How pictures of another aspect come to that size: as a whole, their middle, or with black."""
    labels: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Of your own files: the column of a table, the member of an .npz, or a file of labels."""
    limit: Capacity | None = None
    """Rows of data at most; by default all."""
    binarize: bool = False
    """Draw pixels anew as black or white in every batch, their values the probabilities."""
    trust: bool = False
    """Of frames:ENV_ID@RUN, import whatever module the run is of: its code runs."""
    held_out: float = 0.1
    """Share of the rows that training never sees, and is measured on."""
    threads: Threads | None = None
    """CPU threads; by default one for dense networks, all there are for convolutions."""
    draw_every: Annotated[Whole | None, tyro.conf.arg(metavar="N")] = None
    """Steps between pictures, 0 for none before the end; by default a tenth of all."""

    def __post_init__(self) -> None:
        check(self, "model", "data", "config")
        if not 0.0 <= self.held_out < 1.0:
            raise ValueError(f"held_out is {self.held_out}: expected a share in [0, 1)")


def parse_train(argv: Sequence[str]) -> tuple[TrainOptions[Any], Preset | None]:
    """Return the options of a new run, and the preset that they started from.

    Model and data are looked up in `argv` first: they decide which settings there are, and their
    defaults.

    Raises:
        CommandError: there is no such model, or a setting cannot work.
    """
    model = TRAIN.find(argv, TrainOptions)
    name, words = model.name, argv[argv.index(model.name) + 1 :]
    preset = next(filter(None, (find_preset(name, word) for word in words)), None)
    config, run = start_from(preset, model.config_type()())
    default: TrainOptions[Any] = TrainOptions(
        model=tyro.MISSING, data=tyro.MISSING, config=config, **run
    )
    known = [data for model_name, data in load_presets() if model_name == name]
    with told(ValueError):
        options = TRAIN.parse(argv, default, preset_note(name, preset, known))
        if options.latent is not None:
            config = replace(options.config, latent=options.latent)
            options = replace(options, config=config)
        find_model(options.model)
    if options.model != name or preset != find_preset(name, options.data):
        raise TRAIN.misplaced(argv)
    return options, preset
