"""Snake (curriculum E-05): the rules told once more, a player that always wins, fair food,
pictures.
"""

from collections import deque
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401
from envs.numbers import scalar
from envs.worlds.snake import Snake, SnakeState

UP, RIGHT, DOWN, LEFT = range(4)
MOVES = {UP: (-1, 0), RIGHT: (0, 1), DOWN: (1, 0), LEFT: (0, -1)}
Cell = tuple[int, int]


class Game:
    """The rules of docs/envs/snake.md with a queue of cells, tail first."""

    def __init__(self, size: int) -> None:
        self.size, self.way = size, RIGHT
        self.body = deque((size // 2, size // 2 + k) for k in (-2, -1, 0))

    def step(self, action: int, food: Cell) -> tuple[float, bool]:
        if abs(action - self.way) != 2:
            self.way = action
        row, column = self.body[-1]
        head = row + MOVES[self.way][0], column + MOVES[self.way][1]
        eats = head == food
        others = list(self.body) if eats else list(self.body)[1:]
        if head in others or not (0 <= head[0] < self.size and 0 <= head[1] < self.size):
            return 0.0, True
        self.body.append(head)
        if not eats:
            self.body.popleft()
        return float(eats), len(self.body) == self.size**2

    def board(self, food: Cell) -> np.ndarray:
        board = np.zeros((3, self.size, self.size), np.float32)
        board[0][self.body[-1]] = 1.0
        for age, cell in enumerate(self.body, start=1):
            board[1][cell] = age / len(self.body)
        board[2][food] = 1.0
        return board


def food_of(board: np.ndarray) -> Cell:
    row, column = np.argwhere(board[2])[0]
    return int(row), int(column)


def tour(size: int) -> np.ndarray:
    """Return the way from each cell along a closed tour of an even board, `[size²]`.

    Down the left column and back up in rows that wind through the others.
    """
    ways = np.empty((size, size), int)
    ways[0::2, 1:], ways[1::2, 1:] = LEFT, RIGHT
    ways[1::2, -1] = ways[2::2, 1] = UP
    ways[0, 1], ways[:, 0], ways[-1, 0] = LEFT, DOWN, RIGHT
    return ways.ravel()


def towards(food: Cell, head: Cell) -> list[int]:
    """Return the one or two ways that lead nearer to the food."""
    ahead = {UP: food[0] < head[0], DOWN: food[0] > head[0]}
    ahead |= {LEFT: food[1] < head[1], RIGHT: food[1] > head[1]}
    return [way for way, nearer in ahead.items() if nearer]


@pytest.mark.parametrize(
    ("size", "player", "random", "longest"),
    [
        (4, "food", 1.0, 4),
        (5, "food", 0.3, 7),
        (10, "food", 0.1, 9),
        (6, "tour", 0.01, 30),
        (6, "tour", 0.0, 36),
        (10, "tour", 0.002, 40),
    ],
)
def test_E_05_games_go_by_the_rules(size: int, player: str, random: float, longest: int):
    env = gym.make("dreamgym/Snake-v0", size=size, obs="board")
    rng = np.random.default_rng(size)
    lengths = []
    for seed in range(60 if player == "food" else 4):
        board, _ = env.reset(seed=seed)
        game, over = Game(size), False
        while not over:
            food, head = food_of(board), game.body[-1]
            assert np.array_equal(board, game.board(food))
            action = int(rng.integers(4))
            if rng.random() >= random:
                step = tour(size)[head[0] * size + head[1]]
                action = int(step if player == "tour" else rng.choice(towards(food, head)))
            board, reward, over, truncated, _ = env.step(action)
            assert (reward, over) == game.step(action, food)
            assert not truncated
            if not reward:
                assert food_of(board) == food  # it stays until it is eaten
            elif not over:
                assert food_of(board) not in game.body
        assert np.array_equal(board, game.board(food_of(board)))
        if len(game.body) == size**2:
            assert food_of(board) == game.body[-1]  # there is no other place for it
        lengths.append(len(game.body))
    assert max(lengths) >= longest


@pytest.mark.parametrize("size", [6, 10])
def test_E_05_who_follows_a_tour_of_the_board_fills_it(size: int):
    n, ways = 16, tour(size)
    vector = gym.make_vec("dreamgym/Snake-v0", n, size=size, obs="board", autoreset_mode="SameStep")
    board, _ = vector.reset(seed=0)
    returns, won = np.zeros(n), np.zeros(n, bool)
    for _ in range(5000):
        heads = board[:, 0].reshape(n, -1).argmax(axis=1)
        board, reward, terminated, truncated, info = vector.step(ways[heads])
        assert not truncated.any()
        returns += reward * ~won
        for row in np.flatnonzero(terminated & ~won):
            assert info["final_obs"][row][1].min() > 0  # the body is everywhere
        won |= terminated
        if won.all():
            break
    assert returns.tolist() == [size * size - 3] * n


class Fixed:
    """Draws what it is told to, and keeps what it was asked for."""

    def __init__(self, value: int) -> None:
        self.value, self.asked = value, 0

    def below(self, n: int) -> int:
        self.asked = n
        return self.value


def place(size: int, cells: list[Cell], way: int, food: Cell) -> SnakeState:
    """Return the state of a snake, tail first."""
    stamps = np.zeros(size * size, np.int32)
    for stamp, (row, column) in enumerate(cells, start=1):
        stamps[row * size + column] = stamp
    head, length = cells[-1][0] * size + cells[-1][1], len(cells)
    return SnakeState(head, way, length, length, food[0] * size + food[1], stamps)


def test_food_falls_on_each_free_cell_for_one_draw():
    world: Any = Snake(4, obs="board")
    starts = {int(world.initial(scalar, Fixed(k)).food) for k in range(13)}
    assert starts == set(range(16)) - {8, 9, 10}
    before = place(4, [(0, 0), (0, 1), (1, 1), (1, 2)], RIGHT, (1, 3))
    foods = []
    for k in range(11):
        random = Fixed(k)
        after, reward, over = world.step(scalar, before, RIGHT, random)
        assert (reward, over, random.asked) == (1.0, False, 16 - 5)
        foods.append(after.food)
    assert sorted(foods) == sorted(set(range(16)) - {0, 1, 5, 6, 7})


def test_food_is_drawn_uniformly():
    n = 97 * 300
    vector = gym.make_vec("dreamgym/Snake-v0", n, obs="board")
    board, _ = vector.reset(seed=0)
    counts = board[:, 2].reshape(n, -1).sum(axis=0)
    free = np.delete(counts, [53, 54, 55])
    assert counts.sum() == free.sum() == n
    chi_squared = ((free - 300) ** 2 / 300).sum()
    assert abs(chi_squared - 96) / np.sqrt(2 * 96) < 4


@pytest.mark.parametrize(
    ("cells", "way", "action", "over"),
    [
        ([(1, 1), (1, 2), (2, 2), (2, 1)], LEFT, UP, False),  # the tail makes room
        ([(1, 0), (1, 1), (1, 2), (2, 2), (2, 1)], LEFT, UP, True),  # nothing else does
        ([(1, 1), (1, 2), (1, 3)], RIGHT, RIGHT, True),  # the border
        ([(1, 1), (1, 2), (1, 3)], RIGHT, LEFT, True),  # no turn on the spot: the border too
        ([(1, 0), (1, 1), (1, 2)], RIGHT, LEFT, False),
        ([(2, 0), (1, 0), (0, 0)], UP, LEFT, True),
        ([(2, 0), (1, 0), (0, 0)], UP, RIGHT, False),
    ],
)
def test_what_ends_a_game(cells: list[Cell], way: int, action: int, over: bool):
    world: Any = Snake(4)
    before = place(4, cells, way, (3, 3))
    kept = before.stamps.copy()
    after, reward, ends = world.step(scalar, before, action, Fixed(0))
    assert (reward, ends) == (0.0, over)
    assert np.array_equal(before.stamps, kept)
    still = np.array_equal(world.observe(scalar, before), world.observe(scalar, after))
    assert still == over  # who crashes stays as it was


def test_pixels_tell_all_that_the_board_tells():
    pixels, board = gym.make("dreamgym/Snake-v0"), gym.make("dreamgym/Snake-v0", obs="board")
    ways, rng = tour(10), np.random.default_rng(0)
    seen, known = pixels.reset(seed=2)[0], board.reset(seed=2)[0]
    over, steps = False, 0
    while not over:
        length = round(1 / known[1][known[1] > 0].min())
        age = np.rint(known[1] * length).astype(int)
        greys = np.where(age > 0, 60 + 120 * age // length, 0)
        greys[known[2] > 0], greys[known[0] > 0] = 220, 255
        expected = np.pad(np.kron(greys, np.ones((4, 4), int)), 1, constant_values=64)
        assert seen.shape == (42, 42, 1)
        assert seen.dtype == np.uint8
        assert np.array_equal(seen[..., 0], expected)
        body = greys[(age > 0) & (age < length)]
        assert len(set(body.tolist())) == length - 1  # so that the order can be seen
        action = int(ways[known[0].argmax()] if steps < 1500 else rng.integers(4))
        seen = pixels.step(action)[0]
        known, _, over, _, _ = board.step(action)
        steps += 1
    assert length > 30


def test_pictures_show_the_snake_and_its_food():
    world = Snake(4)
    state = place(4, [(0, 0), (0, 1), (1, 1), (1, 2)], RIGHT, (3, 0))
    state = SnakeState(*(np.array([number]) for number in state))
    assert world.text(state)[0].split("\n") == ["oo..", ".o@.", "....", "*..."]
    frame = world.frames(state)[0].astype(int)
    assert frame.shape == (160, 160, 3)
    cells = frame[16:-16, 16:-16].reshape(4, 32, 4, 32, 3).swapaxes(1, 2)
    blue = cells[..., 2] - cells[..., 0] > 60
    rows, columns = np.nonzero(blue.any(axis=(2, 3)))
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {
        (0, 0),
        (0, 1),
        (1, 1),
        (1, 2),
    }
    sides = {UP: (0, 16), RIGHT: (16, 31), DOWN: (31, 16), LEFT: (16, 0)}
    for cell, open_to in (
        ((0, 0), {RIGHT}),
        ((0, 1), {LEFT, DOWN}),
        ((1, 1), {UP, RIGHT}),
        ((1, 2), {LEFT}),
    ):
        assert {way for way, at in sides.items() if blue[cell][at]} == open_to
    white = (cells[1, 2] > 240).all(axis=-1)
    assert np.nonzero(white)[1].mean() > 17  # the eyes are in front
    red = cells[..., 0] - cells[..., 1] > 100
    assert red[3, 0].sum() > 100
    assert red.sum() - red[3, 0].sum() < 20  # the tongue


@pytest.mark.parametrize(
    ("options", "message"),
    [({"obs": "rgb"}, "got 'rgb'"), ({"size": 3}, "got 3"), ({"size": 33}, "got 33")],
)
def test_wrong_options_are_refused(options: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        gym.make("dreamgym/Snake-v0", **options)
