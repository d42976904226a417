"""What a model can be made to show: samples, reconstructions, ways through its latents.

Noise comes from torch's global generator: draw inside `nets.process.seeding.seeded`.
"""

from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nets.drawing.figures import as_picture

from ..data.dataset import Dataset
from ..gans.game import AdversarialModel
from ..model import Decodes, Encodes, GenerativeModel
from ..sampling import at_once, classes_in_turn
from ..shown import are_pictures
from . import charts, grids, paths
from .grids import Drawn, Picture

SAMPLES = 64
POINTS = 2000  # of data and samples in the plane
PAIRS = 32
DIMENSIONS = 10  # that are traversed, the most lively ones
REACH = 2.5  # standard deviations on either side of the middle
STEPS = 11


class Undrawable(ValueError):
    """A model has nothing of this kind to show; the message says why."""


def draw_all(folder: Path, model: GenerativeModel, data: Dataset) -> dict[str, Picture]:
    """Draw all that the model can show into `samples.png` and so on; return it by name.

    Args:
        folder: where.
        model: what is shown.
        data: rows that training has not seen, if possible.
    """
    found: dict[str, Drawn] = {}
    with torch.no_grad():
        for function in (samples, reconstructions, traversals):
            with suppress(Undrawable):
                found[function.__name__] = function(model, data)
    for name, drawn in found.items():
        grids.save(folder / f"{name}.png", drawn)
    return {
        name: each if isinstance(each, np.ndarray) else as_picture(each)
        for name, each in found.items()
    }


def shows_pictures(model: GenerativeModel) -> bool:
    """Whether what a model makes can be seen: grey or coloured pictures."""
    return are_pictures(model.shape)


def samples(
    model: GenerativeModel, data: Dataset | None, n: int = SAMPLES, label: Tensor | None = None
) -> Drawn:
    """Draw samples as a grid, or points in the plane beside data.

    Of a conditional model, every column shows one class, unless it is asked for others.

    Args:
        model: the model.
        data: what the samples should be like; None draws points alone.
        n: how many pictures, or points where there are no data.
        label: the classes `[n]` that are asked for.

    Raises:
        Undrawable: the data are neither pictures nor points in the plane.
    """
    if shows_pictures(model):
        columns = model.classes if label is None else 0
        label = classes_in_turn(model, n) if label is None else label
        return grids.grid(at_once(model, n, label), columns or None)
    if model.shape != (2,):
        raise Undrawable(
            f"samples of shape {model.shape} are neither pictures of 1 or 3 channels nor points in "
            "the plane"
        )
    names: tuple[str, ...] = ("data", "samples")
    if data is None:
        points, names = model.sample(n, label).cpu(), ("samples",)
    else:
        shown = data.x[:POINTS].cpu()
        points = torch.cat([shown, model.sample(len(shown)).cpu()])
    which = torch.arange(len(names)).repeat_interleave(len(points) // len(names))
    title = model.name if data is None else data.name
    return charts.latent_scatter(
        points, which, names=names, title=title, symbol="x", dimensions=(0, 1)
    )


def reconstructions(model: GenerativeModel, data: Dataset, n: int = PAIRS) -> Picture:
    """Draw data, each above what the model makes of it.

    Raises:
        Undrawable: the model does not reconstruct, or its data are no pictures.
    """
    if not (isinstance(model, Encodes) and isinstance(model, Decodes) and shows_pictures(model)):
        raise Undrawable(f"a {model.name} of {model.shape} has no reconstructions to draw")
    x = data.batch(slice(0, n)).x.to(model.device)
    return grids.compare(x, model.decode(model.encode(x)))


def traversals(model: GenerativeModel, data: Dataset) -> Picture:
    """Draw what each latent does: a row per latent, from low to high, the others held.

    Raises:
        Undrawable: the model makes no pictures of latents.
    """
    return grids.rows(*traversed(model, data))


def traversed(model: GenerativeModel, data: Dataset | None) -> tuple[Tensor, list[str]]:
    """Return pictures `[F, K, C, H, W]` along F latents, and the names of those.

    Of an autoencoder the middle is the first datum, and the rows are the latents that vary most;
    of others, and without data, it is a draw of the prior.

    Raises:
        Undrawable: the model makes no pictures of latents.
    """
    decoder = _decoder(model)
    prior = decoder.prior(1024)  # [1024, D]
    if isinstance(model, Encodes) and data is not None:
        z = model.encode(data.batch(slice(0, 256)).x.to(model.device))  # [256, D]
        lively = z.var(0, correction=0).argsort(descending=True)[:DIMENSIONS].sort().values.tolist()
    else:
        z, lively = prior, list(range(min(DIMENSIONS, prior.shape[1])))
    values = torch.linspace(-REACH, REACH, STEPS, device=model.device)
    path = paths.traversals(z[0], prior.mean() + prior.std() * values, lively)  # [F, K, D]
    return _decoded(model, path), [f"z{d}" for d in lively]


def interpolated(model: GenerativeModel, data: Dataset | None, n: int = 8) -> Tensor:
    """Return pictures `[n, K, C, H, W]` on the way from one datum, or sample, to another.

    Encodings, and draws of a uniform prior, are joined by lines, those of a Gaussian one by arcs.

    Raises:
        Undrawable: the model makes no pictures of latents.
    """
    decoder = _decoder(model)
    if isinstance(model, Encodes) and data is not None and len(data) > 1:
        z = model.encode(data.batch(slice(0, 2 * n)).x.to(model.device))
        path = paths.linear_path(z[0::2][: len(z) // 2], z[1::2], STEPS)
    else:
        uniform = isinstance(model, AdversarialModel) and model.config.prior == "uniform"
        joined = paths.linear_path if uniform else paths.spherical_path
        path = joined(decoder.prior(n), decoder.prior(n), STEPS)
    return _decoded(model, path.transpose(0, 1))


def _decoded(model: GenerativeModel, path: Tensor) -> Tensor:
    """Decode `[R, K, D]` to `[R, K, C, H, W]`; a row of a conditional model has one class."""
    rows, steps, _ = path.shape
    label = classes_in_turn(model, rows)  # [R]
    label = None if label is None else label.repeat_interleave(steps)  # [R·K]
    pictures = _decoder(model).decode(path.flatten(0, 1), label)
    return pictures.reshape(rows, steps, *model.shape)


def _decoder(model: GenerativeModel) -> Decodes:
    """Return the model if it makes pictures of latents."""
    if shows_pictures(model) and isinstance(model, Decodes):
        return model
    raise Undrawable(f"a {model.name} of {model.shape} makes no pictures of latents")
