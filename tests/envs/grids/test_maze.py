"""Mazes: spanning trees, solvable from what is observed."""

from collections import deque

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401  registers the worlds
from envs.grids.maps import mazes

MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))
Place = tuple[int, int]


def way(walls: np.ndarray, start: Place, goal: Place) -> list[int]:
    """Return the shortest sequence of actions by breadth-first search."""
    came: dict[Place, tuple[Place, int] | None] = {start: None}
    queue = deque([start])
    while queue:
        row, column = here = queue.popleft()
        for action, (down, right) in enumerate(MOVES):
            there = row + down, column + right
            if not walls[there] and there not in came:
                came[there] = here, action
                queue.append(there)
    actions: list[int] = []
    step = came[goal]
    while step is not None:
        actions.append(step[1])
        step = came[step[0]]
    return actions[::-1]


def reachable(walls: np.ndarray, start: Place) -> set[Place]:
    seen, stack = {start}, [start]
    while stack:
        row, column = stack.pop()
        for down, right in MOVES:
            there = row + down, column + right
            if not walls[there] and there not in seen:
                seen.add(there)
                stack.append(there)
    return seen


def walls_of(level: tuple[str, ...]) -> np.ndarray:
    return np.array([[mark == "#" for mark in row] for row in level])


@pytest.mark.parametrize("size", [2, 3, 6, 11])
def test_every_maze_is_a_spanning_tree_of_its_rooms(size: int) -> None:
    grid = mazes(size, 0, 20)
    side = 2 * size + 1
    for level in range(20):
        rows = grid.rows[level * side : (level + 1) * side]
        walls = walls_of(rows)
        assert walls[[0, -1]].all()
        assert walls[:, [0, -1]].all()
        assert not walls[1::2, 1::2].any()
        assert walls[::2, ::2].all()
        # connected with one door fewer than rooms: a tree, so no way is blocked and none is double
        assert (~walls).sum() == 2 * size**2 - 1
        assert len(reachable(walls, (1, 1))) == 2 * size**2 - 1
        assert (rows[1][1], rows[-2][-2]) == ("S", "G")


def test_a_level_is_the_same_maze_in_every_bank() -> None:
    assert mazes(5, 7, 3).rows == mazes(5, 0, 20).rows[7 * 11 : 10 * 11]


def test_all_256_levels_differ_and_all_trees_of_four_rooms_occur() -> None:
    grid = mazes(6, 0, 256)
    assert len({grid.rows[level * 13 : (level + 1) * 13] for level in range(256)}) == 256
    small = mazes(2, 0, 64)
    assert len({small.rows[level * 5 : (level + 1) * 5] for level in range(64)}) == 2


def test_depth_first_mazes_of_two_by_two_rooms_are_equally_often_either() -> None:
    rows = mazes(2, 0, 4000).rows
    down_first = sum(rows[5 * level + 1][2] == "#" for level in range(4000))
    assert down_first == pytest.approx(2000, abs=3 * 4000**0.5 / 2)


def test_the_board_shows_what_the_text_shows() -> None:
    env = gym.make("dreamgym/Maze-v0", render_mode="ansi")
    for episode in range(3):
        board, _ = env.reset(seed=5 if episode == 0 else None)
        env.step(2)
        board = env.step(1)[0]
        rows = env.render().splitlines()
        cells = np.array([[row[i : i + 3] for i in range(0, len(row), 3)] for row in rows])
        assert (board[0] == np.char.startswith(cells, "[")).all()
        assert (board[1] == (cells == " G ")).all()
        assert (board[2] == (cells == "###")).all()


def test_every_episode_draws_a_maze_and_a_seed_repeats_them() -> None:
    env = gym.make("dreamgym/Maze-v0")

    def levels(seed: int) -> list[bytes]:
        return [env.reset(seed=None if k else seed)[0][2].tobytes() for k in range(12)]

    assert len(set(levels(3))) >= 11
    assert levels(3) == levels(3)
    assert levels(3) != levels(4)


def test_one_level_is_one_maze() -> None:
    env = gym.make("dreamgym/Maze-v0", num_levels=1, start_level=9)
    seen = {env.reset(seed=seed)[0].tobytes() for seed in range(5)}
    assert len(seen) == 1
    assert (env.reset()[0][2] == walls_of(mazes(6, 9, 1).rows)).all()


@pytest.mark.parametrize("size", [3, 6])
def test_what_is_observed_is_enough_to_find_the_way(size: int) -> None:
    env = gym.make("dreamgym/Maze-v0", size=size)
    for seed in range(10):
        board, _ = env.reset(seed=seed)
        agent, goal = (tuple(int(k) for k in np.argwhere(plane)[0]) for plane in board[:2])
        actions = way(board[2] == 1, agent, goal)
        rewards, overs = zip(*[env.step(action)[1:3] for action in actions], strict=True)
        assert rewards == (-1.0,) * len(actions)
        assert overs == (False,) * (len(actions) - 1) + (True,)


def test_the_model_of_a_tabular_maze_is_worth_the_shortest_way() -> None:
    env = gym.make("dreamgym/TabularMaze-v0", num_levels=3).unwrapped
    assert env.observation_space.n == len(env.P) == 3 * 71
    values = np.zeros(len(env.P))
    for _ in range(100):
        values = np.array(
            [
                max(
                    sum(p * (r + (not over) * values[s]) for p, s, r, over in outcomes)
                    for outcomes in actions.values()
                )
                for actions in env.P.values()
            ]
        )
    starts = np.flatnonzero(env.initial_state_distrib)
    assert env.initial_state_distrib[starts] == pytest.approx(1 / 3)
    rows = mazes(6, 0, 3).rows
    ways = [way(walls_of(rows[13 * k : 13 * k + 13]), (1, 1), (11, 11)) for k in range(3)]
    assert values[starts].tolist() == [-len(actions) for actions in ways]


def test_a_maze_that_shows_boards_has_no_model_over_observations() -> None:
    env = gym.make("dreamgym/Maze-v0").unwrapped
    assert not hasattr(env, "P")
    assert not hasattr(env, "initial_state_distrib")


@pytest.mark.parametrize(
    "options", [{"size": 1}, {"num_levels": 0}, {"start_level": -1}, {"obs": "pixels"}]
)
def test_wrong_options_are_named(options: dict) -> None:
    with pytest.raises(ValueError, match=str(next(iter(options.values())))):
        gym.make("dreamgym/Maze-v0", **options)
