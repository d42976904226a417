"""A grid world is data: a text map and a legend become flat transition tables.

Actions are moves in one order everywhere: up, right, down, left. A move against a wall or the
border re-enters the cell it came from. Entering a cell pays its reward.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import gcd

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
Model = dict[int, dict[int, list[tuple[float, int, float, bool]]]]

UP, RIGHT, DOWN, LEFT = range(4)
MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])  # (row, column) of each action


@dataclass(frozen=True)
class Cell:
    """What a character of a map means.

    Args:
        tile: What its picture is made of, from below: names of `envs.pictures.sprites.LAYERS`.
        reward: Reward of entering it.
        wall: Nobody can enter it.
        start: An episode may begin here; it begins in each such cell equally often.
        terminal: Entering it ends the episode.
        returns: Whoever enters it is put back to the map's one start.
    """

    tile: str
    reward: float = 0.0
    wall: bool = False
    start: bool = False
    terminal: bool = False
    returns: bool = False


@dataclass(frozen=True)
class Grid:
    """A text map and what its characters mean.

    States are the cells that can be entered, numbered in reading order.

    Args:
        rows: The map's lines, all of one length.
        legend: The cell that each character stands for.
        levels: Maps of equal size stacked in `rows`, from top to bottom; no move leads from one
            to another.

    Raises:
        ValueError: The map is empty or ragged, has a character that the legend lacks, no start,
            or a cell that returns to the start and not one start; or it has no equal levels.
    """

    rows: tuple[str, ...]
    legend: Mapping[str, Cell] = field(hash=False)
    levels: int = 1

    def __post_init__(self) -> None:
        if not self.rows or not self.rows[0]:
            raise ValueError("the map is empty")
        for number, row in enumerate(self.rows):
            if len(row) != len(self.rows[0]):
                raise ValueError(
                    f"row {number} of the map, {row!r}, has {len(row)} characters,"
                    f" row 0 has {len(self.rows[0])}"
                )
        if unknown := set("".join(self.rows)) - set(self.legend):
            raise ValueError(f"the map has {sorted(unknown)}, the legend only {[*self.legend]}")
        if len(self.rows) % self.levels:
            raise ValueError(f"{len(self.rows)} rows are no {self.levels} equal levels")
        if not len(self.starts):
            raise ValueError(f"the map has no start ({self._marks('start')})")
        if self.states_where("returns").any() and len(self.starts) > 1:
            raise ValueError(f"{self._marks('returns')} returns to one start, the map has more")

    def _marks(self, flag: str) -> str:
        return " or ".join(repr(mark) for mark, cell in self.legend.items() if getattr(cell, flag))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a level."""
        return len(self.rows) // self.levels, len(self.rows[0])

    @cached_property
    def marks(self) -> Indices:
        """For each place (row · columns + column), the number of its character in the legend."""
        characters = np.array(["".join(self.rows)]).view("U1")
        return np.argmax(characters[:, None] == np.array([*self.legend]), axis=1)

    def _places_where(self, flag: str) -> npt.NDArray[np.bool_]:
        return np.array([getattr(cell, flag) for cell in self.legend.values()])[self.marks]

    @cached_property
    def places(self) -> Indices:
        """The place of each state, `[S]`."""
        return np.flatnonzero(~self._places_where("wall"))

    def states_where(self, flag: str) -> npt.NDArray[np.bool_]:
        """Return for each state whether its cell has a flag, such as "terminal", `[S]`."""
        return self._places_where(flag)[self.places]

    @cached_property
    def starts(self) -> Indices:
        """The states in which an episode may begin."""
        return np.flatnonzero(self.states_where("start"))

    @cached_property
    def rewards(self) -> npt.NDArray[np.float64]:
        """The reward of entering each state, `[S]`."""
        return np.array([cell.reward for cell in self.legend.values()])[self.marks[self.places]]

    @cached_property
    def neighbours(self) -> Indices:
        """The state in which each move from each state ends, `[S, 4]`."""
        rows, columns = self.shape
        level, place = np.divmod(self.places, rows * columns)
        row = np.clip((place // columns)[:, None] + MOVES[:, 0], 0, rows - 1)
        column = np.clip((place % columns)[:, None] + MOVES[:, 1], 0, columns - 1)
        entered = (level[:, None] * rows + row) * columns + column  # [S, 4], places
        state_at = np.full(len(self.marks), -1)
        state_at[self.places] = np.arange(len(self.places))
        here = np.arange(len(self.places))[:, None]
        return np.where(state_at[entered] < 0, here, state_at[entered])


def slip(success_rate: float, turns: Sequence[int]) -> tuple[int, int, int, int]:
    """Return whole-number weights of going ahead, right, back and left of the intended move.

    Args:
        success_rate: Probability of going ahead, a fraction m/n with n ≤ 1000.
        turns: Quarter turns (1 right, 2 back, 3 left) that share the rest equally.

    Raises:
        ValueError: The rate is outside [0, 1] or no such fraction.
    """
    rate = Fraction(success_rate).limit_denominator(1000)
    if not 0 <= rate <= 1 or abs(rate - success_rate) > 1e-9:
        raise ValueError(
            f"success_rate must be a fraction in [0, 1] with a denominator up to 1000, such as"
            f" 1/3 or 0.85: got {success_rate}"
        )
    ahead, rest = rate.numerator * len(turns), rate.denominator - rate.numerator
    common = gcd(ahead, rest)
    weights = [ahead // common, *(rest // common if turn in turns else 0 for turn in (1, 2, 3))]
    return weights[0], weights[1], weights[2], weights[3]


AHEAD = (1, 0, 0, 0)


@dataclass(frozen=True)
class Transitions:
    """The tables of a grid world: L equally likely outcomes of each action in each state.

    Args:
        next_state: `[S, A, L]`.
        reward: `[S, A, L]`.
        terminated: `[S, A, L]`.
    """

    next_state: Indices
    reward: npt.NDArray[np.float64]
    terminated: npt.NDArray[np.bool_]

    def model(self) -> Model:
        """Return P in Gymnasium's form, equal outcomes joined.

        `P[s][a] = [(probability, next state, reward, terminated), ...]`.
        """
        states, actions, lanes = self.next_state.shape
        tables = (self.next_state, self.reward, self.terminated)
        outcomes = zip(*(table.reshape(-1, lanes).tolist() for table in tables), strict=True)
        counts = [Counter(zip(*rows, strict=True)).items() for rows in outcomes]
        lists = [[(count / lanes, *outcome) for outcome, count in items] for items in counts]
        return {s: dict(enumerate(lists[s * actions : (s + 1) * actions])) for s in range(states)}


def transitions(
    grid: Grid, weights: Sequence[int] = AHEAD, moves: Sequence[int] = (UP, RIGHT, DOWN, LEFT)
) -> Transitions:
    """Return the tables of a grid.

    Args:
        grid: The map. Its terminal states absorb with reward 0.
        weights: How often a move goes ahead, right, back and left of the intended one (`slip`).
        moves: The move of each action.
    """
    turn = np.repeat(np.arange(4), weights)  # [L]
    entered = grid.neighbours[:, (np.asarray(moves)[:, None] + turn) % 4]  # [S, A, L]
    over = grid.states_where("terminal")
    stay = np.broadcast_to(over[:, None, None], entered.shape)
    next_state = np.where(stay, np.arange(len(over))[:, None, None], entered)
    back = grid.states_where("returns")[next_state] & ~stay
    return Transitions(
        next_state=np.where(back, grid.starts[0], next_state),
        reward=np.where(stay, 0.0, grid.rewards[entered]),
        terminated=over[next_state],
    )
