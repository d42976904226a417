"""How observations become numbers that networks read, and numbers become observations again."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from gymnasium import spaces
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, one_hot

from nets.layers.rssm import inverse_cdf

from .episodes import Episodes
from .spaces import Kind, WorldSpec


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


class Boards(Pictures):
    """Boards of C planes: in each, cells take values that were seen, or one of them alone is set.

    Where exactly one cell of a plane was 1 and all others 0 on every board, as with a head, a ball
    or food, which one it is is a choice among all cells; elsewhere a cell is the probability of a
    Bernoulli, and shown as the nearest value that was seen in its plane.
    """

    LEVELS = 256  # values of a plane that are kept; more are replaced by points evenly between
    single: Tensor
    values: Tensor

    def __init__(self, spec: WorldSpec) -> None:
        super().__init__(spec)
        self.dtype = spec.dtype
        self.channels_last = len(spec.shape) == 3 and spec.shape[-1] < spec.shape[0]
        self.planes = spec.shape[-1 if self.channels_last else 0] if len(spec.shape) == 3 else 1
        self.register_buffer("single", torch.zeros(self.planes, dtype=torch.bool))
        levels = (torch.arange(self.LEVELS) > 0).float()  # 0 and 1
        self.register_buffer("values", levels.repeat(self.planes, 1))  # [C, V] ascending

    def read(self, observation: Tensor) -> Tensor:
        """Return cells as they are."""
        return self._flat(observation).float()

    def loss(self, outputs: Tensor, read: Tensor) -> Tensor:
        """Return the cross-entropies of choices and of cells, summed over planes."""
        logits, cells = self._split(outputs), self._split(read)  # [*, C, N]
        choice = -(logits.log_softmax(-1) * cells).sum(-1)
        each = binary_cross_entropy_with_logits(logits, cells, reduction="none").sum(-1)
        return torch.where(self.single, choice, each).sum(-1)

    def show(self, outputs: Tensor) -> Tensor:
        """Return the likeliest choices, and the nearest values of all other cells."""
        logits = self._split(outputs)
        return self._shown(logits, logits.argmax(-1))

    def draw(self, outputs: Tensor, u: Tensor) -> Tensor:
        """Return the same with choices drawn by uniform numbers `[*, C]`."""
        logits = self._split(outputs)
        return self._shown(logits, inverse_cdf(logits.softmax(-1), u))

    def study(self, episodes: Episodes) -> None:
        """Find the planes of one cell, and the values of cells."""
        planes = self._split(self.read(episodes.observation)).transpose(0, 1)  # [C, B, N]
        lone = ((planes == 0) | (planes == 1)).all(-1) & (planes.sum(-1) == 1)  # [C, B]
        self.single.copy_(lone.all(-1))
        for row, plane in zip(self.values, planes, strict=True):
            seen = plane.unique()
            if len(seen) > self.LEVELS:
                seen = torch.linspace(float(seen[0]), float(seen[-1]), self.LEVELS)
            row.fill_(seen[-1])[: len(seen)] = seen

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Take cells of worlds that were kept before planes were told apart as 0 or 1 each."""
        for name, buffer in self.named_buffers():
            state.setdefault(prefix + name, buffer)
        super()._load_from_state_dict(state, prefix, *rest)

    def _split(self, flat: Tensor) -> Tensor:
        """Return numbers `[*, D]` by planes, `[*, C, N]`."""
        if self.channels_last:
            return flat.unflatten(-1, (-1, self.planes)).transpose(-1, -2)
        return flat.unflatten(-1, (self.planes, -1))

    def _shown(self, logits: Tensor, choice: Tensor) -> Tensor:
        """Return boards `[*, *shape]` of logits `[*, C, N]` and choices `[*, C]`."""
        between = (self.values[:, 1:] + self.values[:, :-1]) / 2  # [C, V - 1]
        rows = logits.sigmoid().flatten(0, -3).permute(1, 2, 0).flatten(1)  # [C, N * B]
        near = self.values.gather(1, torch.searchsorted(between, rows))
        cells = near.view(*logits.shape[-2:], -1).permute(2, 0, 1).view_as(logits)
        chosen = one_hot(choice, logits.shape[-1]).to(cells)
        cells = torch.where(self.single.unsqueeze(-1), chosen, cells)
        if self.channels_last:
            cells = cells.transpose(-1, -2)
        return cells.flatten(-2).to(self.dtype).unflatten(-1, self.shape)


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
