"""Ways through a latent space: lines, arcs, and one dimension after the other."""

from collections.abc import Sequence

import torch
from torch import Tensor


def linear_path(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Return (1 - t)·start + t·end at equal distances of t, both ends included.

    Args:
        start: `[*B, D]`.
        end: `[*B, D]`.
        steps: K, at least 2.

    Returns:
        `[K, *B, D]`.

    Raises:
        ValueError: there are fewer than 2 steps, or the shapes differ.
    """
    t = _times(start, end, steps)
    return (1 - t) * start + t * end


def spherical_path(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Return sin((1 - t)Ω)/sin Ω·start + sin(tΩ)/sin Ω·end, Ω the angle between them.

    Where latents are Gaussian in many dimensions, a straight line leaves the shell that holds
    them; this arc keeps to it (Shoemake 1985; White 2016). Parallel vectors are joined by a line.

    Args:
        start: `[*B, D]`.
        end: `[*B, D]`.
        steps: K, at least 2.

    Returns:
        `[K, *B, D]`.

    Raises:
        ValueError: as `linear_path`; or two vectors are opposite, so that no arc is the shortest.
    """
    t = _times(start, end, steps)
    lengths = start.norm(dim=-1, keepdim=True) * end.norm(dim=-1, keepdim=True)
    cosine = (start * end).sum(-1, keepdim=True) / lengths.clamp(min=torch.finfo(start.dtype).tiny)
    angle = cosine.clamp(-1, 1).acos()  # [*B, 1]
    if bool((angle > torch.pi - 1e-3).any()):
        raise ValueError("two latents are opposite: no shortest arc joins them")
    parallel = angle < 1e-3
    safe = torch.where(parallel, torch.ones_like(angle), angle)
    arc = (((1 - t) * safe).sin() * start + (t * safe).sin() * end) / safe.sin()
    return torch.where(parallel, (1 - t) * start + t * end, arc)


def traversals(z: Tensor, values: Tensor, dimensions: Sequence[int] | None = None) -> Tensor:
    """Return copies of `z` in which one dimension after the other takes all the values.

    Args:
        z: `[D]`.
        values: `[K]`.
        dimensions: F of the D; all of them by default.

    Returns:
        `[F, K, D]`.
    """
    which = range(len(z)) if dimensions is None else dimensions
    paths = z.repeat(len(which), len(values), 1)  # [F, K, D]
    for path, dimension in zip(paths, which, strict=True):
        path[:, dimension] = values
    return paths


def _times(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Return `[K, 1, ..., 1]` from 0 to 1."""
    if steps < 2:
        raise ValueError(f"a path of {steps} steps: expected at least 2")
    if start.shape != end.shape:
        raise ValueError(f"a path from shape {list(start.shape)} to {list(end.shape)}")
    t = torch.linspace(0, 1, steps, dtype=start.dtype, device=start.device)
    return t.reshape(-1, *[1] * start.ndim)
