"""Where a training stands: what callbacks see, and what later rows and decisions depend on."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from nets.glance import in_a_line, in_a_table

from .actor import Actor
from .evaluation import Evaluation
from .experience import Episode, Metrics

RECENT_EPISODES = 100


@dataclass(repr=False)
class Progress:
    """Where a training stands: what callbacks see."""

    agent: Actor
    """Who learns; `save`, `predict` and `evaluate` work on it as ever."""
    episodes: int = 0
    """Whole episodes so far."""
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT_EPISODES))
    """Returns of the last 100 episodes, the newest at the end."""
    recent_raw: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT_EPISODES))
    """The same by the environment's own rewards; empty where no wrapper changes them."""
    unlogged: list[Episode] = field(default_factory=list)
    """Episodes since the last row of the log: `step`, `total_reward`, `length`, `raw_return`."""
    metrics: dict[str, Any] = field(default_factory=dict)
    """The latest losses and the like, by name; those on a device are tensors: see `numbers`."""
    evaluation: Evaluation | None = None
    """The last evaluation; None before the first, and in `learn`, which makes none."""
    best_return: float | None = None
    """Mean return of the best evaluation so far."""

    @property
    def steps(self) -> int:
        """Environment steps so far."""
        return self.agent.steps

    @property
    def facts(self) -> dict[str, Any]:
        """How far it is, in a few numbers."""
        recent = sum(self.recent) / len(self.recent) if self.recent else None
        told = {"steps": self.steps, "episodes": self.episodes, "mean_of_recent": recent}
        return told | {"best_return": self.best_return} | self.numbers()

    def __repr__(self) -> str:
        return in_a_line(self, self.facts)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return in_a_table(self, {"of": repr(self.agent)} | self.facts)

    def count(self, episodes: Sequence[Episode], metrics: Metrics | None) -> None:
        """Take finished episodes and the latest metrics in."""
        self.episodes += len(episodes)
        self.recent.extend(episode.total_reward for episode in episodes[-RECENT_EPISODES:])
        self.recent_raw.extend(raw_of(episodes[-RECENT_EPISODES:]))
        self.unlogged += episodes
        self.metrics |= metrics or {}

    def numbers(self) -> dict[str, float]:
        """Fetch metrics that were left on the device, all at once: it is waited for."""
        left = [name for name, value in self.metrics.items() if isinstance(value, Tensor)]
        numbers = dict(self.metrics)
        if left:
            device = numbers[left[0]].device
            table = torch.stack([numbers[name].to(device, torch.float32) for name in left])
            numbers.update(zip(left, table.cpu(), strict=True))
        return {name: float(value) for name, value in numbers.items()}

    def state_dict(self) -> dict[str, Any]:
        """The part that later rows and decisions depend on."""
        return {
            "episodes": self.episodes,
            "recent": list(self.recent),
            "recent_raw": list(self.recent_raw),
            "unlogged": [list(episode) for episode in self.unlogged],
            "best_return": self.best_return,
            "metrics": self.numbers(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.episodes, best = int(state["episodes"]), state["best_return"]
        self.best_return = None if best is None else float(best)
        self.recent = deque(map(float, state["recent"]), maxlen=RECENT_EPISODES)
        self.recent_raw = deque(map(float, state.get("recent_raw", ())), maxlen=RECENT_EPISODES)
        self.unlogged = [
            Episode(int(at), float(r), int(n), *raw) for at, r, n, *raw in state["unlogged"]
        ]
        self.metrics = dict(state["metrics"])


def raw_of(episodes: Sequence[Episode]) -> list[float]:
    """Return what episodes returned by the environment's own rewards, where that is known."""
    found = (episode.raw_return for episode in episodes)
    return [raw for raw in found if raw is not None and isfinite(raw)]


Callback = Callable[[Progress], bool | None]
"""Called after every step; False stops the training."""
