"""Torch building blocks shared by agents and generative models.

`import nets` is light: blocks, and torch with them, are imported when first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .activations import activation
    from .classic import classic_cnn
    from .conv import CNN, ConvBlock
    from .densenet import DenseBlock
    from .encoders import ImpalaCNN, NatureCNN, SmallCNN
    from .gradcheck import grad_check
    from .heads import CategoricalHead, DuelingHead, GaussianHead, TanhGaussianHead, ValueHead
    from .inception import Inception
    from .init import init_
    from .mlp import MLP
    from .norm import RunningNorm
    from .optim import clip_grads, optimizer
    from .pooling import pool2d
    from .recurrent import GRU, LSTM, RNN
    from .regularization import ActivityPenalty, GaussianNoise, penalty
    from .residual import ResBlock
    from .sb3 import sb3_extractor as sb3_extractor
    from .schedules import schedule
    from .seq2seq import Seq2Seq
    from .upsampling import UpBlock

# `sb3_extractor` is left out, so that `from nets import *` works without stable-baselines3.
__all__ = [
    "CNN",
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "ActivityPenalty",
    "CategoricalHead",
    "ConvBlock",
    "DenseBlock",
    "DuelingHead",
    "GaussianHead",
    "GaussianNoise",
    "ImpalaCNN",
    "Inception",
    "NatureCNN",
    "ResBlock",
    "RunningNorm",
    "Seq2Seq",
    "SmallCNN",
    "TanhGaussianHead",
    "UpBlock",
    "ValueHead",
    "activation",
    "classic_cnn",
    "clip_grads",
    "grad_check",
    "init_",
    "optimizer",
    "penalty",
    "pool2d",
    "schedule",
]

_HOME = {
    "CNN": "conv",
    "GRU": "recurrent",
    "LSTM": "recurrent",
    "MLP": "mlp",
    "RNN": "recurrent",
    "ActivityPenalty": "regularization",
    "CategoricalHead": "heads",
    "ConvBlock": "conv",
    "DenseBlock": "densenet",
    "DuelingHead": "heads",
    "GaussianHead": "heads",
    "GaussianNoise": "regularization",
    "ImpalaCNN": "encoders",
    "Inception": "inception",
    "NatureCNN": "encoders",
    "ResBlock": "residual",
    "RunningNorm": "norm",
    "Seq2Seq": "seq2seq",
    "SmallCNN": "encoders",
    "TanhGaussianHead": "heads",
    "UpBlock": "upsampling",
    "ValueHead": "heads",
    "activation": "activations",
    "classic_cnn": "classic",
    "clip_grads": "optim",
    "grad_check": "gradcheck",
    "init_": "init",
    "optimizer": "optim",
    "penalty": "regularization",
    "pool2d": "pooling",
    "sb3_extractor": "sb3",
    "schedule": "schedules",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for (PEP 562)."""
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    """List the lazy names, too."""
    return sorted({*globals(), *_HOME})
