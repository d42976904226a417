"""What was lived through in a world, and the windows of it that models learn from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor

from nets.glance import in_a_line, in_a_table

from ..data.dataset import shuffled


class Window(NamedTuple):
    """B pieces of experience, T steps each; what lies beyond an episode's end is not `lived`."""

    observation: Tensor  # [T + 1, B, *] in the dtype of the space
    action: Tensor  # [T, B, *]
    reward: Tensor  # [T, B] float32
    terminated: Tensor  # [T, B] bool
    lived: Tensor  # [T, B] bool


@dataclass(frozen=True, repr=False)
class Episodes:
    """Episodes one after the other, of N steps in all and E episodes.

    Attributes:
        observation: `[N + E, *]`, one more of each episode than it has steps.
        action: `[N, *]`.
        reward: float32 `[N]`.
        terminated: bool `[N]`.
        lengths: steps of each episode, int64 `[E]`, at least 1.
        over: whether each came to its end, and was not cut off by who collected it, bool `[E]`.
    """

    observation: Tensor
    action: Tensor
    reward: Tensor
    terminated: Tensor
    lengths: Tensor
    over: Tensor

    def __post_init__(self) -> None:
        steps, episodes = int(self.lengths.sum()), len(self.lengths)
        rows = len(self.observation), len(self.action), len(self.reward), len(self.terminated)
        if not episodes or rows != (steps + episodes, steps, steps, steps):
            raise ValueError(f"{episodes} episodes of {steps} steps, but rows are {rows}")

    def __len__(self) -> int:
        return len(self.action)

    @property
    def facts(self) -> dict[str, Any]:
        """What they are, in a few words and numbers."""
        returns = self.returns  # of those that came to their end
        return {
            "episodes": len(self.lengths),
            "steps": len(self),
            "observation": tuple(self.observation.shape[1:]),
            "action": tuple(self.action.shape[1:]),
            "mean_return": round(float(returns.mean()), 6) if len(returns) else None,
        }

    def __repr__(self) -> str:
        return in_a_line(self, self.facts)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return in_a_table(self, self.facts)

    @property
    def first(self) -> Tensor:
        """Where the observations of each episode begin, int64 `[E]`."""
        earlier = torch.arange(len(self.lengths), device=self.lengths.device)
        return self.lengths.cumsum(0) - self.lengths + earlier

    @property
    def starts(self) -> Tensor:
        """The first observation of each episode, `[E, *]`."""
        return self.observation[self.first]

    @property
    def before(self) -> Tensor:
        """The observation before each step, `[N, *]`."""
        return self.observation[self._rows]

    @property
    def after(self) -> Tensor:
        """The observation after each step, `[N, *]`."""
        return self.observation[self._rows + 1]

    @property
    def returns(self) -> Tensor:
        """The sum of the rewards of each episode that came to its end."""
        sums = [part.sum() for part in self.reward.double().split(self.lengths.tolist())]
        return torch.stack(sums)[self.over]

    @property
    def number(self) -> Tensor:
        """Which episode each step is of, int64 `[N]`."""
        numbers = torch.arange(len(self.lengths), device=self.lengths.device)
        return numbers.repeat_interleave(self.lengths)

    @property
    def _rows(self) -> Tensor:
        """Where the observation before each step is, int64 `[N]`."""
        return torch.arange(len(self), device=self.lengths.device) + self.number

    def to(self, device: str | torch.device) -> Self:
        """Return the episodes on another device."""
        return type(self)(*(column.to(device) for column in self.state_dict().values()))

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the episodes of all parts."""
        columns = [part.state_dict() for part in parts]
        return cls(**{name: torch.cat([c[name] for c in columns]) for name in columns[0]})

    def chosen(self, episodes: Tensor) -> Self:
        """Return some of the episodes, int64 `[K]` in that order."""
        lengths, which = self.lengths.tolist(), episodes.tolist()

        def taken(column: Tensor, sizes: list[int]) -> Tensor:
            parts = column.split(sizes)
            return torch.cat([parts[k] for k in which])

        return type(self)(
            taken(self.observation, [n + 1 for n in lengths]),
            taken(self.action, lengths),
            taken(self.reward, lengths),
            taken(self.terminated, lengths),
            self.lengths[episodes],
            self.over[episodes],
        )

    def split(self, fraction: float, seed: int = 0) -> tuple[Self, Self]:
        """Deal whole episodes into two parts, `(train, held_out)`.

        Raises:
            ValueError: one of the parts would be empty.
        """
        held_out, count = round(fraction * len(self.lengths)), len(self.lengths)
        if not 0 < held_out < count:
            message = f"fraction {fraction} holds {held_out} of {count} episodes out"
            raise ValueError(f"{message}, expected at least one episode in either part")
        order = shuffled(count, seed)
        return self.chosen(order[held_out:].sort().values), self.chosen(order[:held_out])

    def state_dict(self) -> dict[str, Tensor]:
        """Return the columns by name."""
        return dict(vars(self))

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Any]) -> Self:
        """Return what `state_dict` returned.

        Raises:
            ValueError: the columns do not fit together.
        """
        return cls(**state)


class Windows:
    """Rows for training: pieces of experience, T steps at most.

    Windows begin at any step of an episode, so that dreams may, too; and T of them at its first,
    so that what is shown there, and a memory has to keep, is seen as often as what comes of it.

    Args:
        name: what the experience is of.
        episodes: all of them.
        steps: T.
    """

    def __init__(self, name: str, episodes: Episodes, steps: int) -> None:
        self.name, self.episodes, self.steps = name, episodes, steps
        lengths, number = episodes.lengths, episodes.number
        ends = lengths.cumsum(0)  # [E] steps of this episode and all before it
        first = (ends - lengths).repeat_interleave(steps - 1)  # [E(T - 1)]
        steps_of = torch.arange(len(episodes), device=lengths.device)
        self._begin = torch.cat([steps_of, first])  # [N + E(T - 1)]
        self._end = ends.repeat_interleave(lengths)  # [N] of each step's episode
        self._shift = number  # [N] earlier episodes, each with an observation more

    def __len__(self) -> int:
        return len(self._begin)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one observation."""
        return tuple(self.episodes.observation.shape[1:])

    @property
    def columns(self) -> list[Tensor]:
        """What tells the rows from others."""
        return list(self.episodes.state_dict().values())

    @property
    def device(self) -> torch.device:
        """Where the rows are."""
        return self.episodes.observation.device

    def to(self, device: str | torch.device) -> Self:
        """Return the rows on another device."""
        return type(self)(self.name, self.episodes.to(device), self.steps)

    def batch(self, index: Tensor) -> Window:
        """Gather windows, int64 `[B]` on the rows' device; the first N begin at the N steps."""
        e, begin = self.episodes, self._begin[index]  # [B]
        end = self._end[begin]
        time = torch.arange(self.steps + 1, device=index.device)[:, None] + begin  # [T + 1, B]
        step = time[:-1].minimum(end - 1)
        shown = time.minimum(end) + self._shift[begin]
        return Window(
            e.observation[shown],
            e.action[step],
            e.reward[step],
            e.terminated[step] & (time[:-1] < end),
            time[:-1] < end,
        )
