"""The quality table of generative models: rows of `python scripts/benchmark.py quality`.

To add one, write what is trained and measured, a `Fitted` (or the `Advantage` of one over
another), and which of the figures that `measure` returns must reach what, a `Bar` each.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from nets.training.quality import Experiment, OfFile, Row

from .ring import VARIANTS

GROUP = "generative"


@dataclass(frozen=True)
class Bar:
    """What a figure must reach, in the median over seeds.

    Attributes:
        figure: its name among those measured.
        what: the figure, in words.
        reference: what it is compared with.
        low: least that passes.
        high: most that passes.
    """

    figure: str
    what: str
    reference: float
    low: float = -math.inf
    high: float = math.inf


def rows(name: str, what: str, experiment: Experiment | OfFile, *bars: Bar) -> Iterable[Row]:
    """Yield a row for each bar, `generative/NAME-FIGURE`; all look at runs in `generative/NAME`.

    Args:
        name: of the experiment.
        what: is trained, in words.
        experiment: gives the figures of all bars.
        bars: for the figures that count.
    """
    runs = f"{GROUP}/{name}"
    for bar in bars:
        label = f"{runs}-{bar.figure.replace('_', '-')}"
        text = f"{what}: {bar.what}"
        yield Row(
            label,
            text,
            experiment,
            bar.reference,
            bar.low,
            bar.high,
            figure=bar.figure,
            runs=runs,
        )


COVERED = Bar("modes", "modes covered, of 8", 8, low=8)
LOST = Bar("modes", "modes covered, of 8, some of them lost", 8, high=7)
NEAR = Bar("high_quality", "share of samples within 3σ of a mode", 0.989, low=0.9)
NEAR_ANY = replace(NEAR, low=-math.inf)
RING = {"gan": (COVERED, NEAR), "wgan-gp": (COVERED, NEAR), "collapsing": (LOST,)}


def _ring() -> Iterable[Row]:
    for variant, fitted in VARIANTS.items():
        bars = RING.get(variant, (NEAR_ANY,))
        yield from rows(f"ring-{variant}", f"{variant} on the ring", fitted, *bars)


ROWS = (*_ring(),)
