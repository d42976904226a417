"""Normalisation layers by name."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from ..arguments import checked
from ..keywords import Keywords
from ..registry import Registry

NormSpec: TypeAlias = str | type[nn.Module] | partial[Any] | Callable[[int], nn.Module] | None


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation of the last dimension, with statistics over all the others.

    In training x̂ = (x - μ_B)/√(σ_B² + ε), y = γx̂ + β, with the biased variance (N-NORM-03);
    in evaluation μ and σ² are the running statistics r ← (1 - momentum)·r + momentum·batch, the
    variance unbiased there (N-NORM-04). On `[B, D]` this is `nn.BatchNorm1d`. Call
    `eval()` to act or predict, and keep target networks there (N-NORM-07).
    """

    def forward(self, input: Tensor) -> Tensor:
        """Normalise `input` `[..., D]`.

        Raises:
            ValueError: in training, if there is one sample only: it has no variance.
        """
        _check_samples(self, input.numel() // max(1, input.shape[-1]), input)
        return super().forward(input.reshape(-1, input.shape[-1])).view_as(input)


class BatchNorm2d(nn.BatchNorm2d):
    """Batch normalisation of the channels of images, with statistics over (B, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise `input` `[B, C, H, W]`.

        Raises:
            ValueError: in training, if there is one value per channel only.
        """
        _check_samples(self, input.numel() // max(1, input.shape[1]), input)
        return super().forward(input)


def _check_samples(layer: nn.modules.batchnorm._BatchNorm, samples: int, input: Tensor) -> None:
    if layer.training and samples == 1:
        raise ValueError(
            "batch norm in training needs more than one value per feature, got an input of shape "
            f"{tuple(input.shape)}; call eval() before acting on a single observation"
        )


def _group_norm(channels: int, groups: int = 32, **arguments: Any) -> nn.GroupNorm:
    """Group norm with the most groups, at most `groups`, that divide `channels`."""
    return nn.GroupNorm(math.gcd(channels, groups), channels, **arguments)


DENSE_NORMS: Registry[Callable[..., nn.Module]] = Registry(
    "norm",
    {"batch": BatchNorm, "layer": nn.LayerNorm},
    aliases={"batch_norm": "batch", "layer_norm": "layer"},
)
IMAGE_NORMS: Registry[Callable[..., nn.Module]] = Registry(
    "norm of images",
    {
        "batch": BatchNorm2d,
        "layer": partial(nn.GroupNorm, 1),
        "group": _group_norm,
        "instance": nn.InstanceNorm2d,
    },
    aliases={"batch_norm": "batch", "layer_norm": "layer", "group_norm": "group"},
)


def norm(spec: NormSpec, features: int, *, images: bool = False) -> nn.Module:
    """Build the normalisation that `spec` describes for `features` features or channels.

    Args:
        spec: `"batch"` or `"layer"`, with `images` also `"group"` and `"instance"`;
            a class, a `functools.partial` of one or any function of the number of features
            (`partial(nn.BatchNorm1d, momentum=0.01)`); or None for the identity.
        features: size of the last dimension, or number of channels.
        images: whether inputs are `[B, C, H, W]`; layer norm is then taken over (C, H, W).

    Raises:
        ValueError: if the name is unknown.
        TypeError: if `spec` is a layer that is built already.
    """
    if spec is None:
        return nn.Identity()
    if isinstance(spec, str):
        spec = (IMAGE_NORMS if images else DENSE_NORMS)[spec]
    if isinstance(spec, nn.Module) or not callable(spec):
        raise TypeError(f"expected a name, class, function of the size or None, got {spec!r}")
    return spec(features)


def cancels_bias(layer: nn.Module) -> bool:
    """Whether `layer` subtracts a mean that contains the bias of the layer before (N-NORM-05)."""
    return isinstance(
        layer, nn.modules.batchnorm._BatchNorm | nn.modules.instancenorm._InstanceNorm
    )


class RunningNorm(nn.Module, Keywords):
    """Normalise inputs by statistics gathered while training and frozen in evaluation.

    `"zscore"`: x' = (x - μ)/√(σ² + ε), σ² biased (N-NORM-02). `"minmax"`:
    x' = (x - min)/(max - min), and 0 where max = min (N-NORM-01). Batches merge into the
    statistics by Chan's formula, in float64: in any split the result is that of all the data.

    Args:
        shape: shape of one sample; a number for vectors.
        mode: `"zscore"` or `"minmax"`.
        eps: ε, for features that hardly vary.

    Raises:
        ValueError: if the mode is unknown.
    """

    count: Tensor
    mean: Tensor
    squares: Tensor
    low: Tensor
    high: Tensor

    @checked
    def __init__(
        self, shape: int | Sequence[int], *, mode: str = "zscore", eps: float = 1e-8
    ) -> None:
        super().__init__()
        self.shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.mode = _MODES.canonical(mode)
        self.eps = eps
        for name, start in _MODES[mode].items():
            self.register_buffer(name, torch.full(self.shape, start, dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise `x` `[..., *shape]`; in training, after counting it into the statistics."""
        if self.training:
            self.update(x)
        if self.mode == "zscore":
            variance = torch.where(self.count > 0, self.squares / self.count.clamp(min=1), 1.0)
            shift, scale = self.mean, (variance + self.eps).rsqrt()
        else:
            spread = self.high - self.low
            varies = spread > 0
            shift, scale = self.low.where(varies, 0.0), (1.0 / spread).where(varies, 0.0)
        dtype = x.dtype if x.is_floating_point() else torch.get_default_dtype()
        return (x - shift.to(dtype)) * scale.to(dtype)

    @torch.no_grad()
    def update(self, x: Tensor) -> None:
        """Merge the samples of `x` `[..., *shape]` into the statistics (Chan et al., 1979).

        Raises:
            ValueError: if `x` does not end in `shape`.
        """
        lead = x.dim() - len(self.shape)
        if lead < 0 or tuple(x.shape[lead:]) != self.shape:
            raise ValueError(f"expected samples of shape {self.shape}, got {tuple(x.shape)}")
        batch = x.double().reshape(-1, *self.shape)  # [N, *shape]
        if len(batch) == 0:
            return
        total = self.count + len(batch)
        if self.mode == "zscore":
            mean = batch.mean(0)
            delta = mean - self.mean
            self.squares += (batch - mean).square().sum(0)
            self.squares += delta.square() * (self.count * len(batch) / total)
            self.mean += delta * (len(batch) / total)
        else:
            torch.minimum(self.low, batch.amin(0), out=self.low)
            torch.maximum(self.high, batch.amax(0), out=self.high)
        self.count.copy_(total)


_MODES = Registry(
    "mode of normalisation",
    {
        "zscore": {"mean": 0.0, "squares": 0.0},
        "minmax": {"low": math.inf, "high": -math.inf},
    },
)
