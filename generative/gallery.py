"""What a model can be made to show: samples, reconstructions, ways through its latents."""

from typing import Any

import torch
from torch import Tensor

from . import charts, paths, plots
from .dataset import Dataset
from .model import GenerativeModel
from .plots import Picture

SAMPLES = 64
POINTS = 2000  # of data and samples in the plane
PAIRS = 32
DIMENSIONS = 10  # that are traversed, the most lively ones
REACH = 2.5  # standard deviations on either side of the middle
STEPS = 11


def samples(model: GenerativeModel, data: Dataset, n: int = SAMPLES) -> Picture:
    """Draw samples as a grid, or points in the plane beside data.

    Of a conditional model, every column shows one class.

    Args:
        model: the model.
        data: what the samples should be like.
        n: how many pictures.

    Raises:
        ValueError: the data are neither pictures nor points in the plane.
    """
    classes = getattr(model, "classes", 0)
    if len(model.shape) == 3:
        label = torch.arange(n, device=model.device) % classes if classes else None
        return plots.grid(model.sample(n, label), classes or None)
    if model.shape != (2,):
        raise ValueError(f"samples of shape {model.shape} cannot be drawn: expected pictures or 2")
    shown = data.x[:POINTS].cpu()
    points = torch.cat([shown, model.sample(len(shown)).cpu()])
    which = torch.arange(2).repeat_interleave(len(shown))
    return charts.latent_scatter(
        points, which, names=("data", "samples"), title=data.name, dimensions=(0, 1)
    )


def reconstructions(model: Any, data: Dataset, n: int = PAIRS) -> Picture:
    """Draw data, each above what the model makes of it.

    Raises:
        ValueError: the model does not reconstruct, or its data are no pictures.
    """
    if not hasattr(model, "reconstruct") or len(model.shape) != 3:
        raise ValueError(f"a {model.name} of shape {model.shape} has no reconstructions to draw")
    x = data.batch(slice(0, n)).x.to(model.device)
    return plots.compare(x, model.reconstruct(x))


def traversals(model: Any, data: Dataset) -> Picture:
    """Draw what each latent does: a row per latent, from low to high, the others held.

    Of an autoencoder the middle is the first datum, and the rows are the latents that vary most;
    of others it is a draw of the prior.

    Raises:
        ValueError: the model makes no pictures.
    """
    _check_pictures(model)
    prior = model.prior(1024)  # [1024, D]
    if hasattr(model, "encode"):
        z = model.encode(data.batch(slice(0, 256)).x.to(model.device))  # [256, D]
        lively = z.var(0).argsort(descending=True)[:DIMENSIONS].sort().values.tolist()
    else:
        z, lively = prior, list(range(min(DIMENSIONS, prior.shape[1])))
    values = torch.linspace(-REACH, REACH, STEPS, device=model.device)
    values = prior.mean() + prior.std() * values
    path = paths.traversals(z[0], values, lively)  # [F, K, D]
    return plots.rows(_decoded(model, path), [f"z{d}" for d in lively])


def interpolations(model: Any, data: Dataset, n: int = 8) -> Picture:
    """Draw ways from one datum, or draw of the prior, to another: a row each.

    Encodings are joined by lines, draws of a Gaussian prior by arcs.

    Raises:
        ValueError: the model makes no pictures.
    """
    _check_pictures(model)
    if hasattr(model, "encode"):
        z = model.encode(data.batch(slice(0, 2 * n)).x.to(model.device))
        path = paths.linear_path(z[0::2][: len(z) // 2], z[1::2], STEPS)
    else:
        path = paths.spherical_path(model.prior(n), model.prior(n), STEPS)
    return plots.rows(_decoded(model, path.transpose(0, 1)))  # [n, K, D]


def _decoded(model: Any, path: Tensor) -> Tensor:
    """Decode `[R, K, D]` to `[R, K, C, H, W]`; a row of a conditional model has one class."""
    rows, steps, _ = path.shape
    classes = getattr(model, "classes", 0)
    if classes:
        label = (torch.arange(rows, device=model.device) % classes).repeat_interleave(steps)
        pictures = model.decode(path.flatten(0, 1), label)
    else:
        pictures = model.decode(path.flatten(0, 1))
    return pictures.reshape(rows, steps, *model.shape)


def _check_pictures(model: GenerativeModel) -> None:
    if len(model.shape) != 3:
        raise ValueError(f"a {model.name} of shape {model.shape} makes no pictures")
