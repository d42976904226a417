"""Torch building blocks shared by agents and generative models."""

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
