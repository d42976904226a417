"""Recall (curriculum E-05): without a memory exactly one half, with one everything; pictures."""

from collections.abc import Iterable
from fractions import Fraction
from itertools import product

import gymnasium as gym
import numpy as np
import pytest
from exact_returns import exact_return

import envs  # noqa: F401
from envs.numbers import scalar
from envs.worlds.recall import Recall, RecallState

Seen = tuple[float, ...]
SIGHTS: list[Seen] = [(-1.0, 0.0), (1.0, 0.0), (0.0, 0.0), (0.0, 1.0)]


def return_without_memory(length: int, rights: Iterable[Fraction]) -> Fraction:
    """Return the expected return of turning right with a chance of its own for each of SIGHTS."""
    world, chance = Recall(length), dict(zip(SIGHTS, rights, strict=True))

    def policy(state: RecallState) -> Iterable[tuple[int, Fraction]]:
        right = chance[tuple(world.observe(scalar, state).tolist())]
        return enumerate((1 - right, right))

    return exact_return(world, [RecallState(sign, 0, 0) for sign in (-1, 1)], policy)


@pytest.mark.parametrize("length", [1, 2, 20])
def test_E_05_every_policy_without_memory_gets_one_half(length):
    # Exhaustively where the policy is deterministic; and the return is linear in each chance.
    for choices in product((Fraction(0), Fraction(1)), repeat=4):
        assert return_without_memory(length, choices) == Fraction(1, 2)
    mixed = [Fraction(k, 7) for k in (1, 6, 2, 3)]
    assert return_without_memory(length, mixed) == Fraction(1, 2)


@pytest.mark.parametrize("length", [1, 2, 20, 300])
def test_E_05_the_sign_is_seen_in_the_first_step_only(length):
    said: dict[float, list[list[float]]] = {}
    env = gym.make("dreamgym/Recall-v0", length=length)
    for seed in range(8):
        observation, _ = env.reset(seed=seed)
        sign, over, after = float(observation[0]), False, []
        while not over:
            observation, _, over, _, _ = env.step(1)
            after.append(observation.tolist())
        assert said.setdefault(sign, after[:-1]) == after[:-1]
    assert said.keys() == {-1.0, 1.0}
    assert said[-1.0] == said[1.0] == [[0.0, 0.0]] * (length - 1) + [[0.0, 1.0]]


@pytest.mark.parametrize("length", [1, 20])
def test_E_05_with_a_memory_every_turn_is_right(length):
    n = 512
    vector = gym.make_vec("dreamgym/Recall-v0", n, length=length, autoreset_mode="SameStep")
    observation, _ = vector.reset(seed=0)
    remembered, total, ends = np.zeros(n), 0.0, 0
    for step in range(1, 5 * (length + 1) + 1):
        remembered = np.where(observation[:, 0] == 0, remembered, observation[:, 0])
        observation, reward, over, truncated, _ = vector.step((remembered > 0) * 1)
        assert over.all() == over.any() == (step % (length + 1) == 0)
        assert not truncated.any()
        total, ends = total + reward.sum(), ends + int(over.sum())
    assert total == ends == 5 * n


def test_E_05_without_a_memory_half_of_the_turns_are_right_in_the_environment():
    n = 4096
    vector = gym.make_vec("dreamgym/Recall-v0", n, autoreset_mode="SameStep")
    observation, _ = vector.reset(seed=0)
    returns = np.zeros(n)
    for _ in range(21 * 5):  # follows the sign where it sees one, else always turns right
        observation, reward, *_ = vector.step((observation[:, 0] >= 0) * 1)
        returns += reward
    assert abs(returns.mean() / 5 - 0.5) < 4 * 0.5 / np.sqrt(5 * n)


def test_an_episode_step_by_step():
    env = gym.make("dreamgym/Recall-v0", length=2)
    signs = {}
    for seed in range(8):
        for action in (0, 1):
            sign = float(env.reset(seed=seed)[0][0])
            assert env.step(1 - action)[1:3] == (0.0, False)
            assert env.step(1 - action)[1:3] == (0.0, False)
            assert env.step(action)[1:3] == (float(sign == 2 * action - 1), True)
            signs[seed] = sign
    assert set(signs.values()) == {-1.0, 1.0}


def test_a_corridor_has_at_least_one_step():
    with pytest.raises(ValueError, match="from 1, got 0"):
        gym.make("dreamgym/Recall-v0", length=0)


def test_pictures_show_the_sign_at_first_and_the_ends_at_last():
    world = Recall(20)

    def cells(sign: int, position: int, side: int) -> np.ndarray:
        frame = world.frames(RecallState(*(np.array([k]) for k in (sign, position, side))))[0]
        assert frame.shape == (288, 224, 3)
        return frame.reshape(9, 32, 7, 32, 3).swapaxes(1, 2)

    def differ(a: np.ndarray, b: np.ndarray) -> set[tuple[int, int]]:
        rows, columns = np.nonzero((a != b).any(axis=(2, 3, 4)))
        return set(zip(rows.tolist(), columns.tolist(), strict=True))

    assert differ(cells(-1, 0, 0), cells(1, 0, 0)) == {(6, 2), (6, 4)}  # the sign hangs there
    white = (cells(-1, 0, 0)[6, 2] > 240).all(axis=-1)  # the sign's arrow has its tip on the left
    assert np.nonzero(white)[1].mean() < 15
    assert (cells(1, 0, 0)[6, 4] == cells(-1, 0, 0)[6, 2][:, ::-1]).all()
    for position in (1, 7, 20):
        assert differ(cells(-1, position, 0), cells(1, position, 0)) == set()
    waiting, left, right = cells(1, 20, 0), cells(1, 20, -1), cells(1, 20, 1)
    assert differ(waiting, left) == {(6, 1), (6, 2), (6, 3), (6, 5)}
    assert differ(left, right) == {(6, 2), (6, 4)}  # only where the walker stands
    assert differ(left, cells(-1, 20, -1)) == {(6, 1), (6, 5)}  # flag and stop change places
    assert differ(cells(1, 7, 0), cells(1, 8, 0))  # walking can be seen
    text = world.text(RecallState(*np.array([[1, -1, -1, 1], [0, 3, 20, 20], [0, 0, -1, -1]])))
    assert text == [
        ">@" + "." * 19 + "T",
        "?...@" + "." * 16 + "T",
        "?" + "." * 20 + "@ turned left: 1",
        "?" + "." * 20 + "@ turned left: 0",
    ]
