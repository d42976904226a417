"""Torch building blocks shared by agents and generative models."""

from .activations import activation
from .heads import DuelingHead
from .init import init_
from .mlp import MLP
from .optim import clip_grads, optimizer

__all__ = ["MLP", "DuelingHead", "activation", "clip_grads", "init_", "optimizer"]
