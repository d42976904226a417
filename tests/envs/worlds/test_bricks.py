"""Bricks (curriculum E-05): the rules told once more, observations, scores, pictures."""

from collections import Counter
from collections.abc import Callable

import gymnasium as gym
import numpy as np
import pytest

import envs  # noqa: F401
from envs.numbers import batch, scalar
from envs.random import ScalarRandom
from envs.worlds.bricks import WALL, Bricks, BricksState


class Game:
    """The rules of docs/envs/bricks.md with a set of bricks, for one ball at a time."""

    def __init__(self, column: int, right: int) -> None:
        self.ball, self.way, self.paddle = (4, column), [1, right], 4
        self.bricks = self.whole()
        self.refills = 0

    @staticmethod
    def whole() -> set[tuple[int, int]]:
        return {(row, column) for row in (1, 2, 3) for column in range(10)}

    def step(self, action: int) -> tuple[float, bool]:
        if action == 0 and self.paddle > 0:
            self.paddle -= 1
        if action == 2 and self.paddle < 8:
            self.paddle += 1
        row, column = self.ball
        if column + self.way[1] in (-1, 10):
            self.way[1] *= -1
        else:
            column += self.way[1]
        if row + self.way[0] == -1:
            self.way[0] = 1
        else:
            row += self.way[0]
        if (row, column) in self.bricks:
            self.bricks.remove((row, column))
            self.way[0] *= -1
            return 1.0, False
        if row == 9 and column in (self.paddle, self.paddle + 1):
            self.way = [-1, -1 if column == self.paddle else 1]
            if not self.bricks:
                self.bricks = self.whole()
                self.refills += 1
            return 0.0, False
        self.ball = row, column
        return 0.0, row == 9

    def board(self) -> np.ndarray:
        board = np.zeros((4, 10, 10), np.float32)
        board[0, 9, self.paddle : self.paddle + 2] = 1.0
        board[1][self.ball] = 1.0
        behind = [min(max(at - by, 0), 9) for at, by in zip(self.ball, self.way, strict=True)]
        board[2, behind[0], behind[1]] = 1.0
        for brick in self.bricks:
            board[3][brick] = 1.0
        return board


def landing(board: np.ndarray) -> int:
    """Return the column where a falling ball will land, or the ball's own column."""
    row, column = np.argwhere(board[1])[0]
    behind = np.argwhere(board[2])[0]
    if behind[0] > row or row == 9:
        return int(column)
    right = 1 if behind[1] < column or column == behind[1] == 0 else -1
    column += right * (9 - row)
    return int(-1 - column if column < 0 else 19 - column if column > 9 else column)


def keeper(half: Callable[[], int]) -> Callable[[np.ndarray], int]:
    """Return a policy that goes where the ball will land, with a half of the paddle."""

    def act(board: np.ndarray) -> int:
        paddle = int(board[0, 9].argmax())
        return int(np.sign(landing(board) - half() - paddle)) + 1

    return act


def players() -> dict[str, Callable[[np.ndarray], int]]:
    rng = np.random.default_rng(0)
    return {
        "random": lambda board: int(rng.integers(3)),
        "left half": keeper(lambda: 0),
        "either half": keeper(lambda: int(rng.integers(2))),
    }


@pytest.mark.parametrize("player", players())
def test_E_05_games_go_by_the_rules(player):
    act = players()[player]
    env = gym.make("dreamgym/Bricks-v0", obs="board")
    refills, starts, lengths = 0, set(), []
    for seed in range(300 if player == "random" else 4):
        observation, _ = env.reset(seed=seed)
        column = int(observation[1, 4].argmax())
        right = -1 if observation[2, 3, min(column + 1, 9)] else 1
        right = 1 if column == 0 and observation[2, 3, 0] else right
        right = -1 if column == 9 and observation[2, 3, 9] else right
        starts.add((column, right))
        game, over, length = Game(column, right), False, 0
        while not over:
            assert np.array_equal(observation, game.board())
            action = act(observation)
            observation, reward, terminated, truncated, _ = env.step(action)
            assert (reward, terminated) == game.step(action)
            over, length = terminated or truncated, length + 1
        assert np.array_equal(observation, game.board())
        assert truncated == (length == 1000)
        refills += game.refills
        lengths.append(length)
    if player == "random":
        assert len(starts) == 20
        assert max(lengths) < 1000
    else:
        assert refills > 0
        assert set(lengths) == {1000}  # who looks never misses


def exact_random_return(left_out: float) -> float:
    """Return what a random policy gets until the chance of a game going on is that small."""
    world, random = Bricks("board"), ScalarRandom()
    states = Counter(
        {BricksState(4, k % 10, 1, 2 * (k // 10) - 1, 4, WALL): 0.05 for k in range(20)}
    )
    expected = 0.0
    while states.total() > left_out:
        following: Counter[BricksState] = Counter()
        for state, chance in states.items():
            for action in range(3):
                after, reward, over = world.step(scalar, state, action, random)
                expected += chance / 3 * reward
                if not over:
                    following[after] += chance / 3
        states = following
    return expected


def test_E_05_who_does_not_look_breaks_a_quarter_of_a_brick():
    expected = exact_random_return(left_out=1e-3)
    assert 0.24 < expected < 0.26
    n = 20_000
    vector = gym.make_vec("dreamgym/Bricks-v0", n, obs="board", autoreset_mode="SameStep")
    vector.reset(seed=0)
    rng = np.random.default_rng(0)
    returns, playing = np.zeros(n), np.ones(n, bool)
    while playing.mean() > 1e-3:
        _, reward, over, *_ = vector.step(rng.integers(0, 3, n))
        returns += reward * playing
        playing &= ~over
    assert abs(returns.mean() - expected) < 4 * returns.std() / np.sqrt(n)


def test_a_ball_is_never_in_a_brick_and_pixels_tell_all():
    vector = gym.make_vec("dreamgym/Bricks-v0", 64, autoreset_mode="SameStep")
    pixels, _ = vector.reset(seed=1)
    assert pixels.shape == (64, 42, 42, 1)
    rng = np.random.default_rng(1)
    seen: dict[bytes, tuple[int, ...]] = {}
    for _ in range(400):
        state = BricksState(**vector.state_dict()["state"])
        board = Bricks("board").observe(batch, state)
        assert not (board[:, 1] * board[:, 3]).any()
        for picture, *numbers in zip(pixels, *state, strict=True):
            key = tuple(map(int, numbers))
            assert seen.setdefault(picture.tobytes(), key) == key
        falls = np.where(state.down > 0, 9 - state.row, 0) * state.right + state.column
        falls = np.where(falls < 0, -1 - falls, np.where(falls > 9, 19 - falls, falls))
        actions = np.sign(falls - rng.integers(0, 2, 64) - state.paddle) + 1
        pixels, *_ = vector.step(actions)
    assert len(seen) > 15_000


def test_pixels_are_the_board_enlarged():
    pixels, board = gym.make("dreamgym/Bricks-v0"), gym.make("dreamgym/Bricks-v0", obs="board")
    for seed in range(10):
        seen, known = pixels.reset(seed=seed)[0], board.reset(seed=seed)[0]
        over = False
        while not over:
            greys = np.tensordot([160, 215, 40, 96], known, 1).astype(np.uint8)
            expected = np.pad(np.kron(greys, np.ones((4, 4), np.uint8)), 1, constant_values=64)
            assert seen.dtype == np.uint8
            assert np.array_equal(seen[..., 0], expected)
            seen = pixels.step(2)[0]
            known, _, over, _, _ = board.step(2)


def test_pictures_show_ball_paddle_and_bricks():
    bricks = WALL & ~(1 << 12) & ~(1 << 29)
    state = BricksState(*(np.array([k]) for k in (6, 3, 1, -1, 7, bricks)))
    world = Bricks()
    frame = world.frames(state)[0]
    assert frame.shape == (352, 352, 3)
    cells = frame[16:-16, 16:-16].reshape(10, 32, 10, 32, 3).swapaxes(1, 2)
    rows, columns = np.nonzero((cells != cells[0, 0]).any(axis=(2, 3, 4)))
    expected = {(row, column) for row in (1, 2, 3) for column in range(10)} - {(2, 2), (3, 9)}
    expected |= {(6, 3), (5, 4), (9, 7), (9, 8)}  # ball, tail, paddle
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == expected
    assert len({cells[row, 0].tobytes() for row in (1, 2, 3)}) == 3
    light = cells[5, 4].sum(axis=2).astype(int) - cells[0, 0].sum(axis=2)
    assert light[16:, :16].sum() > 2 * light[:16, 16:].sum() > 0  # brighter towards the ball
    assert light[:12, :12].sum() == light[20:, 20:].sum() == 0
    assert world.text(state)[0].split("\n") == [
        "..........",
        "##########",
        "##.#######",
        "#########.",
        "..........",
        "..........",
        "...o......",
        "..........",
        "..........",
        ".......==.",
    ]


def test_an_unknown_observation_is_refused():
    with pytest.raises(ValueError, match="'pixels' or 'board', got 'ram'"):
        gym.make("dreamgym/Bricks-v0", obs="ram")
