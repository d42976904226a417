"""Values of a given policy, learned from experience."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from small_worlds import Table

import envs  # noqa: F401  registers the worlds
from agents.equations.returns import discounted_returns
from agents.tabular.dynamic_programming import policy_evaluation
from agents.tabular.model import Model, action_probabilities
from agents.tabular.prediction import FollowPolicy, td_prediction
from agents.tabular.temporal_difference import SarsaConfig

EITHER_WAY = np.full((7, 2), 0.5)
AVERAGE = {"learning_rate": 1.0, "learning_rate_decay": 0.8, "discount": 1.0}


@pytest.mark.parametrize("trace_decay", [0.0, 0.6, 1.0])
def test_A_TD_04_random_walk_values_are_one_to_five_sixths(trace_decay: float) -> None:
    config = SarsaConfig(**AVERAGE, trace_decay=trace_decay)
    values = td_prediction("dreamgym/Walk-v0", EITHER_WAY, 400_000, config)
    assert values[1:6] == pytest.approx(np.arange(1, 6) / 6, abs=0.02)
    assert values[[0, 6]].tolist() == [0.0, 0.0]


def test_A_TD_04_environments_without_a_table_are_followed_step_by_step() -> None:
    walk = gym.wrappers.TransformReward(gym.make("dreamgym/Walk-v0"), triple)
    values = td_prediction(walk, EITHER_WAY, 40_000, SarsaConfig(**AVERAGE))
    assert values[1:6] == pytest.approx(np.arange(1, 6) / 2, abs=0.15)


def triple(reward: float) -> float:
    return 3 * reward


def test_A_TD_04_other_policies_have_other_values() -> None:
    model = Model.from_env(gym.make("FrozenLake-v1"))
    policy = np.random.default_rng(1).dirichlet(np.ones(4), 16)
    exact = policy_evaluation(model, policy, 0.95)
    config = SarsaConfig(learning_rate=1.0, learning_rate_decay=0.7, discount=0.95)
    found = td_prediction("FrozenLake-v1", policy, 1_000_000, config)
    assert np.ptp(exact) > 0.2
    assert np.abs(found - exact).max() < 0.03


def test_A_TD_04_a_deterministic_policy_is_followed_to_the_letter() -> None:
    up, right, down = 0, 1, 2
    policy = np.full(48, right)
    policy[36], policy[35] = up, down
    env = FollowPolicy(gym.make("CliffWalking-v1"), action_probabilities(policy, 48, 4))
    assert env.action_space == gym.spaces.Discrete(1)
    path = [env.reset(seed=0)[0]] + [env.step(0)[0] for _ in range(13)]
    assert path == [36, *range(24, 36), 47]


def test_A_TD_04_states_and_actions_may_begin_elsewhere() -> None:
    """In Table-v0 at 7 and 3: this policy goes 0, 1, 3, and ends in 4."""
    policy = action_probabilities([0, 0, 1, 1, 0], 5, 2)
    env = FollowPolicy(gym.make("Table-v0"), policy)
    for seed in range(4):
        place = env.reset(seed=seed)[0] - 7
        while place != 4:
            action = int(policy[place].argmax())
            following, reward, *_ = env.step(0)
            assert following == Table.NEXT[place, action] + 7
            assert reward == Table.REWARD[place, action]
            place = following - 7
    config = SarsaConfig(learning_rate=1.0, discount=Table.DISCOUNT)
    values = td_prediction("Table-v0", policy, 300, config)
    expected = [0.0 + 0.8 * (1.0 + 0.8 * 1.0), 1.0 + 0.8 * 1.0, 2.0, 1.0, 0.0]
    assert values == pytest.approx(expected)


def test_A_TD_04_shares_of_a_policy_are_kept() -> None:
    policy = np.tile([0.7, 0.0, 0.3, 0.0], (48, 1))
    env = FollowPolicy(gym.make("CliffWalking-v1"), policy)
    state, _ = env.reset(seed=3)
    moves = []
    for _ in range(4_000):
        following, *_ = env.step(0)
        if 12 <= state < 24:  # from the second row both moves are seen
            moves.append(following < state)
        state = following
    assert abs(np.mean(moves) - 0.7) < 4 * np.sqrt(0.21 / len(moves))


def test_A_TD_04_policies_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected integer actions \(7,\) or shares \(7, 2\)"):
        td_prediction("dreamgym/Walk-v0", np.full((5, 2), 0.5), 10)


def test_A_CORE_02_return_by_recursion_is_the_direct_sum() -> None:
    rng = np.random.default_rng(0)
    reward, last = rng.normal(size=30), rng.normal()
    direct = [
        sum(0.9**k * reward[t + k] for k in range(30 - t)) + 0.9 ** (30 - t) * last
        for t in range(30)
    ]
    discount = torch.full((30,), 0.9, dtype=torch.float64)
    bootstrap = torch.tensor(last, dtype=torch.float64)
    found = discounted_returns(torch.tensor(reward), discount, bootstrap)
    assert np.abs(found.numpy() - direct).max() < 1e-12
