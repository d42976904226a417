"""Grid worlds against Gymnasium's models, exact dynamic programming and their own frequencies."""

from collections import defaultdict
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from scipy.stats import chi2

import envs  # noqa: F401  registers the worlds

TO_GYMNASIUM_LAKE = (3, 2, 1, 0)  # up, right, down, left among left, down, right, up
TO_GYMNASIUM_CLIFF = (0, 1, 2, 3)


def model_of(env_id: str, **options: Any) -> dict:
    return gym.make(env_id, **options).unwrapped.P


def joined(outcomes: list) -> dict[tuple[int, float, bool], float]:
    total: dict = defaultdict(float)
    for probability, state, reward, terminated in outcomes:
        total[int(state), float(reward), bool(terminated)] += probability
    return dict(total)


def dense(model: dict) -> tuple[np.ndarray, np.ndarray]:
    """Return r(s, a) and p(s' | s, a) without the transitions that end an episode."""
    states, actions = len(model), len(model[0])
    reward, move = np.zeros((states, actions)), np.zeros((states, actions, states))
    for state in model:
        for action, outcomes in model[state].items():
            for probability, entered, gain, terminated in outcomes:
                reward[state, action] += probability * gain
                move[state, action, entered] += probability * (not terminated)
    return reward, move


def optimal_values(model: dict, gamma: float, sweeps: int = 20_000) -> np.ndarray:
    reward, move = dense(model)
    values = np.zeros(len(model))
    for _ in range(sweeps):
        previous, values = values, (reward + gamma * move @ values).max(axis=1)
        if sweeps > 1_000 and np.abs(values - previous).max() < 1e-13:
            break
    return values


@pytest.mark.parametrize("map_name", ["4x4", "8x8"])
@pytest.mark.parametrize(
    "options",
    [{"is_slippery": False}, {"is_slippery": True}, {"is_slippery": True, "success_rate": 0.85}],
)
def test_E_03_lake_has_the_model_of_gymnasiums(map_name: str, options: dict) -> None:
    ours = gym.make("dreamgym/Lake-v0", map_name=map_name, **options).unwrapped
    theirs = gym.make("FrozenLake-v1", map_name=map_name, **options).unwrapped
    assert (ours.initial_state_distrib == theirs.initial_state_distrib).all()
    assert len(ours.P) == len(theirs.P)
    for state in ours.P:
        for action, other in enumerate(TO_GYMNASIUM_LAKE):
            expected = joined(theirs.P[state][other])
            assert joined(ours.P[state][action]) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("is_slippery", [False, True])
def test_E_02_cliff_has_the_model_of_gymnasiums_but_its_goal_absorbs(is_slippery: bool) -> None:
    ours = gym.make("dreamgym/Cliff-v0", is_slippery=is_slippery).unwrapped
    theirs = gym.make("CliffWalking-v1", is_slippery=is_slippery).unwrapped
    goal = 47
    assert (ours.initial_state_distrib == theirs.initial_state_distrib).all()
    assert len(ours.P) == len(theirs.P) == 48
    for state in range(goal):
        for action, other in enumerate(TO_GYMNASIUM_CLIFF):
            expected = joined(theirs.P[state][other])
            assert joined(ours.P[state][action]) == pytest.approx(expected, abs=1e-12)
    assert ours.P[goal] == {action: [(1.0, goal, 0.0, True)] for action in range(4)}


@pytest.mark.parametrize(
    ("env_id", "gamma", "value"),
    [
        ("dreamgym/Lake-v0", 0.99, 0.542026),
        ("dreamgym/Lake-v0", 1.0, 14 / 17),
        ("dreamgym/Lake8x8-v0", 0.99, 0.414640),
    ],
)
def test_E_03_optimal_value_of_lake(env_id: str, gamma: float, value: float) -> None:
    assert optimal_values(model_of(env_id), gamma)[0] == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(
    ("env_id", "success"), [("dreamgym/Lake-v0", 0.744190), ("dreamgym/Lake8x8-v0", 0.913220)]
)
def test_E_03_best_success_within_the_time_limit(env_id: str, success: float) -> None:
    limit = gym.spec(env_id).max_episode_steps
    assert optimal_values(model_of(env_id), 1.0, sweeps=limit)[0] == pytest.approx(
        success, abs=1e-6
    )


@pytest.mark.parametrize(
    ("env_id", "value"), [("dreamgym/Cliff-v0", -13.0), ("dreamgym/CliffSlippery-v0", -64.709176)]
)
def test_E_02_optimal_return_of_cliff(env_id: str, value: float) -> None:
    assert optimal_values(model_of(env_id), 1.0)[36] == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("n", [1, 4, 5, 19])
def test_E_01_a_random_walk_is_worth_its_share_of_the_way(n: int) -> None:
    env = gym.make("dreamgym/Walk-v0", n=n).unwrapped
    reward, move = dense(env.P)
    values = np.linalg.solve(np.eye(n + 2) - move.mean(axis=1), reward.mean(axis=1))
    assert values[1:-1] == pytest.approx(np.arange(1, n + 1) / (n + 1), abs=1e-10)
    assert values[[0, -1]].tolist() == [0.0, 0.0]
    assert env.reset()[0] == (n + 1) // 2


def test_E_01_walk_goes_right_and_left() -> None:
    env = gym.make("dreamgym/Walk-v0")
    env.reset(seed=0)
    assert [env.step(action)[0] for action in (0, 1, 1)] == [4, 3, 2]
    assert env.step(1)[:3] == (1, 0.0, False)
    assert env.step(1)[:3] == (0, 0.0, True)


def test_four_rooms_has_the_states_and_the_noise_of_the_paper() -> None:
    env = gym.make("dreamgym/FourRooms-v0").unwrapped
    assert env.observation_space.n == 104
    starts = env.initial_state_distrib
    assert np.count_nonzero(starts) == 103
    assert starts.max() == pytest.approx(1 / 103)
    inner = 11  # second row, second column of the first room
    outcomes = {state: probability for probability, state, _, _ in env.P[inner][1]}
    assert outcomes == pytest.approx({12: 2 / 3, 1: 1 / 9, 21: 1 / 9, 10: 1 / 9})


def test_four_rooms_has_four_doorways() -> None:
    model = gym.make("dreamgym/FourRooms-v0", success_rate=1.0).unwrapped.P
    walls = {s: {a for a in range(4) if model[s][a][0][1] == s} for s in model}
    goal = next(s for s in model if model[s][0][0][3] and model[s][0][0][1] == s)
    doors = [s for s in model if walls[s] in ({0, 2}, {1, 3})]
    assert walls[goal] == {0, 1, 2, 3}  # the fourth doorway absorbs
    north, west, south = optimal_values(model, 0.9)[doors]
    assert (north, west, south) == pytest.approx((0.9**6, 0.9**13, 0.9**5))


@pytest.mark.parametrize(
    ("env_id", "options"),
    [
        ("dreamgym/Lake-v0", {}),
        ("dreamgym/Lake-v0", {"success_rate": 0.85}),
        ("dreamgym/CliffSlippery-v0", {}),
        ("dreamgym/FourRooms-v0", {}),
    ],
)
def test_transitions_happen_as_often_as_the_model_says(env_id: str, options: dict) -> None:
    world = gym.make_vec(env_id, 2000, vectorization_mode="vector_entry_point", **options)
    model = {
        (state, action): joined(outcomes)
        for state, actions in gym.make(env_id, **options).unwrapped.P.items()
        for action, outcomes in actions.items()
    }
    counts: dict = defaultdict(lambda: defaultdict(int))
    generator = np.random.default_rng(0)
    before, _ = world.reset(seed=1)
    running = np.ones(world.num_envs, bool)
    for _ in range(60):
        action = generator.integers(0, world.single_action_space.n, world.num_envs)
        after, reward, terminated, truncated, _ = world.step(action)
        steps = zip(before, action, after, reward, terminated, running, strict=True)
        for state, a, entered, gain, over, counted in steps:
            if counted:
                counts[int(state), int(a)][int(entered), float(gain), bool(over)] += 1
        running, before = ~(terminated | truncated), after
    statistic, freedom = 0.0, 0
    for key, seen in counts.items():
        assert set(seen) <= set(model[key])
        total = sum(seen.values())
        if total >= 50 and len(model[key]) > 1:
            expected = {outcome: total * share for outcome, share in model[key].items()}
            statistic += sum((seen[one] - n) ** 2 / n for one, n in expected.items())
            freedom += len(expected) - 1
    assert freedom >= 10
    assert chi2.sf(statistic, freedom) > 0.01
    assert chi2.cdf(statistic, freedom) > 0.01


def test_an_episode_begins_in_each_start_equally_often() -> None:
    world = gym.make_vec("dreamgym/FourRooms-v0", 20_600, vectorization_mode="vector_entry_point")
    starts = np.bincount(world.reset(seed=0)[0], minlength=104)
    expected = 20_600 * gym.make("dreamgym/FourRooms-v0").unwrapped.initial_state_distrib
    assert starts[expected == 0].sum() == 0
    inside = expected > 0
    statistic = ((starts - expected)[inside] ** 2 / expected[inside]).sum()
    assert 0.01 < chi2.sf(statistic, 102) < 0.99


@pytest.mark.parametrize(
    ("env_id", "limit"), [("dreamgym/Lake-v0", 100), ("dreamgym/Lake8x8-v0", 200)]
)
def test_each_built_in_lake_has_its_time_limit(env_id: str, limit: int) -> None:
    env = gym.make(env_id, is_slippery=False)
    env.reset(seed=0)
    ends = [env.step(0)[2:4] for _ in range(limit)]  # up, against the border
    assert ends == [(False, False)] * (limit - 1) + [(False, True)]


def test_lake_takes_any_map() -> None:
    env = gym.make("dreamgym/Lake-v0", desc=["HSF", "FFG"], is_slippery=False)
    assert env.observation_space.n == 6
    assert env.reset(seed=0)[0] == 1
    assert [env.step(action)[:3] for action in (2, 1)] == [(4, 0.0, False), (5, 1.0, True)]


def test_an_unknown_lake_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="there is no lake '4x': did you mean '4x4'"):
        gym.make("dreamgym/Lake-v0", map_name="4x")


@pytest.mark.parametrize("make", [gym.make, gym.make_vec])
def test_an_unknown_argument_is_answered_with_the_nearest(make) -> None:
    with pytest.raises(TypeError, match="Lake has no argument 'mapname': did you mean 'map_name'"):
        make("dreamgym/Lake-v0", mapname="4x4")


def test_arrows_and_wasd_play() -> None:
    import pygame

    keys = gym.make("dreamgym/Cliff-v0").unwrapped.get_keys_to_action()
    arrows = (pygame.K_UP, pygame.K_RIGHT, pygame.K_DOWN, pygame.K_LEFT)
    letters = (pygame.K_w, pygame.K_d, pygame.K_s, pygame.K_a)
    for codes in (arrows, letters):
        assert [keys[code,] for code in codes] == [0, 1, 2, 3]
    walk = gym.make("dreamgym/Walk-v0").unwrapped.get_keys_to_action()
    assert walk == {(pygame.K_RIGHT,): 0, (pygame.K_d,): 0, (pygame.K_LEFT,): 1, (pygame.K_a,): 1}
