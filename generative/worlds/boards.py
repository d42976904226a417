"""Boards of cells as numbers: lone cells, levels, and all others."""

from itertools import accumulate
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot

from nets.layers.rssm import inverse_cdf

from .contract import Sight
from .episodes import Episodes
from .rewards import MOST
from .spaces import WorldSpec


class Boards(Sight):
    """Boards of C planes: in each, cells take values that were seen, or one of them alone is set.

    Where exactly one cell of a plane was 1 and all others 0 on every board, as with a head, a ball
    or food, which one it is is a choice among all cells. Where a plane has levels, each of its
    cells is a choice among these, and read as so many planes, of which one is set. Elsewhere a cell
    is the probability of a Bernoulli, and shown as the nearest value that was seen in its plane.
    """

    LEVELS = 256  # values of a plane that are kept; more are replaced by points evenly between
    single: Tensor
    values: Tensor

    def __init__(self, spec: WorldSpec) -> None:
        super().__init__(spec)
        self.dtype = spec.dtype
        self.channels_last = len(spec.shape) == 3 and spec.shape[-1] < spec.shape[0]
        planes = spec.shape[-1 if self.channels_last else 0] if len(spec.shape) == 3 else 1
        self.sides = spec.shape[:2] if self.channels_last else spec.shape[-2:]  # H, W
        self.levels = spec.levels or (1,) * planes
        self.planes, self.read_planes = planes, sum(self.levels)  # C, C'
        self.size = self.size // planes * self.read_planes
        ends = [*accumulate(self.levels)]
        places = [slice(end - n, end) for end, n in zip(ends, self.levels, strict=True)]
        self.graded = {c: places[c] for c, n in enumerate(self.levels) if n > 1}  # of C': of C
        plain = [c for c in range(planes) if c not in self.graded]
        self.plain = plain if self.graded else slice(None)  # of C
        self.coins = [places[c].start for c in plain] if self.graded else slice(None)  # of C'
        self.register_buffer("single", torch.zeros(planes, dtype=torch.bool))
        values = (torch.arange(self.LEVELS) > 0).float()  # 0 and 1
        self.register_buffer("values", values.repeat(planes, 1))  # [C, V] ascending

    def read(self, observation: Tensor) -> Tensor:
        """Return cells as they are, those of planes with levels one-hot."""
        flat = self._flat(observation).float()
        if not self.graded:
            return flat
        planes = [*self.split(flat, self.planes).split(1, -2)]  # C of [*, 1, N]
        for c in self.graded:
            near = torch.searchsorted(self._between(c), planes[c].squeeze(-2).contiguous())
            planes[c] = one_hot(near, self.levels[c]).transpose(-1, -2).to(flat)  # [*, V, N]
        return self.joined(torch.cat(planes, -2))

    def loss(self, outputs: Tensor, read: Tensor) -> Tensor:
        """Return the cross-entropies of choices and of cells, summed over planes."""
        logits, cells = self.split(outputs), self.split(read)  # [*, C', N]
        coins, seen = logits[..., self.coins, :], cells[..., self.coins, :]
        choice = -(coins.log_softmax(-1) * seen).sum(-1)
        each = binary_cross_entropy_with_logits(coins, seen, reduction="none").sum(-1)
        total = torch.where(self.single[self.plain], choice, each).sum(-1)
        for place in self.graded.values():
            likely = logits[..., place, :].log_softmax(-2)
            total = total - (likely * cells[..., place, :]).sum((-1, -2))
        return total

    def show(self, outputs: Tensor) -> Tensor:
        """Return the likeliest choices, and the nearest values of all other cells."""
        logits = self.split(outputs)
        return self._shown(logits, logits[..., self.coins, :].argmax(-1))

    def draw(self, outputs: Tensor, u: Tensor) -> Tensor:
        """Return the same with the choices of lone cells drawn by uniform numbers `[*, C]`."""
        logits = self.split(outputs)
        likely = logits[..., self.coins, :].softmax(-1)
        return self._shown(logits, inverse_cdf(likely, u[..., self.plain]))

    def study(self, episodes: Episodes) -> None:
        """Find the planes of one cell, and the values of cells."""
        planes = self.by_plane(episodes)  # [C, B, N]
        lone = ((planes == 0) | (planes == 1)).all(-1) & (planes.sum(-1) == 1)  # [C, B]
        self.single.copy_(lone.all(-1))
        for row, plane in zip(self.values, planes, strict=True):
            seen = plane.unique()
            if len(seen) > self.LEVELS:
                seen = torch.linspace(float(seen[0]), float(seen[-1]), self.LEVELS)
            row.fill_(seen[-1])[: len(seen)] = seen

    def by_plane(self, episodes: Episodes) -> Tensor:
        """Return the cells of all B observations, `[C, B, N]`."""
        return self.split(self._flat(episodes.observation).float(), self.planes).transpose(0, 1)

    def split(self, flat: Tensor, planes: int | None = None) -> Tensor:
        """Return numbers `[*, D]` by planes, `[*, C', N]`; of another number of them if told."""
        planes = self.read_planes if planes is None else planes
        if self.channels_last:
            return flat.unflatten(-1, (-1, planes)).transpose(-1, -2)
        return flat.unflatten(-1, (planes, -1))

    def joined(self, planes: Tensor) -> Tensor:
        """Return what `split` splits."""
        return (planes.transpose(-1, -2) if self.channels_last else planes).flatten(-2)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Take cells of worlds that were kept before planes were told apart as 0 or 1 each."""
        for name, buffer in self.named_buffers():
            state.setdefault(prefix + name, buffer)
        super()._load_from_state_dict(state, prefix, *rest)

    def _between(self, plane: int) -> Tensor:
        """Return what lies between the levels of a plane, `[V - 1]`."""
        values = self.values[plane, : self.levels[plane]]
        return (values[1:] + values[:-1]) / 2

    def _shown(self, logits: Tensor, choice: Tensor) -> Tensor:
        """Return boards `[*, *shape]` of logits `[*, C', N]` and choices among cells."""
        coins, values = logits[..., self.coins, :], self.values[self.plain]
        between = (values[:, 1:] + values[:, :-1]) / 2  # [P, V - 1]
        rows = coins.sigmoid().flatten(0, -3).permute(1, 2, 0).flatten(1)  # [P, N * B]
        near = values.gather(1, torch.searchsorted(between, rows))
        cells = near.unflatten(1, (coins.shape[-1], -1)).permute(2, 0, 1).view_as(coins)
        chosen = one_hot(choice, coins.shape[-1]).to(cells)
        cells = torch.where(self.single[self.plain].unsqueeze(-1), chosen, cells)
        if self.graded:
            planes = [*cells.split(1, -2)]
            for c, place in self.graded.items():  # ascending, as planes are
                level = logits[..., place, :].argmax(-2, keepdim=True)
                planes.insert(c, self.values[c][level])
            cells = torch.cat(planes, -2)
        return self.joined(cells).to(self.dtype).unflatten(-1, self.shape)


def levels_of(spec: WorldSpec, episodes: Episodes) -> tuple[int, ...]:
    """Return how many values cells of each plane of a board took where these are told apart.

    1 where there are no more than two, for which a Bernoulli is enough, or so many that they are
    taken to be continuous; `()` where that is so of all.
    """
    if spec.kind != "board":
        return ()
    seen = [len(plane.unique()) for plane in Boards(spec).by_plane(episodes)]
    levels = tuple(n if 2 < n <= MOST else 1 for n in seen)
    return levels if max(levels) > 1 else ()
