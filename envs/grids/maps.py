"""The built-in maps and their legends, and a generator of mazes."""

import numpy as np
import numpy.typing as npt

from ..near import nearest
from ..random import GOLDEN, mix_array
from .grid import Cell, Grid

LAKE_LEGEND = {
    "S": Cell("ice mat", start=True),
    "F": Cell("ice"),
    "H": Cell("ice hole", terminal=True),
    "G": Cell("ice flag", reward=1.0, terminal=True),
}
LAKES = {
    "4x4": ("SFFF", "FHFH", "FFFH", "HFFG"),
    "8x8": (
        "SFFFFFFF",
        "FFFFFFFF",
        "FFFHFFFF",
        "FFFFFHFF",
        "FFFHFFFF",
        "FHHFFFHF",
        "FHFFHFHF",
        "FFFHFFFG",
    ),
}

CLIFF_LEGEND = {
    ".": Cell("grass", reward=-1.0),
    "S": Cell("grass mat", reward=-1.0, start=True),
    "C": Cell("cliff", reward=-100.0, returns=True),
    "G": Cell("grass flag", reward=-1.0, terminal=True),
}
CLIFF = Grid(("............", "............", "............", "SCCCCCCCCCCG"), CLIFF_LEGEND)

ROOMS_LEGEND = {
    "#": Cell("wall", wall=True),
    " ": Cell("floor", start=True),
    "G": Cell("floor flag", reward=1.0, terminal=True),
}
FOUR_ROOMS = Grid(
    (
        "#############",
        "#     #     #",
        "#     #     #",
        "#           #",
        "#     #     #",
        "#     #     #",
        "## ####     #",
        "#     ###G###",
        "#     #     #",
        "#     #     #",
        "#           #",
        "#     #     #",
        "#############",
    ),
    ROOMS_LEGEND,
)

WALK_LEGEND = {
    "L": Cell("floor stop", terminal=True),
    ".": Cell("floor"),
    "S": Cell("floor mat", start=True),
    "R": Cell("floor flag", reward=1.0, terminal=True),
}

MAZE_LEGEND = {
    "#": Cell("wall", wall=True),
    " ": Cell("floor", reward=-1.0),
    "S": Cell("floor mat", reward=-1.0, start=True),
    "G": Cell("floor flag", reward=-1.0, terminal=True),
}


def lake(map_name: str) -> tuple[str, ...]:
    """Return a built-in lake's lines.

    Raises:
        ValueError: There is none of this name.
    """
    if map_name not in LAKES:
        raise ValueError(f"there is no lake {map_name!r}: {nearest(map_name, LAKES)}")
    return LAKES[map_name]


def line(n: int) -> Grid:
    """Return n cells in a row between two ends; the episode begins in the middle.

    Raises:
        ValueError: n < 1.
    """
    if n < 1:
        raise ValueError(f"a walk has at least one state between its ends, got n={n}")
    left = (n - 1) // 2
    return Grid(("L" + "." * left + "S" + "." * (n - 1 - left) + "R",), WALK_LEGEND)


def mazes(size: int, first: int, count: int) -> Grid:
    """Return mazes number `first` to `first + count - 1` of a size, a level each.

    A maze is a spanning tree of its size² rooms, so one path leads from each room to any other. It
    is carved by a random walk that steps back whenever all rooms around it have been visited
    (depth-first search), all mazes side by side; maze k is the same whichever others are made.

    Args:
        size: Rooms along each side; the map has 2·size + 1 rows and columns.
        first: Number of the first maze, from 0.
        count: How many.

    Raises:
        ValueError: size < 2, first < 0 or count < 1.
    """
    if size < 2 or first < 0 or count < 1:
        raise ValueError(
            f"a maze needs size ≥ 2, first ≥ 0 and count ≥ 1: got {size}, {first}, {count}"
        )
    side = 2 * size + 1
    came_from = _spanning_trees(size, first, count)  # [K, size²]
    rooms = np.stack(np.divmod(np.arange(size**2), size))  # [2, size²], row and column
    doors = rooms[:, None] + np.stack(np.divmod(came_from, size)) + 1  # [2, K, size²]
    marks = np.full((count, side, side), "#")
    marks[:, 1::2, 1::2] = " "
    marks[np.arange(count)[:, None], doors[0], doors[1]] = " "
    marks[:, 1, 1], marks[:, -2, -2] = "S", "G"
    rows = marks.reshape(-1, side).view(f"U{side}").ravel().tolist()
    return Grid(tuple(rows), MAZE_LEGEND, levels=count)


def _spanning_trees(size: int, first: int, count: int) -> npt.NDArray[np.int64]:
    """Return where each room was first entered from, `[K, size²]`; the first room's is itself."""
    width = size + 2  # rooms with a border around them
    offsets = np.array([-width, 1, width, -1])
    border = np.ones((width, width), bool)
    border[1:-1, 1:-1] = False
    visited = np.tile(border.ravel(), (count, 1))
    maze = np.arange(count)
    counter = mix_array(np.arange(first, first + count, dtype=np.uint64) + np.uint64(GOLDEN))
    here = np.full(count, width + 1)
    visited[:, width + 1] = True
    came_from = np.full((count, width * width), width + 1)
    shifts = np.arange(0, 64, 16, dtype=np.uint64)
    for _ in range(2 * (size**2 - 1)):  # every door is passed at most twice
        counter += np.uint64(GOLDEN)
        free = ~visited[maze[:, None], here[:, None] + offsets]  # [K, 4]
        draws = (mix_array(counter)[:, None] >> shifts) & np.uint64(0xFFFF)
        ahead = here + offsets[np.argmax((draws + np.uint64(1)) * free, axis=1)]
        back = came_from[maze, here]
        onward = free.any(axis=1)
        came_from[maze[onward], ahead[onward]] = here[onward]
        here = np.where(onward, ahead, back)
        visited[maze, here] = True
    row, column = np.divmod(came_from.reshape(count, width, width)[:, 1:-1, 1:-1], width)
    return ((row - 1) * size + column - 1).reshape(count, -1)
