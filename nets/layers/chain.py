"""Rows of layers that can be cut, as torch's can."""

from typing import Any

from torch import nn

from ..keywords import Keywords


class Chain(Keywords, nn.Sequential):
    """Layers one after the other, built by a subclass of settings of its own.

    A slice, as in `mlp[:-1]`, is an `nn.Sequential` of the same layers: torch would call the
    subclass with them.
    """

    def __getitem__(self, index: slice | int) -> Any:
        """Return a layer, or some of them in a row of their own."""
        if isinstance(index, slice):
            return nn.Sequential(*list(self)[index])
        return super().__getitem__(index)
