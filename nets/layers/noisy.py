"""Dense layers with learned noise in their weights, by which a network explores (NoisyNet)."""

import math
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..keywords import Keywords

Network = TypeVar("Network", bound=nn.Module)


class NoisyLinear(nn.Module, Keywords):
    """y = (W + S ⊙ ε) x + b + s ⊙ ε_b, where S and s are learned and ε is drawn at every call.

    The noise is factorised: εᵢⱼ = f(ξᵢ) f(ξⱼ') with f(ξ) = sgn(ξ) √|ξ|, one standard normal ξ for
    each output and one ξ' for each input; ε_b = f(ξ). In evaluation mode y = W x + b, the mean
    (Fortunato et al., 2018). All rows of a batch see the same noise.

    Args:
        in_features: size of the input.
        out_features: size of the output.
        bias: whether there are b and s.
        std: σ₀ > 0; S and s begin as σ₀ / √in_features.

    Raises:
        ValueError: if `std` is not positive.
    """

    def __init__(
        self, in_features: int, out_features: int, *, bias: bool = True, std: float = 0.5
    ) -> None:
        super().__init__()
        if not std > 0.0:
            raise ValueError(f"std must be positive, got {std}")
        self.in_features, self.out_features = in_features, out_features
        mean, scale = nn.Linear(in_features, out_features, bias), std / math.sqrt(in_features)
        self.weight, self.bias = mean.weight, mean.bias  # uniform within ± 1 / √in_features
        self.weight_std = nn.Parameter(torch.full_like(mean.weight, scale))  # [out, in]
        self.bias_std = nn.Parameter(torch.full_like(mean.bias, scale)) if bias else None  # [out]

    def forward(self, x: Tensor) -> Tensor:
        """Map `x` `[..., in_features]` to `[..., out_features]`."""
        weight: Tensor = self.weight
        bias: Tensor | None = self.bias
        if self.training:
            noise_in, noise_out = self._noise()  # [in], [out]
            weight = torch.addcmul(weight, self.weight_std, torch.outer(noise_out, noise_in))
            if bias is not None and self.bias_std is not None:
                bias = torch.addcmul(bias, self.bias_std, noise_out)
        return functional.linear(x, weight, bias)

    def _noise(self) -> tuple[Tensor, ...]:
        """Draw sgn(ξ) √|ξ| for inputs and outputs, from torch's global generator."""
        sizes = self.in_features, self.out_features
        xi = torch.randn(sum(sizes), device=self.weight.device, dtype=self.weight.dtype)
        return xi.abs().sqrt().copysign(xi).split(sizes)


def noisy_(module: Network, *, std: float = 0.5) -> Network:
    """Replace every `nn.Linear` inside `module`, in place, by a `NoisyLinear` of the same means.

    Args:
        module: any network that holds dense layers; its own type stays.
        std: σ₀ of the layers.

    Returns:
        `module`. A recurrent layer keeps its weights free of noise.
    """
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            bias = child.bias is not None
            layer = NoisyLinear(child.in_features, child.out_features, bias=bias, std=std)
            layer.load_state_dict(child.state_dict(), strict=False)
            setattr(module, name, layer.to(child.weight).train(child.training))
        else:
            noisy_(child, std=std)
    return module
