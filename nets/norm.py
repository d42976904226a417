"""Normalisation layers by name."""

from collections.abc import Callable
from functools import partial
from math import gcd
from typing import Any, TypeAlias

from torch import Tensor, nn

from .registry import Registry

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
        return super().forward(input.flatten(0, -2)).view_as(input)


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
    return nn.GroupNorm(gcd(channels, groups), channels, **arguments)


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
