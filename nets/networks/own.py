"""People's own networks in place of a name of ours: made, and tried before anything trains."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..code import Template, find, written


class OwnNetwork:
    """A class, a function, an object, or `module:name` of one, of which networks are made.

    Args:
        role: what errors call it, such as `"encoder"`.
        given: the code.

    Attributes:
        maker: what is called; objects are copied.
        name: how errors call it.

    Raises:
        ValueError: it is not there.
        TypeError: it is something else.
    """

    def __init__(self, role: str, given: str | Callable[..., Any]) -> None:
        self.name = f"the {role} {written(given).partition(' ')[0]}"
        self.maker: Any = find(given) if isinstance(given, str) else given
        if isinstance(self.maker, nn.Module):
            self.maker = Template(self.maker)
        if not callable(self.maker):
            raise TypeError(f"{self.name} is a {type(self.maker).__name__}: expected a network")

    @property
    def first(self) -> str:
        """What its first parameter is called."""
        try:
            return next(iter(inspect.signature(self.maker).parameters), "")
        except ValueError:  # it does not say
            return ""

    def make(self, *arguments: Any) -> nn.Module:
        """Return a network with new weights, on the CPU.

        Raises:
            TypeError: it takes other arguments, or gives no module.
            ValueError: it fails.
        """
        try:
            inspect.signature(self.maker).bind(*arguments)
        except TypeError as error:
            hint = "give functools.partial, or a function"
            raise TypeError(
                f"{self.name} is called with {arguments}, but: {error}; {hint}"
            ) from error
        except ValueError:  # it does not say what it takes
            pass
        try:
            network = self.maker(*arguments)
        except Exception as error:
            raise ValueError(f"{self.name} cannot be made with {arguments}: {error}") from error
        if not isinstance(network, nn.Module):
            raise TypeError(
                f"{self.name} gives a {type(network).__name__}: expected a torch module"
            )
        return network.to("cpu")


@torch.no_grad()
def try_out(
    network: nn.Module,
    batch: Any,
    rows: int,
    name: str,
    device: torch.device,
    shape: tuple[int, ...] = (),
) -> int:
    """Return how many numbers a network gives per row, of a batch of a few.

    Args:
        network: in the mode that it will run in.
        batch: what it takes.
        rows: how many they are.
        name: of the network.
        device: where both are.
        shape: of what it has to give for a row; `()`: features of any number.

    Raises:
        ValueError: it fails, gives something else, or differs from what it says of itself.
    """
    try:
        y = network(batch)
    except Exception as error:
        raise ValueError(f"{name} fails on {describe(batch)}: {error}") from error
    fits = isinstance(y, Tensor) and y.dtype == torch.float32 and y.device.type == device.type
    if fits:
        given = tuple(y.shape)
        fits = given == (rows, *shape) if shape else len(given) == 2 and given[0] == rows
    if not fits:
        expected = f"float32 {[rows, *(shape or ('F',))]} on {device.type}".replace("'", "")
        message = f"{name} gives {describe(y)} for {describe(batch)}"
        raise ValueError(f"{message}: expected {expected}")
    for member in ("out_features", "features_dim"):
        said = getattr(network, member, None)
        if isinstance(said, int) and not shape and said != y.shape[1]:
            raise ValueError(f"{name} says that its {member} is {said}, and gives {y.shape[1]}")
    for parameter in network.parameters():
        if parameter.dtype != torch.float32:
            raise ValueError(f"{name} has parameters of {parameter.dtype}: expected torch.float32")
    return y[0].numel()


def describe(batch: Any) -> str:
    """Say what a network takes or gives: dtype, shape and device of each tensor."""
    if isinstance(batch, Tensor):
        kind = str(batch.dtype).partition(".")[2]
        return f"{kind} {[*batch.shape]} on {batch.device.type}"
    if isinstance(batch, dict):
        return "{" + ", ".join(f"{key!r}: {describe(part)}" for key, part in batch.items()) + "}"
    if isinstance(batch, tuple):
        return f"({', '.join(map(describe, batch))})"
    return f"a {type(batch).__name__}"
