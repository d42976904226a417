"""Mazes: procedurally generated, another one in every episode or always the same."""

from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from ..numbers import Numbers, Pictures, Table
from .grid import Grid, Model
from .maps import mazes
from .worlds import GridState, GridWorld

_GOAL, _WALLS = 1, 2  # planes of the observed board; the agent's is 0


_mazes = lru_cache(maxsize=8)(mazes)


@lru_cache(maxsize=8)
def _boards(grid: Grid) -> tuple[Pictures, Table, Table]:
    """Return each level's board without the agent, and the level and place of each state."""
    rows, columns = grid.shape
    boards = np.zeros((grid.levels, 3, rows, columns), np.float32)
    marks = np.array([*grid.legend])[grid.marks].reshape(-1, rows, columns)
    boards[:, _GOAL], boards[:, _WALLS] = marks == "G", marks == "#"
    level, place = np.divmod(grid.places, rows * columns)
    return Pictures(boards), Table(level), Table(place)


class Maze(GridWorld):
    """Find the way from the upper left to the lower right corner of a maze.

    Every step pays -1 until the goal is reached. Each episode draws one of the levels; level k of a
    size is the same maze everywhere, so agents can be trained on some levels and tested on others.

    Args:
        size: Rooms along each side; the board has 2·size + 1 rows and columns.
        num_levels: How many mazes there are; 1 for the same one in every episode.
        start_level: Number of the first maze.
        obs: "board" for float32 `[3, 2·size + 1, 2·size + 1]` with the agent, the goal and the
            walls; "cell" for the number of the agent's cell, counted through all levels.
    """

    def __init__(
        self,
        size: int = 6,
        num_levels: int = 500,
        start_level: int = 0,
        obs: Literal["board", "cell"] = "board",
    ) -> None:
        if obs not in ("board", "cell"):
            raise ValueError(f"obs is 'board' or 'cell', got {obs!r}")
        super().__init__(_mazes(size, start_level, num_levels))
        self._sees_board = obs == "board"
        if self._sees_board:
            self._boards, self._level, self._place = _boards(self.grid)
            self._shape = self._boards.array.shape[1:]
            self.observation_space = spaces.Box(0.0, 1.0, self._shape, np.float32)

    def observe(self, xp: Numbers, state: GridState) -> Any:
        """Return the level's board with the agent, or the state's number."""
        if not self._sees_board:
            return state.cell
        board = xp.picture(self._boards, xp.take(self._level, state.cell))
        board += xp.image(self._shape, np.float32, xp.take(self._place, state.cell))
        return board

    @cached_property
    def P(self) -> Model:
        """The model, over cells: only with obs="cell"."""
        self._check_sees_cell()
        return super().P

    @cached_property
    def initial_state_distrib(self) -> npt.NDArray[np.float64]:
        """The probability that an episode begins in each cell: only with obs="cell"."""
        self._check_sees_cell()
        return super().initial_state_distrib

    def _check_sees_cell(self) -> None:
        if self._sees_board:
            raise AttributeError("the model of a maze is over its cells: make it with obs='cell'")
