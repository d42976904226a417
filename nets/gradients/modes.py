"""Which parameters learn, and in which mode a module runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def freeze(module: Module) -> Module:
    """Keep the parameters of `module` as they are; see `training_mode` for its statistics."""
    return module.requires_grad_(False)


def unfreeze(module: Module) -> Module:
    """Let the parameters of `module` learn again: to fine-tune, at a small learning rate."""
    return module.requires_grad_(True)


def training_mode(network: Module) -> Module:
    """Put `network` into training mode, except what is frozen: that stays in evaluation.

    `network.train()` alone would have the batch norms of a frozen trunk gather statistics of the
    new data, and its dropout drop: the trunk would change although no parameter does. A module
    counts as frozen if it has parameters, and none that learns; all that it contains follows it.
    """
    network.train()
    for module in network.modules():
        parameters = list(module.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            module.eval()
    return network


@contextmanager
def evaluation_mode(network: nn.Module) -> Iterator[None]:
    """Put `network` into evaluation mode; afterwards each of its modules back into its own."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
