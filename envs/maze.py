"""Mazes: procedurally generated, another one in every episode or always the same."""

from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from envs.grid import Model
from envs.maps import mazes
from envs.numbers import Numbers, Pictures, Table
from envs.tabular import GridState, GridWorld

_GOAL, _WALLS = 1, 2  # planes of the observed board; the agent's is 0


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
        num_levels: int = 1000,
        start_level: int = 0,
        obs: Literal["board", "cell"] = "board",
    ) -> None:
        super().__init__(mazes(size, start_level, num_levels))
        if obs not in ("board", "cell"):
            raise ValueError(f"obs is 'board' or 'cell', got {obs!r}")
        self._sees_board = obs == "board"
        if not self._sees_board:
            return
        rows, columns = self.grid.shape
        self._shape = (3, rows, columns)
        self.observation_space = spaces.Box(0.0, 1.0, self._shape, np.float32)
        boards = np.zeros((num_levels, *self._shape), np.float32)
        marks = np.array([*self.grid.legend])[self.grid.marks].reshape(num_levels, rows, columns)
        boards[:, _GOAL], boards[:, _WALLS] = marks == "G", marks == "#"
        level, place = np.divmod(self.grid.places, rows * columns)
        self._boards, self._level, self._place = Pictures(boards), Table(level), Table(place)

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
