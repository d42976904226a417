"""What keeps adversarial models on all modes and what breaks them, measured on the ring.

Rows of the quality table, curriculum G-GAN-06, G-GAN-09; `python -m generative.benchmarks.ring
PNG` draws samples of all.
"""

from collections.abc import Mapping
from typing import Any

import torch

from nets.drawing import style as house
from nets.drawing.figures import frame, save
from nets.process.seeding import seeded

from ..data.small import RING_STD, ring_means
from ..metrics.modes import mode_coverage
from ..model import GenerativeModel
from .drawing import DrawOptions, drawing
from .fitted import Fit, Fitted

TEXT = """Train variants of GANs on eight Gaussians, and draw samples of each.

examples:
  python -m generative.benchmarks.ring ring.png"""

SAMPLES, DRAWN = 10_000, 2000
SHORT = {"steps": 3000}


def on_ring(fit: Fit) -> dict[str, Any]:
    """Measure modes, the share within 3 sigma and evenness, by averaged and by last weights."""
    found = _modes(fit.model)
    return found | {f"last_{name}": value for name, value in _modes(fit.last).items()}


def _modes(model: GenerativeModel) -> dict[str, Any]:
    centres = torch.as_tensor(ring_means(), dtype=torch.float32)
    found = mode_coverage(model.sample(SAMPLES), centres, RING_STD)
    counts = found.counts.tolist()
    return {
        "modes": found.covered,
        "high_quality": found.high_quality,
        "evenness": min(counts) / max(*counts, 1),
        "counts": counts,
    }


def _variant(model: str, **overrides: Any) -> Fitted:
    return Fitted(model, "ring", on_ring, overrides)


VARIANTS: Mapping[str, Fitted] = {
    "gan": _variant("gan"),
    "wgan-gp": _variant("wgan-gp"),
    "collapsing": _variant(
        "gan",
        hidden=(32, 32),
        batch_size=32,
        learning_rate=5e-3,
        betas=(0.9, 0.999),
        ema_decay=0.0,
        **SHORT,
    ),
    "saturating": _variant("gan", generator_loss="saturating", **SHORT),
    "label-smoothing": _variant("gan", label_smoothing=0.1, **SHORT),
    "spectral-norm": _variant("gan", spectral_norm=True, **SHORT),
    "long-memory": _variant("gan", betas=(0.9, 0.999), **SHORT),
    "five-discriminator-steps": _variant("gan", discriminator_steps=5, **SHORT),
    "paper": _variant("wgan-gp", learning_rate=1e-4, penalty=10.0, discriminator_steps=5, **SHORT),
}


def draw(options: DrawOptions, columns: int = 3) -> None:
    """Draw samples of every variant over the circles of 3 sigma around the modes."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle

    rows = -(-len(VARIANTS) // columns)
    with house.drawing(options.theme), house.styled():
        figure = Figure(figsize=(3 * columns, 3.3 * rows))
        figure.suptitle(f"{DRAWN:,} samples, seed {options.seed}; circles: 3 σ around the modes")
        for k, (variant, fitted) in enumerate(VARIANTS.items()):
            model = fitted.fit(options.seed, options.steps).model
            with seeded(0):
                found, samples = _modes(model), model.sample(DRAWN)
            title = f"{variant}: {found['modes']} modes, {found['high_quality']:.0%}"
            axes = figure.add_subplot(rows, columns, k + 1, title=title, aspect="equal")
            axes.set(xlim=(-3, 3), ylim=(-3, 3))
            frame(axes)
            for x, y in ring_means():
                circle = Circle((x, y), 3 * RING_STD, fill=False, color=house.ORANGE, lw=1.2)
                axes.add_patch(circle)
            axes.plot(*samples.T, ".", color=house.BLUE, ms=2.0, alpha=0.35)
        save(figure, options.picture)


main = drawing(draw, "ring", TEXT)

if __name__ == "__main__":
    raise SystemExit(main())
