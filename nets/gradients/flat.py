"""One vector behind all parameters of a module, so that clipping and a step are one operation."""

import torch
from torch import nn


def flatten_parameters(module: nn.Module) -> nn.Parameter:
    """Move the parameters of `module` into one contiguous vector and return it.

    Every parameter of `module`, and its gradient, becomes a view: `state_dict`, `forward` and
    `backward` work as before, while an optimiser of the returned vector updates them all at once
    (on a 256-256 network an eager update takes two thirds of its time). Call it after the module is
    on its device and in its memory format, which stays; clear gradients with
    `vector.grad.zero_()`, never with `None`.

    Returns:
        The vector `[P]`, with its gradient `[P]` allocated.
    """
    parameters = [p for p in module.parameters() if p.requires_grad]
    sizes = [p.numel() for p in parameters]
    vector = nn.Parameter(parameters[0].new_empty(sum(sizes)))  # [P]
    vector.grad = torch.zeros_like(vector)
    for parameter, data, grad in zip(
        parameters, vector.detach().split(sizes), vector.grad.split(sizes), strict=True
    ):
        shape, stride = parameter.shape, parameter.stride()
        parameter.data = data.as_strided(shape, stride).copy_(parameter.detach())
        parameter.grad = grad.as_strided(shape, stride)
    return vector
