"""Transfer learning: keep a trained trunk, replace its head, then fine-tune (SPEC S-TL-01)."""

from collections.abc import Callable, Iterator
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


def replace_head(
    network: nn.Module, out_features: int, *, init: Callable[[nn.Linear], object] | None = None
) -> nn.Linear:
    """Put a new dense layer in the place of the last one of `network`, and return it.

    Args:
        network: changed in place; its last `nn.Linear`, in order of definition, is the head.
        out_features: of the new head.
        init: called on the new head; None keeps torch's initialisation.

    Raises:
        ValueError: the network has no dense layer, or is one itself.
    """
    dense = [(name, m) for name, m in network.named_modules() if isinstance(m, nn.Linear) and name]
    if not dense:
        raise ValueError(f"{type(network).__name__} contains no dense layer that could be its head")
    name, old = dense[-1]
    head = nn.Linear(
        old.in_features,
        out_features,
        old.bias is not None,
        device=old.weight.device,
        dtype=old.weight.dtype,
    )
    if init is not None:
        init(head)
    network.set_submodule(name, head)
    return head
