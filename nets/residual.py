"""Residual blocks."""

from __future__ import annotations

from torch import Tensor, nn

from .activations import ActivationSpec
from .activations import activation as build_activation
from .norm import NormSpec, cancels_bias
from .norm import norm as build_norm


class ResBlock(nn.Module):
    """Residual block y = act(x + F(x)), F = conv → norm → act → conv → norm (N-ARC-05).

    With `pre_activation` it is y = x + F(x), F = norm → act → conv → norm → act → conv: the
    path from x to y is then the identity, as in IMPALA's encoder. Convolutions are 3x3 and keep
    the image's size.

    Args:
        channels: of the input and of the output.
        activation: see `nets.activation`.
        norm: see `nets.norm.norm`; a bias that it would cancel is left out.
        pre_activation: where activation and norm stand.
    """

    def __init__(
        self,
        channels: int,
        *,
        activation: ActivationSpec = "relu",
        norm: NormSpec = "batch",
        pre_activation: bool = False,
    ) -> None:
        super().__init__()
        norms = [] if norm is None else [build_norm(norm, channels, images=True) for _ in range(2)]
        bias = pre_activation or not any(map(cancels_bias, norms))
        first, second = (nn.Conv2d(channels, channels, 3, padding=1, bias=bias) for _ in range(2))
        act = build_activation(activation)
        if pre_activation:
            layers = [*norms[:1], act, first, *norms[1:], build_activation(activation), second]
            self.activation: nn.Module = nn.Identity()
        else:
            layers = [first, *norms[:1], act, second, *norms[1:]]
            self.activation = build_activation(activation)
        self.residual = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Map `x` `[B, C, H, W]` to the same shape."""
        return self.activation(x + self.residual(x))
