"""Catch (curriculum E-05): exact scores, observations, pictures."""

from fractions import Fraction
from itertools import product

import gymnasium as gym
import numpy as np
import pytest
from exact_returns import exact_return
from stable_baselines3 import DQN

import envs  # noqa: F401
from envs.numbers import batch, scalar
from envs.random import ScalarRandom
from envs.worlds.catch import COLUMNS, ROWS, Catch, CatchState

THIRD = Fraction(1, 3)


@pytest.mark.parametrize(
    "policy",
    [{0: THIRD, 1: THIRD, 2: THIRD}, {1: Fraction(1)}, {0: Fraction(1, 7), 2: Fraction(6, 7)}],
)
def test_E_05_whoever_does_not_look_gets_minus_three_fifths(policy):
    starts = [CatchState(0, column, 2) for column in range(COLUMNS)]
    assert exact_return(Catch(), starts, lambda state: policy.items()) == Fraction(-3, 5)


def test_E_05_a_random_policy_gets_minus_three_fifths_in_the_environment():
    vector = gym.make_vec("dreamgym/Catch-v0", 4096, obs="board", autoreset_mode="SameStep")
    vector.reset(seed=0)
    rng = np.random.default_rng(0)
    returns = [vector.step(rng.integers(0, 3, 4096))[1] for _ in range(9 * 20)]
    ends = np.array(returns)[8::9]  # the reward of each episode's last step, [20, 4096]
    assert np.count_nonzero(returns) == np.count_nonzero(ends) == ends.size
    standard_error = np.sqrt((1 - 0.6**2) / ends.size)
    assert abs(ends.mean() + 0.6) < 4 * standard_error


@pytest.mark.parametrize("xp", [scalar, batch], ids=["one", "many"])
def test_E_05_the_last_move_decides(xp):
    """The paddle catches a ball where it arrives with the ball, not where it was before."""
    for column, paddle, action in product(range(COLUMNS), range(COLUMNS), range(3)):
        numbers = (ROWS - 2, column, paddle, action)
        row, ball, place, move = numbers if xp is scalar else np.array(numbers)[:, None]
        _, reward, over = Catch().step(xp, CatchState(row, ball, place), move, ScalarRandom())
        arrives = sorted((0, paddle + action - 1, COLUMNS - 1))[1]
        assert reward == (1.0 if arrives == column else -1.0)
        assert over


@pytest.mark.parametrize("obs", ["board", "pixels"])
def test_E_05_who_looks_always_catches(obs):
    vector = gym.make_vec("dreamgym/Catch-v0", 256, obs=obs, autoreset_mode="SameStep")
    observation, _ = vector.reset(seed=0)
    total, ends, columns = 0.0, 0, set()
    for _ in range(36):
        board = observation if obs == "board" else observation[:, 2:-2:4, 2:-2:8, 0] / 255
        ball = board[:, :-1].max(axis=1).argmax(axis=1)
        paddle = board[:, -1].argmax(axis=1)
        columns |= set(ball.tolist())
        observation, reward, terminated, truncated, _ = vector.step(np.sign(ball - paddle) + 1)
        total, ends = total + reward.sum(), ends + terminated.sum()
        assert not truncated.any()
    assert total == ends == 4 * 256
    assert columns == set(range(COLUMNS))


def test_an_episode_step_by_step():
    env = gym.make("dreamgym/Catch-v0", obs="board")
    observation, _ = env.reset(seed=1)
    column = int(observation[0].argmax())
    paddle = 2
    for step, action in enumerate([0, 0, 0, 2, 1, 2, 2, 2, 2], start=1):
        observation, reward, terminated, _, _ = env.step(action)
        paddle = min(max(paddle + action - 1, 0), 4)
        expected = np.zeros((ROWS, COLUMNS), np.float32)
        expected[step, column] = expected[9, paddle] = 1.0
        assert np.array_equal(observation, expected)
        assert terminated == (step == 9)
        assert reward == ((1.0 if paddle == column else -1.0) if step == 9 else 0.0)


def test_pixels_are_the_board_enlarged():
    pixels, board = gym.make("dreamgym/Catch-v0"), gym.make("dreamgym/Catch-v0", obs="board")
    assert min(pixels.observation_space.shape[:2]) >= 36  # what the smallest Nature network takes
    for seed in range(10):
        seen, known = pixels.reset(seed=seed)[0], board.reset(seed=seed)[0]
        for _ in range(9):
            enlarged = np.pad(np.kron(known, np.full((4, 8), 255)), 2)[..., None]
            assert seen.dtype == np.uint8
            assert np.array_equal(seen, enlarged)
            seen, known = pixels.step(2)[0], board.step(2)[0]


def test_the_nature_network_sees_the_whole_picture():
    size = gym.make("dreamgym/Catch-v0").observation_space.shape[0]
    for kernel, stride in ((8, 4), (4, 2), (3, 1)):
        assert (size - kernel) % stride == 0
        size = (size - kernel) // stride + 1


def test_sb3s_cnn_policy_takes_the_pixels():
    env = gym.make("dreamgym/Catch-v0")
    model = DQN("CnnPolicy", env, buffer_size=50, learning_starts=8, device="cpu", seed=0)
    model.learn(16)
    assert model.policy.observation_space.shape == (1, 44, 44)  # SB3 moves the channel
    assert model.predict(env.reset(seed=0)[0])[0] in env.action_space


def test_pictures_show_ball_and_paddle():
    state = CatchState(np.array([0, 4, 9]), np.array([1, 3, 2]), np.array([2, 0, 2]))
    world = Catch()
    frames = world.frames(state)
    assert frames.shape == (3, 320, 160, 3)
    background = frames[0, 5 * 32 : 6 * 32, :32]
    cells = frames.reshape(3, ROWS, 32, COLUMNS, 32, 3).swapaxes(2, 3)
    drawn = (cells != background).any(axis=(3, 4, 5))  # [3, rows, columns]
    for picture, row, column, paddle in zip(drawn, *state, strict=True):
        assert set(zip(*map(np.ndarray.tolist, np.nonzero(picture)), strict=True)) == {
            (row, column),
            (9, paddle),
        }
    paddle, ball, caught, nothing = (
        {tuple(pixel) for pixel in cell.reshape(-1, 3).tolist()}
        for cell in (cells[0, 9, 2], cells[1, 4, 3], cells[2, 9, 2], background)
    )
    assert caught & (paddle - nothing)  # the ball is on the paddle, and both are seen
    assert caught & (ball - nothing)
    texts = world.text(state)
    assert texts[0].split("\n") == [".o...", *["....."] * 8, "..=.."]
    assert texts[2].split("\n") == [*["....."] * 9, "..o.."]


def test_an_unknown_observation_is_refused():
    with pytest.raises(ValueError, match="'pixels' or 'board', got 'rgb'"):
        gym.make("dreamgym/Catch-v0", obs="rgb")
