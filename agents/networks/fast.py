"""Networks in the forms that are fastest for what agents do with them, all on one memory."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nets.process.distributed import ALONE, Team

from .inputs import Flatten
from .own import own_encoders

Array = NDArray[Any]
Module = TypeVar("Module", bound=nn.Module)


class FastNetwork(Generic[Module]):
    """A network in several forms; what is learned in one of them, all others know.

    Beside what follows it has whatever its module has: `parameters()`, `state_dict()`, ...
    Subclasses learn by `forward` and `backward`, which take plain MLPs by the equations and others
    by autograd; they act on arrays, plain MLPs in NumPy and others in torch.

    Attributes:
        module: torch's form, which is saved, exported, and evaluated on many rows at a time.
        weights: all that learns in it as one vector `[P]`, with its gradient: for an optimiser.
        team: the processes that learn together: each takes its part of the rows forwards and
            backwards, and all get the outputs and the gradient of the whole.
    """

    def __init__(self, module: Module, weights: nn.Parameter) -> None:
        self.module, self.weights = module, weights
        self.team: Team = ALONE
        self._statistics = [b for own in own_encoders(module) for b in own.buffers()]

    def __call__(self, *inputs: Any) -> Any:
        """Run the module, as torch does."""
        return self.module(*inputs)

    def __getattr__(self, name: str) -> Any:
        """Return what the module has."""
        if name.startswith("__") or "module" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.module, name)

    @torch.no_grad()
    def follow(self, other: "FastNetwork[Module]", rate: float = 1.0) -> None:
        """Move towards another's weights: w ← (1 − rate) · w + rate · w_other.

        Statistics of normalisations, which somebody's own encoder may have, are taken over.
        """
        self.weights.lerp_(other.weights, rate)
        for mine, theirs in zip(self._statistics, other._statistics, strict=True):
            mine.copy_(theirs)

    def tensor(self, array: Array) -> Tensor:
        """Return an array as a tensor on the network's device."""
        return torch.from_numpy(array).to(self.weights.device)


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
            layers.append(lambda x: np.tanh(x, out=x))
        elif isinstance(module, Flatten):
            layers.append(_flatten(module))
        elif not isinstance(module, nn.Sequential | nn.Identity):
            return None

    def forward(x: Array) -> Array:
        for layer in layers:
            x = layer(x)
        return x

    return forward


def _flatten(module: Flatten) -> Callable[[Array], Array]:
    if not module.bytes:
        return lambda x: x.reshape(len(x), -1).astype(np.float32)
    scale = module.scale.numpy()  # []
    return lambda x: x.reshape(len(x), -1).astype(np.float32) * scale


def _dense(layer: nn.Linear) -> Callable[[Array], Array]:
    weight = layer.weight.detach().numpy().T  # [in, out]
    if layer.bias is None:
        return lambda x: x @ weight
    bias = layer.bias.detach().numpy()

    def forward(x: Array) -> Array:
        x = x @ weight
        x += bias
        return x

    return forward
