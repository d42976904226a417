"""A world of one's own, whose text uses all that it may."""

from enum import IntEnum
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from envs import Table


def halved(x: Any) -> Any:
    return x / 2.0


def doubled(x: Any) -> Any:
    return x * 2.0


class Way(IntEnum):
    BACK, STAY = -1, 0


settings = ModuleType("settings")
settings.bonus, settings.signed = 0.25, lambda x: settings.bonus - x


class Cells(NamedTuple):
    cells: Any
    head: Any
    moved: Any


class Board:
    """Marks cells, by everything that text may use."""

    action_space = spaces.Discrete(3, start=-1)
    observation_space = spaces.Box(-np.inf, np.inf, (2, 3), np.float64)

    def __init__(self, size: int = 6, step: float = 1.5) -> None:
        self.size, self.by, self._ways = size, step, Table([5, 1, 2])

    def initial(self, xp: Any, random: Any) -> Any:
        return Cells(xp.image((self.size,), np.int32, random.below(self.size, 1), 0), 0, False)

    def _ahead(self, xp: Any, head: Any, action: Any) -> Any:
        return (head + xp.take(self._ways, action + 1)) % self.size

    def step(self, xp: Any, state: Any, action: Any, random: Any) -> tuple[Any, Any, Any]:
        head = self._ahead(xp, state.head, action)
        free = state.cells < xp.every(2 + 0 * head)
        head = xp.where(xp.at(state.cells, head) > 3, xp.nth(free, random.below(self.size)), head)
        cells = xp.put(state.cells, head, xp.at(state.cells, head) + 1)
        a, b = random.uniforms(2, -self.by, self.by)
        reward = halved(xp.exp(-abs(a)) * xp.cos(b)) // 0.125 + xp.maximum(a, b)
        reward = xp.where(action == Way.BACK, settings.signed(reward), reward + settings.bonus)
        moved = (head == state.head) ^ True
        return Cells(cells, head, moved), reward, (head == 3) & moved

    def observe(self, xp: Any, state: Any) -> Any:
        row = xp.minimum(state.head, 1) * 3
        return xp.image((2, 3), np.float64, row + state.head % 3)
