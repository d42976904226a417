"""How observations become numbers that networks read, and numbers become observations again."""

from collections.abc import Callable

import torch
from gymnasium import spaces
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, one_hot

from .boards import Boards
from .config import Kind
from .contract import Sight
from .episodes import Episodes
from .spaces import WorldSpec


class Pictures(Sight):
    """Bytes, each the probability of a Bernoulli."""

    def read(self, observation: Tensor) -> Tensor:
        """Return bytes over 255."""
        return self._flat(observation).float() / 255

    def loss(self, outputs: Tensor, read: Tensor) -> Tensor:
        """Return the binary cross-entropy of logits, summed over pixels."""
        return binary_cross_entropy_with_logits(outputs, read, reduction="none").sum(-1)

    def show(self, outputs: Tensor) -> Tensor:
        """Return the probabilities as bytes."""
        shown = outputs.sigmoid().mul_(255).round_().to(torch.uint8)  # in place: there are many
        return shown.unflatten(-1, self.shape)


class Vectors(Sight):
    """Numbers, less their mean, over their standard deviation, with Gaussian errors of 0.1."""

    ERROR = 0.1
    mean: Tensor
    std: Tensor
    low: Tensor
    high: Tensor

    def __init__(self, spec: WorldSpec) -> None:
        super().__init__(spec)
        space = spec.observation_space
        assert isinstance(space, spaces.Box)
        self.dtype = spec.dtype
        for name, value in (("mean", 0.0), ("std", 1.0)):
            self.register_buffer(name, torch.full((self.size,), value))
        for name, bound in (("low", space.low), ("high", space.high)):
            flat = torch.from_numpy(bound).flatten().float()
            self.register_buffer(name, flat, persistent=False)

    def read(self, observation: Tensor) -> Tensor:
        """Return standardised numbers."""
        return (self._flat(observation).float() - self.mean) / self.std

    def loss(self, outputs: Tensor, read: Tensor) -> Tensor:
        """Return half the squared error over the variance, summed."""
        return 0.5 * ((outputs - read) / self.ERROR).square().sum(-1)

    def show(self, outputs: Tensor) -> Tensor:
        """Return the numbers at their scale, within their bounds."""
        return self.within(outputs * self.std + self.mean)

    def within(self, numbers: Tensor) -> Tensor:
        """Return numbers `[*, D]` as observations, within the bounds of the space."""
        numbers = numbers.clamp(self.low, self.high)
        whole = not self.dtype.is_floating_point
        return (numbers.round() if whole else numbers).to(self.dtype).unflatten(-1, self.shape)

    def study(self, episodes: Episodes) -> None:
        """Take mean and standard deviation; a number that never changes keeps its scale."""
        numbers = self._flat(episodes.observation).double()  # [N + E, D]
        std = numbers.std(0, correction=0)
        self.mean.copy_(numbers.mean(0))
        self.std.copy_(torch.where(std > 1e-6, std, 1.0))


class States(Sight):
    """One of S states."""

    def __init__(self, spec: WorldSpec) -> None:
        super().__init__(spec)
        self.size = spec.num_states
        assert isinstance(spec.observation_space, spaces.Discrete)
        self.start = int(spec.observation_space.start)

    def read(self, observation: Tensor) -> Tensor:
        """Return states one-hot."""
        return one_hot(observation - self.start, self.size).float()

    def loss(self, outputs: Tensor, read: Tensor) -> Tensor:
        """Return the cross-entropy of logits."""
        losses = cross_entropy(outputs.flatten(0, -2), read.flatten(0, -2), reduction="none")
        return losses.view(read.shape[:-1])

    def show(self, outputs: Tensor) -> Tensor:
        """Return the likeliest state."""
        return outputs.argmax(-1) + self.start


def sight(spec: WorldSpec) -> Sight:
    """Return what reads the observations of a world."""
    kinds: dict[Kind, Callable[[WorldSpec], Sight]]
    kinds = {"discrete": States, "vector": Vectors, "board": Boards, "picture": Pictures}
    return kinds[spec.kind](spec)
