"""What keeps adversarial models on all modes and what breaks them, measured on the ring.

`python -m generative.benchmarks.ring [VARIANT ...]`: SPEC G-GAN-06, G-GAN-09.
"""

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time
from typing import Annotated, Any

import torch
import tyro
from torch import Tensor

from nets.training.checkpoint import save_json
from nets.training.command_line import CommandError, command, parse
from nets.training.provenance import git_commit
from nets.training.seeding import seeded

from ..building import build_model
from ..data import RING_STD, ring, ring_means
from ..metrics.modes import mode_coverage
from ..model import GenerativeModel
from ..models import find_model
from ..presets import find_preset
from ..trainer import Trainer

TEXT = """Train variants of GANs on eight Gaussians; count modes and samples within 3 sigma.

examples:
  python -m generative.benchmarks.ring
  python -m generative.benchmarks.ring gan saturating --seeds 5 --out ring.json"""

SAMPLES = 10_000

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "gan": ("gan", {}),
    "saturating": ("gan", {"generator_loss": "saturating"}),
    "label-smoothing": ("gan", {"label_smoothing": 0.1}),
    "spectral-norm": ("gan", {"spectral_norm": True}),
    "five-discriminator-steps": ("gan", {"discriminator_steps": 5}),
    "long-memory": ("gan", {"betas": (0.9, 0.999)}),
    "collapsing": (
        "gan",
        {
            "hidden": (32, 32),
            "batch_size": 32,
            "learning_rate": 5e-3,
            "betas": (0.9, 0.999),
            "ema_decay": 0.0,
        },
    ),
    "wgan-gp": ("wgan-gp", {}),
    "wgan-gp-paper": (
        "wgan-gp",
        {"learning_rate": 1e-4, "penalty": 10.0, "discriminator_steps": 5},
    ),
}


@dataclass(frozen=True)
class RingOptions:
    """Which variants, and how long."""

    variants: tyro.conf.Positional[tuple[str, ...]] = tuple(VARIANTS)
    """Names of variants."""
    seeds: int = 1
    """How many runs of each."""
    steps: int | None = None
    """Of each run; the preset's by default."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """JSON file for one record per run."""
    picture: Annotated[Path | None, tyro.conf.arg(metavar="PNG")] = None
    """Picture of samples of each variant's last seed."""


@dataclass(frozen=True)
class Outcome:
    """One run: modes covered and share within 3 sigma, by averaged and by last weights."""

    variant: str
    seed: int
    steps: int
    modes: int
    high_quality: float
    fewest: int
    last_modes: int
    last_high_quality: float
    seconds: float


def train_variant(variant: str, seed: int, steps: int | None = None) -> tuple[Outcome, Trainer]:
    """Train a variant on the ring from the preset of its model.

    Args:
        variant: a key of `VARIANTS`.
        seed: of weights, order and noise.
        steps: of the generator; the preset's when None.
    """
    name, settings = VARIANTS[variant]
    preset = find_preset(name, "ring")
    assert preset is not None
    config_type = find_model(name).config_type()
    config = config_type(**(preset.settings | settings))
    data, started = ring(), process_time()
    trainer = Trainer(
        build_model(name, data, config, seed), data, seed=seed, device="cpu", progress=False
    )
    steps = steps or preset.run["steps"]
    trainer.run(steps)
    seconds = process_time() - started
    averaged, last = measured(trainer.trained), measured(trainer.model)
    outcome = Outcome(variant, seed, steps, *averaged, *last[:2], seconds)
    return outcome, trainer


def measured(model: GenerativeModel) -> tuple[int, float, int]:
    """Return modes covered, share within 3 sigma, and samples of the mode with the fewest."""
    centres = torch.as_tensor(ring_means(), dtype=torch.float32)
    with seeded(0):
        found = mode_coverage(model.eval().sample(SAMPLES), centres, RING_STD)
    return found.covered, found.high_quality, int(found.counts.min())


def draw(panels: Sequence[tuple[str, Tensor]], path: Path, columns: int = 4) -> None:
    """Draw samples `[N, 2]` of several models over the circles of 3 sigma around the modes."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle

    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(3 * columns, 3.3 * rows), dpi=100, layout="constrained")
    for k, (title, samples) in enumerate(panels):
        axes = figure.add_subplot(rows, columns, k + 1, title=title, aspect="equal")
        axes.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[])
        for x, y in ring_means():
            axes.add_patch(Circle((x, y), 3 * RING_STD, fill=False, color="tab:orange", lw=1.2))
        axes.plot(*samples.T, ".", color="tab:blue", ms=2.0, alpha=0.35)
    figure.savefig(path)


@command
def main(argv: list[str]) -> int:
    """Train, measure and print."""
    options = parse(RingOptions, "ring", argv, TEXT)
    unknown = [variant for variant in options.variants if variant not in VARIANTS]
    if unknown or options.seeds < 1:
        problem = f"unknown variants {unknown}" if unknown else f"seeds is {options.seeds}"
        raise CommandError(f"{problem}: expected one seed or more of {', '.join(VARIANTS)}")
    call = shlex.join(["python", "-m", "generative.benchmarks.ring", *argv])
    records, panels = [], []
    print("variant                   seed  modes  within 3σ  last modes  within 3σ  seconds")
    for variant in options.variants:
        for seed in range(options.seeds):
            found, trainer = train_variant(variant, seed, options.steps)
            config = asdict(trainer.model.config)
            origin = {"config": config, "commit": git_commit(), "command": call}
            records.append(asdict(found) | origin)
            print(
                f"{variant:<25}{seed:>5}{found.modes:>7}{found.high_quality:>11.3f}"
                f"{found.last_modes:>12}{found.last_high_quality:>11.3f}{found.seconds:>9.1f}",
                flush=True,
            )
        with seeded(0):
            title = f"{variant}: {found.modes} modes, {found.high_quality:.0%}"
            panels.append((title, trainer.trained.eval().sample(2000)))
    if options.out is not None:
        save_json(options.out, records)
    if options.picture is not None:
        draw(panels, options.picture)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
