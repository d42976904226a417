"""Samples of pictures, recognised by a classifier: rows of the quality table.

`python -m generative.benchmarks.samples PNG` draws figures of each model below real ones.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from nets.process.seeding import seeded

from ..data.dataset import Dataset
from ..metrics.measure import SAMPLES, listed, recognised
from ..presets import load_presets
from .drawing import DrawOptions, drawing
from .fitted import Fit, Fitted

TEXT = """Train models on figures, and draw samples of each below the data.

examples:
  python -m generative.benchmarks.samples figures.png"""

FIGURES = "sprites:shape,x=8:24:2,y=8:24:2"  # 192 large ones near the middle
EVERY_SIZE = "sprites:shape,scale,x,y"  # 18,432
LINES, COLUMNS = 2, 15


def recognised_samples(fit: Fit) -> dict[str, Any]:
    """Let a classifier of the training rows judge samples, and held-out rows: the ceiling.

    Samples of a conditional model are asked for by class, all classes alike. Where the data are all
    there are, it is counted how many samples are among them.
    """
    figures = (
        figure
        for group in (recognised, listed)
        for figure in group(fit.model, fit.train, fit.held_out, fit.seed)
    )
    return {figure.name: figure.value for figure in figures}


def beside_the_nearest(fit: Fit) -> dict[str, Any]:
    """Measure as `recognised_samples`, and ask for the class of the nearest of all pictures.

    `nearest` is the share of samples whose nearest picture is of the class that was asked for, and
    `distance` how far it is from the median sample, in squared units; `NAME_of_large` and
    `NAME_of_small` are the same of the quarters of the samples with the most and the least white.
    """
    found = recognised_samples(fit)
    data = torch.cat([part.batch(slice(None)).x for part in (fit.train, fit.held_out)]).flatten(1)
    labels = torch.cat([_labels(part) for part in (fit.train, fit.held_out)])
    asked = torch.arange(SAMPLES) % fit.model.classes
    samples = fit.model.sample(SAMPLES, asked).flatten(1)
    distance, nearest = torch.cdist(samples, data).min(1)
    right, far = (labels[nearest] == asked).float(), distance.square()
    order, quarter = samples.sum(1).argsort(), SAMPLES // 4
    parts = {"": order, "_of_small": order[:quarter], "_of_large": order[-quarter:]}
    for end, part in parts.items():
        found[f"nearest{end}"] = right[part].mean().item()
        found[f"distance{end}"] = far[part].median().item()
    return found


def _model(name: str, data: str) -> Fitted:
    return Fitted(name, data, recognised_samples, held_out=0.1)


def _of_every_size(name: str) -> Fitted:
    """Return a model with the settings that suit figures of one size."""
    preset = load_presets()[name, FIGURES]
    settings = preset.run | preset.settings
    return Fitted(name, EVERY_SIZE, beside_the_nearest, settings, held_out=0.1)


OF_FIGURES: Mapping[str, Fitted] = {name: _model(name, FIGURES) for name in ("dcgan", "wgan-gp")}
OF_EVERY_SIZE: Mapping[str, Fitted] = {name: _of_every_size(name) for name in OF_FIGURES}
OF_DIGITS = _model("dcgan", "digits")


def draw(options: DrawOptions) -> None:
    """Draw data, then samples of every model, the classes from left to right again and again."""
    from ..gallery import grids

    shown: list[Tensor] = []
    names: list[str] = []
    label = torch.arange(LINES * COLUMNS) % 3
    for name, fitted in OF_FIGURES.items():
        fit = fitted.fit(options.seed, options.steps)
        with seeded(0):
            if not shown:
                shown.append(_rows_of(fit.train, label))
                names += ["data", *[""] * (LINES - 1)]
            shown.append(fit.model.sample(len(label), label))
            names += [name, *[""] * (LINES - 1)]
    pictures = torch.cat(shown).unflatten(0, (-1, COLUMNS))  # [3 LINES, COLUMNS, C, H, W]
    grids.save(options.picture, grids.rows(pictures, names))


def _rows_of(data: Dataset, label: Tensor) -> Tensor:
    """Return a row of each class that is asked for, chosen at random."""
    alike = _labels(data) == label[:, None]  # [n, N]
    return data.batch(torch.multinomial(alike.float(), 1)[:, 0]).x


def _labels(data: Dataset) -> Tensor:
    assert data.labels is not None
    return data.labels


main = drawing(draw, "samples", TEXT)

if __name__ == "__main__":
    raise SystemExit(main())
