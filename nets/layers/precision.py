"""Half the bits: convolutions in bfloat16 where a device has units for it, losses in float32."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .chain import Chain


class Convolutions(Chain):
    """Convolutional layers in a chain, which may compute in bfloat16.

    Weights, gradients and results stay in float32, as does what comes after: a dense layer would
    lose more time to the casting of its weights than its product gains.

    Attributes:
        dtype: that the convolutions multiply in; None: that of their weights.
    """

    dtype: torch.dtype | None = None

    def forward(self, images: Tensor) -> Tensor:
        """Map `[B, C, H, W]` to `[B, C', H', W']`."""
        if self.dtype is None:
            return super().forward(images)
        with torch.autocast(images.device.type, self.dtype):
            return super().forward(images).float()


def set_convolutions(module: nn.Module, dtype: torch.dtype | None) -> None:
    """Let all `Convolutions` of `module` multiply in `dtype`; None: that of their weights."""
    for part in module.modules():
        if isinstance(part, Convolutions):
            part.dtype = dtype


def at_least_float32(x: Tensor) -> Tensor:
    """Return `x` in float32, or float64 where it is that: out of autocast, before a loss."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 matrices faster than float32 ones."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu" and torch.backends.mkldnn.is_available():
        allowed = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # by ONEDNN_MAX_CPU_ISA
        return allowed and torch.cpu._is_avx512_bf16_supported()
    return False
