"""A scale on which small numbers and large ones are told apart."""

import torch
from torch import Tensor


def symlog(x: Tensor) -> Tensor:
    """Return sign(x)·log(1 + |x|): x itself near 0, its logarithm far out.

    Hafner et al. (2023), "Mastering diverse domains through world models", equation 9.
    """
    return torch.sign(x) * torch.log1p(x.abs())


def symexp(x: Tensor) -> Tensor:
    """Return sign(x)·(exp(|x|) − 1), the inverse of `symlog`."""
    return torch.sign(x) * torch.expm1(x.abs())
