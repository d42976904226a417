"""Pooling: the number that stands for a window of an image (curriculum N-POOL)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..keywords import Keywords
from ..registry import Registry

Weight = float | Literal["learned", "random"]


class WindowPool2d(nn.Module, Keywords):
    """A function of the windows of an image; subclasses say which.

    Args:
        kernel_size: side of the square window.
        stride: step of the windows; None for windows side by side.

    Raises:
        ValueError: if a size is below 1.
    """

    padding = 0

    def __init__(self, kernel_size: int, stride: int | None = None) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        for name in ("kernel_size", "stride"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

    def forward(self, x: Tensor) -> Tensor:
        """Map `[B, C, H, W]` to `[B, C, H', W']`, H' = ⌊(H − k)/s⌋ + 1."""
        k, s = self.kernel_size, self.stride
        windows = x.unfold(2, k, s).unfold(3, k, s)  # [B, C, H', W', k, k]
        return self.reduce(windows.flatten(-2))

    def reduce(self, windows: Tensor) -> Tensor:
        """Map windows `[B, C, H', W', k·k]` to `[B, C, H', W']`."""
        raise NotImplementedError

    def extra_repr(self) -> str:
        """Show the sizes."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}"


class StochasticPool2d(WindowPool2d):
    """Draw one of the window's activations, each with probability pᵢ = aᵢ / Σ a (N-POOL-03).

    In evaluation it is the mean of such draws, Σ pᵢ aᵢ. A window of zeros gives 0. Activations must
    not be negative: put it behind a ReLU. Zeiler & Fergus (2013).

    Raises:
        ValueError: if an activation is negative.
    """

    def reduce(self, windows: Tensor) -> Tensor:
        """Draw from windows `[B, C, H', W', K]`, or average."""
        if not windows.is_meta and bool((windows < 0).any()):
            message = "stochastic pooling needs activations that are not negative"
            raise ValueError(f"{message}, got {windows.min().item():g}: put it behind a ReLU")
        total = windows.sum(-1, keepdim=True)  # [B, C, H', W', 1]
        uniform = torch.full_like(windows, 1.0 / windows.shape[-1])
        p = torch.where(
            total > 0, windows / total.clamp_min(torch.finfo(total.dtype).tiny), uniform
        )
        if not self.training:
            return (p * windows).sum(-1)
        drawn = torch.multinomial(p.detach().flatten(0, -2), 1)  # [B·C·H'·W', 1]
        return windows.gather(-1, drawn.view(*windows.shape[:-1], 1)).squeeze(-1)


class MedianPool2d(WindowPool2d):
    """Median of the window; the mean of the two middle values if there are two (N-POOL-04).

    `torch.median` would return the lower of them.
    """

    def reduce(self, windows: Tensor) -> Tensor:
        """Map `[B, C, H', W', K]` to the medians."""
        ordered, middle = windows.sort(-1).values, (windows.shape[-1] - 1) // 2
        return 0.5 * (ordered[..., middle] + ordered[..., windows.shape[-1] // 2])


class MixedPool2d(WindowPool2d):
    """λ·max + (1 − λ)·mean (N-POOL-05).

    Args:
        kernel_size: side of the square window.
        stride: step of the windows; None for windows side by side.
        weight: λ in [0, 1]; `"learned"` for λ = σ(a) with a learned a, ½ at first (Lee, Gallagher &
            Tu, 2016); `"random"` for 0 or 1 anew in every call, ½ in evaluation (Yu et al., 2014).

    Raises:
        ValueError: if `weight` is none of these.
    """

    logit: Tensor | None

    def __init__(self, kernel_size: int, stride: int | None = None, weight: Weight = 0.5) -> None:
        super().__init__(kernel_size, stride)
        if isinstance(weight, str):
            if weight not in ("learned", "random"):
                raise ValueError(f"weight must be a number, 'learned' or 'random', got {weight!r}")
        elif not 0.0 <= weight <= 1.0:
            raise ValueError(f"weight must be in [0, 1], got {weight}")
        self.weight = weight
        self.logit = nn.Parameter(torch.zeros(())) if weight == "learned" else None

    def reduce(self, windows: Tensor) -> Tensor:
        """Map `[B, C, H', W', K]` to the mixture."""
        share: Tensor | float = 0.5
        if self.logit is not None:
            share = self.logit.sigmoid()
        elif self.weight != "random":
            share = float(self.weight)
        elif self.training:
            share = torch.randint(2, (), device=windows.device).to(windows.dtype)
        return share * windows.amax(-1) + (1.0 - share) * windows.mean(-1)


class LpPool2d(WindowPool2d):
    """p-norm of the window, (Σ |a|ᵖ)^(1/p): p = 1 sums, p = ∞ takes the largest |a| (N-POOL-06).

    `torch.nn.LPPool2d` leaves |·| out: there an odd p gives NaN on negative numbers.

    Args:
        kernel_size: side of the square window.
        stride: step of the windows; None for windows side by side.
        p: exponent, at least 1.

    Raises:
        ValueError: if p is below 1.
    """

    def __init__(self, kernel_size: int, stride: int | None = None, p: float = 2.0) -> None:
        super().__init__(kernel_size, stride)
        if not p >= 1.0:
            raise ValueError(f"p must be at least 1, got {p}")
        self.p = p

    def reduce(self, windows: Tensor) -> Tensor:
        """Map `[B, C, H', W', K]` to norms, m·(Σ (|a|/m)ᵖ)^(1/p) with m the largest |a|."""
        magnitude = windows.abs()
        if self.p == float("inf"):
            return magnitude.amax(-1)
        tiny = torch.finfo(windows.dtype).tiny
        largest = magnitude.detach().amax(-1, keepdim=True).clamp_min(tiny)  # large powers overflow
        total = (magnitude / largest).pow(self.p).sum(-1)
        return largest.squeeze(-1) * total.clamp_min(tiny).pow(1.0 / self.p) * (total > 0)


def _max(kernel_size: int, stride: int | None = None, padding: int = 0) -> nn.Module:
    return nn.MaxPool2d(kernel_size, stride, padding)


def _mean(kernel_size: int, stride: int | None = None, padding: int = 0) -> nn.Module:
    return nn.AvgPool2d(kernel_size, stride, padding, count_include_pad=False)


POOLS: Registry[Callable[..., nn.Module]] = Registry(
    "pooling",
    {
        "max": _max,
        "mean": _mean,
        "stochastic": StochasticPool2d,
        "median": MedianPool2d,
        "mixed": MixedPool2d,
        "lp": LpPool2d,
    },
    aliases={"avg": "mean", "average": "mean", "p-norm": "lp"},
)


def pool2d(
    name: str, kernel_size: int = 2, stride: int | None = None, **options: object
) -> nn.Module:
    """Return the pooling layer called `name` (N-POOL-01 to N-POOL-06).

    Args:
        name: `"max"`, `"mean"`, `"stochastic"`, `"median"`, `"mixed"` or `"lp"`.
        kernel_size: side of the square window.
        stride: step of the windows; None for windows side by side.
        options: `padding` of max (−∞) and mean (not counted), `weight` of mixed, `p` of lp.

    Raises:
        ValueError: if there is no such pooling; the message names the nearest ones.
    """
    return POOLS[name](kernel_size, stride, **options)


class GlobalMeanPool2d(nn.Module, Keywords):
    """Mean over height and width, `[B, C, H, W]` to `[B, C]` (N-POOL-07)."""

    def forward(self, x: Tensor) -> Tensor:
        """Average each channel."""
        return F.adaptive_avg_pool2d(x, 1).flatten(1)
