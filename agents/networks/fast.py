"""Acting without torch: a plain chain of dense layers on NumPy arrays."""

from collections.abc import Callable

import numpy as np
from torch import nn

from ..loop.experience import Array
from .encoders import Flatten


def numpy_forward(network: nn.Module) -> Callable[[Array], Array] | None:
    """Return `network` as a NumPy function on the same memory, if it is a plain MLP on the CPU.

    Acting on a few observations then costs a quarter of a torch call. None for other networks.
    """
    layers: list[Callable[[Array], Array]] = []
    for module in network.modules():
        if isinstance(module, nn.Linear):
            if module.weight.device.type != "cpu":
                return None
            layers.append(_dense(module))
        elif isinstance(module, nn.ReLU):
            layers.append(lambda x: np.maximum(x, 0.0, out=x))
        elif isinstance(module, nn.Tanh):
            layers.append(np.tanh)
        elif isinstance(module, Flatten):
            layers.append(lambda x: x.reshape(len(x), -1).astype(np.float32))
        elif not isinstance(module, nn.Sequential | nn.Identity):
            return None

    def forward(x: Array) -> Array:
        for layer in layers:
            x = layer(x)
        return x

    return forward


def _dense(layer: nn.Linear) -> Callable[[Array], Array]:
    weight = layer.weight.detach().numpy().T  # [in, out]
    if layer.bias is None:
        return lambda x: x @ weight
    bias = layer.bias.detach().numpy()
    return lambda x: x @ weight + bias
