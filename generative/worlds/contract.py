"""What a model of a world must do: begin where one has looked, go on by actions, learn.

And what must be done for it: read what is seen, and show what is foreseen.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from torch import Tensor, nn

from ..model import Loss, Player
from .episodes import Episodes, Window
from .spaces import WorldSpec

State = tuple[Tensor, ...]
"""What a model knows of B worlds, tensors `[B, ...]`."""


class Step(NamedTuple):
    """What one step of B dreamed worlds gives."""

    state: State
    observation: Tensor  # [B, *] in the dtype of the space
    reward: Tensor  # [B] float32
    terminated: Tensor  # [B] bool


class WorldModel(nn.Module, ABC):
    """A model of how a world goes on.

    All chance of a dream is in the uniform numbers u that are handed in: with the same numbers it
    is the same dream.

    Attributes:
        draws: how many uniform numbers each row needs for a beginning, and for a step.
    """

    draws: int

    @abstractmethod
    def begin(self, observation: Tensor, u: Tensor) -> State:
        """Return what is known after one look.

        Args:
            observation: `[B, *]` in the dtype of the space.
            u: in [0, 1), `[B, draws]`.
        """

    @abstractmethod
    def step(self, state: State, action: Tensor, u: Tensor) -> Step:
        """Dream one step on.

        Args:
            state: what `begin` or `step` returned.
            action: `[B, *]`.
            u: in [0, 1), `[B, draws]`.
        """

    def study(self, episodes: Episodes) -> None:
        """Take from experience what is not learned by gradients: scales, counts."""

    @abstractmethod
    def loss(self, window: Window) -> Loss:
        """Return what training lowers, of one batch of experience."""

    def players(self) -> Sequence[Player]:
        """Return who learns: the model as one, if it has anything to learn."""
        learns = any(p.requires_grad for p in self.parameters())
        return (Player("world", self, self.loss, batch=Window._make),) * learns


class Sight(nn.Module, ABC):
    """Reads observations of one kind, `[*, *shape]`, as D numbers `[*, D]`.

    Attributes:
        size: D.
    """

    def __init__(self, spec: WorldSpec) -> None:
        super().__init__()
        self.shape = spec.shape
        self.size = math.prod(spec.shape)

    @abstractmethod
    def read(self, observation: Tensor) -> Tensor:
        """Return float32 `[*, D]` of observations."""

    @abstractmethod
    def loss(self, outputs: Tensor, read: Tensor) -> Tensor:
        """Return −log p `[*]` of what was read `[*, D]` under a network's outputs `[*, D]`."""

    @abstractmethod
    def show(self, outputs: Tensor) -> Tensor:
        """Return the likeliest observations `[*, *shape]`, in the dtype of the space."""

    def study(self, episodes: Episodes) -> None:
        """Take scales from experience."""

    def _flat(self, observation: Tensor) -> Tensor:
        return observation.flatten(observation.dim() - len(self.shape))


@runtime_checkable
class Remembers(Protocol):
    """A model with a memory, which can go along with a real episode: nothing is drawn."""

    def looked(self, observation: Tensor) -> State:
        """Return what is known after a first look at `[B, *]`."""
        ...

    def filtered(self, state: State, action: Tensor, observation: Tensor) -> State:
        """Return what is known after an action `[B, *]`, and a look at what followed `[B, *]`."""
        ...

    def known(self, state: State) -> Tensor:
        """Return what is known as numbers `[B, D]`."""
        ...


def mean_over(values: Tensor, weight: Tensor) -> Tensor:
    """Return the mean of values `[*]` by weights `[*]`."""
    return (values * weight).sum() / weight.sum()
