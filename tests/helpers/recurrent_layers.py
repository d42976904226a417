"""What the tests of recurrent layers share: the layers, and what goes into them."""

import pytest
import torch
from torch import nn

from nets.layers.recurrent import GRU, LSTM, RNN

LAYERS = {
    RNN: (nn.RNN, nn.RNNCell),
    LSTM: (nn.LSTM, nn.LSTMCell),
    GRU: (nn.GRU, nn.GRUCell),
}
each_layer = pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: kind.__name__)
T, B, D, H = 19, 5, 4, 6


def make(kind, num_layers=1, dtype=torch.float64, seed=0):
    torch.manual_seed(seed)
    return kind(D, H, num_layers).to(dtype)


def draw(*shape, dtype=torch.float64, seed=1, requires_grad=False):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=dtype).requires_grad_(requires_grad)


def draw_starts(probability, seed=2, steps=T, batch=B):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(steps, batch, generator=generator) < probability


def draw_state(kind, num_layers=1, dtype=torch.float64, requires_grad=False):
    shape = (num_layers, B, H)
    parts = [
        draw(*shape, dtype=dtype, seed=seed, requires_grad=requires_grad)
        for seed in range(10, 10 + (2 if kind is LSTM else 1))
    ]
    return tuple(parts) if kind is LSTM else parts[0]


def parts_of(state):
    return state if isinstance(state, tuple) else (state,)
