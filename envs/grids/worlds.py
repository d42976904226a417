"""Worlds on flat transition tables: a lake, a cliff, four rooms and a random walk."""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from ..dynamics import Dynamics, Frames
from ..numbers import Number, Numbers, Table
from ..random import Random
from . import maps
from .grid import AHEAD, DOWN, LEFT, RIGHT, UP, Grid, Model, Transitions, slip, transitions
from .tiles import Board, draw, overlay

_KEYS = {UP: ("up", "w"), RIGHT: ("right", "d"), DOWN: ("down", "s"), LEFT: ("left", "a")}
_SIDEWAYS = (1, 3)  # quarter turns


class GridState(NamedTuple):
    """The state's number in the grid, in reading order of the cells that can be entered."""

    cell: Number


@lru_cache(maxsize=8)
def _tables(
    grid: Grid, weights: tuple[int, ...], moves: tuple[int, ...]
) -> tuple[Transitions, Table, Table, Table, Table]:
    """Return a grid's transitions and their tables, shared by all worlds made of the same."""
    found = transitions(grid, weights, moves)
    next_state, reward, terminated = map(Table, (found.next_state, found.reward, found.terminated))
    return found, next_state, reward, terminated, Table(grid.starts)


class GridWorld(Dynamics[GridState]):
    """A grid on which an agent moves; it observes the number of its cell.

    Args:
        grid: The map.
        weights: How often a move goes ahead, right, back and left of the intended one (`slip`).
        moves: The move of each action, some of up, right, down, left, in this order.
    """

    render_fps = 6

    def __init__(
        self,
        grid: Grid,
        weights: Sequence[int] = AHEAD,
        moves: Sequence[int] = (UP, RIGHT, DOWN, LEFT),
    ) -> None:
        self.grid = grid
        self.moves = tuple(moves)
        self.keys = {key: a for a, move in enumerate(self.moves) for key in _KEYS[move]}
        self.observation_space: spaces.Space[Any] = spaces.Discrete(len(grid.places))
        self.action_space = spaces.Discrete(len(self.moves))
        self.transitions, *tables = _tables(grid, tuple(weights), self.moves)
        self._next, self._reward, self._terminated, self._starts = tables
        self._start_count = len(self._starts.list)
        self._actions, self._lanes = self.transitions.next_state.shape[1:]

    def initial(self, xp: Numbers, random: Random) -> GridState:
        """Begin in one of the map's starts."""
        one = self._start_count == 1
        return GridState(xp.take(self._starts, 0 if one else random.below(self._start_count)))

    def step(
        self, xp: Numbers, state: GridState, action: Number, random: Random
    ) -> tuple[GridState, Number, Number]:
        """Look up one of the L equally likely outcomes of the action."""
        index = state.cell * self._actions + action
        if self._lanes > 1:
            index = index * self._lanes + random.below(self._lanes)
        next_cell = xp.take(self._next, index)
        return GridState(next_cell), xp.take(self._reward, index), xp.take(self._terminated, index)

    def observe(self, xp: Numbers, state: GridState) -> Any:
        """Return the state's number."""
        return state.cell

    @cached_property
    def P(self) -> Model:
        """The model: `P[s][a] = [(probability, next state, reward, terminated), ...]`."""
        return self.transitions.model()

    @cached_property
    def initial_state_distrib(self) -> npt.NDArray[np.float64]:
        """The probability that an episode begins in each state, `[S]`."""
        starts = self.grid.states_where("start")
        return starts / starts.sum()

    @cached_property
    def _board(self) -> Board:
        return draw(self.grid)

    def overlay(
        self, values: npt.ArrayLike | None = None, policy: npt.ArrayLike | None = None
    ) -> None:
        """Show what an agent thinks in all frames to come; without arguments, show it no more.

        Args:
            values: A value of each state `[S]`, shown as a colour.
            policy: An action of each state `[S]`, or probabilities `[S, A]`, shown as arrows.
        """
        self._board = overlay(draw(self.grid), values, policy, self.moves)

    def frames(self, state: GridState) -> Frames:
        """Return pictures `[N, H, W, 3]`."""
        return self._board.frames(state.cell)

    def text(self, state: GridState) -> list[str]:
        """Return the map with brackets around the agent's cell."""
        return self._board.text(state.cell)


class Lake(GridWorld):
    """Cross a frozen lake from S to G without falling into a hole H; F is ice.

    Entering G pays 1, every other step 0. G and H end the episode.

    Args:
        desc: The map's lines, or None for a built-in one.
        map_name: The built-in map, "4x4" or "8x8".
        is_slippery: Whether a move may go to the right or to the left of the intended one.
        success_rate: How often it goes ahead on slippery ice.
    """

    def __init__(
        self,
        desc: Sequence[str] | None = None,
        map_name: str = "4x4",
        is_slippery: bool = True,
        success_rate: float = 1 / 3,
    ) -> None:
        rows = maps.lake(map_name) if desc is None else tuple(desc)
        weights = slip(success_rate, _SIDEWAYS) if is_slippery else AHEAD
        super().__init__(Grid(rows, maps.LAKE_LEGEND), weights)


class Cliff(GridWorld):
    """Walk along a cliff from the lower left to the lower right corner (Sutton and Barto, 6.6).

    Every step pays -1; a step over the cliff pays -100 and leads back to the start.

    Args:
        is_slippery: Whether a move goes ahead, to its right or to its left equally often.
    """

    def __init__(self, is_slippery: bool = False) -> None:
        super().__init__(maps.CLIFF, slip(1 / 3, _SIDEWAYS) if is_slippery else AHEAD)


class FourRooms(GridWorld):
    """Find the eastern doorway of four rooms (Sutton, Precup and Singh, 1999).

    Entering it pays 1 and ends the episode; every other step pays 0. An episode begins in any
    other cell.

    Args:
        success_rate: How often a move goes as intended; else it goes in one of the three other
            directions.
    """

    def __init__(self, success_rate: float = 2 / 3) -> None:
        super().__init__(maps.FOUR_ROOMS, slip(success_rate, (1, 2, 3)))


class Walk(GridWorld):
    """Walk right (0) or left (1) from the middle of n states in a row (Sutton and Barto, 6.2).

    Leaving them at the right end pays 1, at the left end 0; both end the episode.

    Args:
        n: States between the two ends.
    """

    def __init__(self, n: int = 5) -> None:
        super().__init__(maps.line(n), moves=(RIGHT, LEFT))
