"""Models read from `P`, and the environment that plays them."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from agents.environments.spaces import TableIndex, as_rows
from agents.tabular import draws as counter
from agents.tabular.kernel import first_above
from agents.tabular.model import Model, NoModelError, action_probabilities, cumulative
from agents.tabular.model_env import ModelEnv, model_env
from envs.random import ScalarRandom

COIN = {  # two states; action 0 gambles, action 1 ends with reward 5
    0: {0: [(0.25, 0, -1.0, False), (0.75, 1, 2.0, False)], 1: [(1.0, 0, 5.0, True)]},
    1: {0: [(1.0, 0, 0.0, False)], 1: [(1.0, 1, 0.5, True)]},
}


def coin() -> Model:
    return Model.from_table(COIN, [0.5, 0.5], "coin")


def test_table_becomes_padded_arrays() -> None:
    model = coin()
    assert model.probability.tolist() == [[[0.25, 0.75], [1, 0]], [[1, 0], [1, 0]]]
    assert model.next_state.tolist() == [[[0, 1], [0, 0]], [[0, 0], [1, 0]]]
    assert np.argwhere(model.terminated).tolist() == [[0, 1, 0], [1, 1, 0]]
    assert model.expected_reward.tolist() == [[1.25, 5.0], [0.0, 0.5]]
    assert (model.num_states, model.num_actions) == (2, 2)


@pytest.mark.parametrize("env_id", ["FrozenLake-v1", "CliffWalkingSlippery-v1", "Taxi-v4"])
def test_model_holds_exactly_what_the_environment_lists(env_id: str) -> None:
    env = gym.make(env_id).unwrapped
    model = Model.from_env(env)
    for s, actions in env.P.items():
        for a, outcomes in actions.items():
            listed = [(float(p), int(n), float(r), bool(t)) for p, n, r, t in outcomes]
            held = zip(
                model.probability[s, a].tolist(),
                model.next_state[s, a].tolist(),
                model.reward[s, a].tolist(),
                model.terminated[s, a].tolist(),
                strict=True,
            )
            assert [row for row in held if row[0] > 0] == [row for row in listed if row[0] > 0]
    assert np.array_equal(model.initial, env.initial_state_distrib)


def test_environment_without_a_table_is_named() -> None:
    with pytest.raises(NoModelError, match=r"CartPole-v1 has no transition table .*\.P"):
        Model.from_env(gym.make("CartPole-v1"))


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        ([(0.5, 0, 0.0, False)], r"\(0, 0\) are \[0.5\].*sum to 1"),
        ([(-0.5, 0, 0.0, False), (1.5, 0, 0.0, False)], "non-negative"),
        ([(float("nan"), 0, 0.0, False)], "sum to 1"),
        ([(1.0, 7, 0.0, False)], "next state of outcome 0 of action 0 in state 0 is 7"),
        ([(1.0, -1, 0.0, False)], "is -1, expected 0 to 0"),
        ([(1.0, 0, float("nan"), False)], "reward of outcome 0 .* is nan"),
    ],
)
def test_malformed_tables_are_refused(outcomes: list, message: str) -> None:
    with pytest.raises(NoModelError, match=message):
        Model.from_table({0: {0: outcomes}}, [1.0])


def test_malformed_shapes_are_refused() -> None:
    pair = [(1.0, 0, 0.0, False)]
    with pytest.raises(NoModelError, match="initial has shape"):
        Model.from_table({0: {0: pair}}, [0.5, 0.5])
    with pytest.raises(NoModelError, match="initial state probabilities"):
        Model.from_table({0: {0: pair}}, [0.9])
    with pytest.raises(NoModelError, match="state 0 has 1 actions, others 2"):
        Model.from_table({0: {0: pair}, 1: {0: pair, 1: pair}}, [1.0, 0.0])
    with pytest.raises(NoModelError, match="expected 0, 1, 2"):
        Model.from_table({3: {0: pair}}, [1.0])


def test_policy_induces_a_process_with_mixed_outcomes() -> None:
    process = coin().under([[0.5, 0.5], [0.0, 1.0]])
    assert process.num_actions == 1
    assert process.expected_reward[:, 0].tolist() == [0.5 * 1.25 + 0.5 * 5.0, 0.5]
    assert np.allclose(process.probability.sum(-1), 1)


@pytest.mark.parametrize(
    "policy", [[0, 2], [-1, 0], [0.0, 1.0], [0, 1, 0], [[0.5, 0.6], [1, 0]], [[1.5, -0.5], [1, 0]]]
)
def test_policies_that_do_not_fit_are_refused(policy: list) -> None:
    with pytest.raises(ValueError, match="polic"):
        action_probabilities(policy, 2, 2)


def test_cumulative_ends_at_one_with_the_last_possible_outcome() -> None:
    limits = cumulative(np.array([[0.1] * 10, [0.0, 1 / 3, 2 / 3] + [0.0] * 7]))
    assert limits[0, -1] == 1.0  # the plain sum is 0.9999999999999999
    assert limits[1, :2].tolist() == [0.0, 1 / 3]
    assert (limits[1, 2:] == 1.0).all()


def test_an_impossible_outcome_is_not_drawn_where_the_others_do_not_quite_reach_one() -> None:
    """A sum of 1 - 5e-7 is accepted, and a draw may fall beyond it."""
    table = {0: {0: [(0.5, 0, 0.0, False), (0.5 - 5e-7, 0, 0.0, False), (0.0, 0, 9.0, True)]}}
    model = Model.from_table(table, [1.0])
    limits = cumulative(model.probability)[0, 0]
    assert limits.tolist() == [0.5, 1.0, 1.0]
    assert first_above(limits, 1.0 - 2.0**-53) == 1


def test_counter_stream_is_the_worlds_stream() -> None:
    golden, odd, mask = counter.GOLDEN, counter.ODD, counter.MASK
    assert counter.mix(golden) == 0xE220A8397B1DCDAF  # splitmix64's first number of seed 0
    assert counter.mix(2 * golden & mask) == 0x6E789E6AA1B965F4  # and its second
    root = counter.root_of(123)
    key = counter.episode_key(root, 4)
    assert (root, key) == (counter.mix(123 + golden), counter.mix(root + 5 * golden))
    for t in range(5):
        random = ScalarRandom(key + golden * t)
        for j in range(3):
            bits = counter.draw(key, t, j)
            assert bits == counter.mix(key + golden * t + odd * j)
            assert counter.uniform(bits) == random.uniform(draw=j)
            assert counter.below(bits, 7) == random.below(7, j)


def test_model_env_passes_gymnasiums_checks() -> None:
    check_env(ModelEnv(coin()), skip_render_check=True)


def test_model_env_plays_outcomes_as_often_as_their_probabilities() -> None:
    model = Model.from_env(gym.make("CliffWalkingSlippery-v1"))
    env, draws = ModelEnv(model), 30_000
    state, _ = env.reset(seed=5)
    rng = np.random.default_rng(0)
    expected, seen = np.zeros((48, 48)), np.zeros((48, 48))
    for _ in range(draws):
        action = int(rng.integers(4))
        pair = state, action
        np.add.at(expected[state], model.next_state[pair], model.probability[pair])
        following, _, terminated, _, _ = env.step(action)
        seen[state, following] += 1
        state = env.reset()[0] if terminated else following
    assert (seen[expected == 0] == 0).all()
    visited = expected > 5
    z = (seen[visited] - expected[visited]) / np.sqrt(expected[visited])
    assert np.abs(z).max() < 4.5
    assert 0.2 < np.mean(z**2) < 1.2


def test_model_env_starts_as_often_as_the_initial_distribution_says() -> None:
    model = Model.from_table(COIN, [0.2, 0.8])
    env = ModelEnv(model)
    starts = [env.reset(seed=0)[0]] + [env.reset()[0] for _ in range(4999)]
    assert abs(np.mean(starts) - 0.8) < 4 * np.sqrt(0.16 / 5000)


def test_model_env_repeats_with_its_seed_and_continues_without() -> None:
    def episodes(seed: int) -> list:
        env = ModelEnv(Model.from_env(gym.make("FrozenLake-v1")))
        trace = [env.reset(seed=seed)[0]]
        for k in range(200):
            *step, _ = env.step(k % 4)
            trace.append(step)
            if step[2]:
                trace.append(env.reset()[0])
        return trace

    assert episodes(3) == episodes(3) != episodes(4)


def test_model_env_refuses_what_has_no_meaning() -> None:
    env = ModelEnv(coin())
    with pytest.raises(gym.error.ResetNeeded):
        env.step(0)
    env.reset(seed=0)
    with pytest.raises(gym.error.InvalidAction, match="2 is not an action"):
        env.step(2)
    env.step(1)
    with pytest.raises(gym.error.ResetNeeded):
        env.step(0)


def test_model_env_is_truncated_by_its_time_limit() -> None:
    env = model_env(Model.from_table({0: {0: [(1.0, 0, 1.0, False)]}}, [1.0]), 3)
    env.reset(seed=0)
    assert [env.step(0)[2:4] for _ in range(3)] == [(False, False)] * 2 + [(False, True)]
    assert Model.from_env(env) is not None


def numbered(space: gym.Space, members: Any) -> tuple[list[int], bool]:
    """The indices of members, and whether it was one."""
    return TableIndex(space, "x").rows(members), as_rows(space, members)[1]


def test_table_index_numbers_every_member_once() -> None:
    spaces = gym.spaces
    cube = spaces.MultiDiscrete([2, 3, 4], start=[5, 0, -1])
    pair = spaces.Tuple([spaces.Discrete(3, start=2), spaces.Discrete(2)])
    members = [(5 + i, j, k - 1) for i in range(2) for j in range(3) for k in range(4)]
    assert numbered(cube, members) == (list(range(24)), False)
    pairs = [(2 + i, j) for i in range(3) for j in range(2)]
    assert numbered(pair, pairs) == (list(range(6)), False)
    assert numbered(pair, (4, 1)) == ([5], True)
    columns = (np.array([2, 4, 3]), np.array([1, 0, 1]))  # as vector environments have them
    assert numbered(pair, columns) == ([1, 4, 3], False)
    assert numbered(spaces.Discrete(4, start=-2), np.int64(1)) == ([3], True)
    assert numbered(spaces.Discrete(4), [1, 3]) == ([1, 3], False)
    with pytest.raises(ValueError, match=r"the world is Box.*Discrete"):
        TableIndex(spaces.Box(0, 1), "the world")
