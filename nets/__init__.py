"""Torch building blocks shared by agents and generative models."""

from typing import TYPE_CHECKING, Any

from .activations import activation
from .conv import CNN, ConvBlock
from .encoders import ImpalaCNN, NatureCNN, SmallCNN
from .heads import CategoricalHead, DuelingHead, GaussianHead, TanhGaussianHead, ValueHead
from .init import init_
from .mlp import MLP
from .norm import RunningNorm
from .optim import clip_grads, optimizer
from .recurrent import GRU, LSTM, RNN
from .residual import ResBlock

if TYPE_CHECKING:
    from .sb3 import sb3_extractor as sb3_extractor

# `sb3_extractor` is left out, so that `from nets import *` works without stable-baselines3.
__all__ = [
    "CNN",
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "CategoricalHead",
    "ConvBlock",
    "DuelingHead",
    "GaussianHead",
    "ImpalaCNN",
    "NatureCNN",
    "ResBlock",
    "RunningNorm",
    "SmallCNN",
    "TanhGaussianHead",
    "ValueHead",
    "activation",
    "clip_grads",
    "init_",
    "optimizer",
]


def __getattr__(name: str) -> Any:
    """Import `sb3_extractor` when it is asked for: it alone needs stable-baselines3."""
    if name == "sb3_extractor":
        from .sb3 import sb3_extractor

        return sb3_extractor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), "sb3_extractor"})
