"""How many modes of a known mixture a generator has found, curriculum G-GAN-06."""

from typing import NamedTuple

import torch
from torch import Tensor


class ModeCoverage(NamedTuple):
    """Samples held against the centres of a mixture."""

    covered: int
    """Modes with enough samples near them."""
    high_quality: float
    """Share of the samples that are near a mode."""
    counts: Tensor
    """Samples near each mode, `[K]` int64."""


def mode_coverage(
    samples: Tensor, centres: Tensor, std: float, *, radius: float = 3.0, minimum: int = 20
) -> ModeCoverage:
    """Count the modes that samples reach, and the samples that reach one.

    A sample belongs to the nearest centre, and is near it within `radius` standard deviations, as
    98.9 % of the draws of a Gaussian in the plane are within 3.

    Args:
        samples: `[N, D]`.
        centres: of the mixture's Gaussians, `[K, D]`.
        std: their standard deviation.
        radius: in standard deviations.
        minimum: samples that make a mode covered.
    """
    distance, nearest = torch.cdist(samples, centres.to(samples)).min(dim=1)  # [N], [N]
    near = nearest[distance <= radius * std]
    counts = torch.bincount(near, minlength=len(centres))  # [K]
    return ModeCoverage(int((counts >= minimum).sum()), len(near) / len(samples), counts)
