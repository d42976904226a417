"""Torch building blocks shared by agents and generative models."""

from .activations import activation
from .heads import CategoricalHead, DuelingHead, GaussianHead, TanhGaussianHead, ValueHead
from .init import init_
from .mlp import MLP
from .optim import clip_grads, optimizer

__all__ = [
    "MLP",
    "CategoricalHead",
    "DuelingHead",
    "GaussianHead",
    "TanhGaussianHead",
    "ValueHead",
    "activation",
    "clip_grads",
    "init_",
    "optimizer",
]
