"""Dynamic programming against linear algebra, enumeration, and published values."""

from dataclasses import replace
from itertools import product

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_worlds import Table
from stable_baselines3.common.evaluation import evaluate_policy

import envs  # noqa: F401  registers the worlds
from agents.loop.evaluation import evaluate
from agents.tabular.dynamic_programming import (
    PlanningError,
    greedy,
    horizon_values,
    policy_evaluation,
    policy_iteration,
    q_from_v,
    value_iteration,
)
from agents.tabular.model import Model, NoModelError
from agents.tabular.model_env import model_env
from agents.tabular.planners import PolicyIteration, PolicyIterationConfig, ValueIteration
from agents.tabular.planners import ValueIterationConfig as VIConfig

OPTIMA = [
    ("FrozenLake-v1", {}, 0.99, 0.542026),
    ("FrozenLake-v1", {}, 1.0, 14 / 17),
    ("FrozenLake8x8-v1", {}, 0.99, 0.414640),
    ("FrozenLake8x8-v1", {}, 1.0, 1.0),
    ("CliffWalking-v1", {}, 1.0, -13.0),
    ("CliffWalkingSlippery-v1", {}, 1.0, -64.709176),
    ("Taxi-v4", {}, 1.0, 7.93),
    ("dreamgym/Lake-v0", {}, 0.99, 0.542026),
    ("dreamgym/Lake-v0", {}, 1.0, 14 / 17),
    ("dreamgym/Lake8x8-v0", {}, 0.99, 0.414640),
    ("dreamgym/Cliff-v0", {}, 1.0, -13.0),
    ("dreamgym/CliffSlippery-v0", {}, 1.0, -64.709176),
]


def model_of(env_id: str, **kwargs: object) -> Model:
    return Model.from_env(gym.make(env_id, **kwargs))


def random_model(seed: int, states: int = 4, actions: int = 2, ends: float = 0.2) -> Model:
    rng = np.random.default_rng(seed)
    shape = (states, actions, 3)
    return Model(
        probability=rng.dirichlet(np.ones(3), shape[:2]),
        next_state=rng.integers(states, size=shape),
        reward=rng.normal(size=shape),
        terminated=rng.random(shape) < ends,
        initial=np.full(states, 1 / states),
    )


def solve_by_hand(table: dict, policy: np.ndarray, discount: float) -> np.ndarray:
    """(I - γP_π)V = r_π, gathered entry by entry from an environment's own table."""
    n = len(table)
    matrix, reward = np.eye(n), np.zeros(n)
    for s in range(n):
        for a, share in enumerate(policy[s]):
            for p, following, r, terminated in table[s][a]:
                reward[s] += share * p * r
                if not terminated:
                    matrix[s, following] -= discount * share * p
    return np.linalg.solve(matrix, reward)


@pytest.mark.parametrize("method", ["exact", "iterative"])
@pytest.mark.parametrize("env_id", ["FrozenLake-v1", "CliffWalking-v1", "Taxi-v4"])
def test_A_DP_01_policy_evaluation_solves_the_linear_system(env_id: str, method: str) -> None:
    env = gym.make(env_id).unwrapped
    model = Model.from_env(env)
    policy = np.random.default_rng(0).dirichlet(np.ones(model.num_actions), model.num_states)
    found = policy_evaluation(model, policy, 0.9, method=method, tolerance=1e-11)
    assert np.abs(found - solve_by_hand(env.P, policy, 0.9)).max() < 1e-10


@pytest.mark.parametrize("method", ["exact", "iterative"])
def test_A_DP_01_random_walk_is_one_to_five_sixths_at_discount_one(method: str) -> None:
    values = policy_evaluation(
        model_of("dreamgym/Walk-v0"), np.full((7, 2), 0.5), 1.0, method=method, tolerance=1e-13
    )
    assert np.abs(values[1:6] - np.arange(1, 6) / 6).max() < 1e-10


def test_A_DP_01_bootstrapping_through_termination_gives_another_value() -> None:
    table = {0: {0: [(1.0, 0, 1.0, True)]}}
    model = Model.from_table(table, [1.0])
    assert policy_evaluation(model, [0], 0.9).tolist() == [1.0]
    wrong = replace(model, terminated=np.zeros_like(model.terminated))
    assert policy_evaluation(wrong, [0], 0.9) == pytest.approx([10.0])


def test_A_DP_01_a_policy_without_an_end_has_no_value_at_discount_one() -> None:
    upwards = np.zeros(48, np.int64)
    for method in ("exact", "iterative"):
        with pytest.raises(PlanningError, match=r"CliffWalking-v1: from state 0 .* discount 1"):
            policy_evaluation(model_of("CliffWalking-v1"), upwards, 1.0, method=method)


def test_A_DP_01_an_action_that_is_never_taken_ends_nothing() -> None:
    table = {
        0: {0: [(1.0, 0, -1.0, False)], 1: [(1.0, 1, -1.0, False)]},
        1: {0: [(1.0, 1, -1.0, True)], 1: [(1.0, 1, -1.0, True)]},
    }
    model = Model.from_table(table, [1.0, 0.0])
    with pytest.raises(PlanningError, match="from state 0 on"):
        policy_evaluation(model, [0, 0], 1.0)
    assert policy_evaluation(model, [1, 0], 1.0).tolist() == [-2.0, -1.0]


def test_A_DP_01_an_endless_policy_that_collects_nothing_is_worth_nothing() -> None:
    model = model_of("FrozenLake-v1", is_slippery=False)
    for method in ("exact", "iterative"):
        values = policy_evaluation(model, np.zeros(16, np.int64), 1.0, method=method)
        assert values.tolist() == [0.0] * 16


def test_A_DP_01_rewards_before_an_endless_rest_are_counted() -> None:
    table = {0: {0: [(1.0, 1, 3.0, False)]}, 1: {0: [(1.0, 1, 0.0, False)]}}
    model = Model.from_table(table, [1.0, 0.0])
    assert policy_evaluation(model, [0, 0], 1.0).tolist() == [3.0, 0.0]


@pytest.mark.parametrize(("env_id", "kwargs", "discount", "optimum"), OPTIMA)
def test_A_DP_02_value_iteration_finds_the_optimum(
    env_id: str, kwargs: dict, discount: float, optimum: float
) -> None:
    model = model_of(env_id, **kwargs)
    solution = value_iteration(model, discount)
    assert float(solution.values @ model.initial) == pytest.approx(optimum, abs=1e-6)
    earned = policy_evaluation(model, solution.policy, discount)
    assert np.abs(earned - solution.values).max() < 1e-7


@pytest.mark.parametrize(("env_id", "kwargs", "discount", "optimum"), OPTIMA)
def test_A_DP_03_policy_iteration_agrees_in_finitely_many_rounds(
    env_id: str, kwargs: dict, discount: float, optimum: float
) -> None:
    model = model_of(env_id, **kwargs)
    solution = policy_iteration(model, discount)
    assert float(solution.values @ model.initial) == pytest.approx(optimum, abs=1e-6)
    other = value_iteration(model, discount)
    assert np.abs(solution.values - other.values).max() < 1e-7
    assert np.array_equal(solution.policy, other.policy)
    assert np.abs(solution.values - solution.q.max(1)).max() < 1e-9
    earned = policy_evaluation(model, solution.policy, discount)
    assert np.abs(earned - solution.values).max() < 1e-9
    assert solution.iterations <= 30


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), discount=st.sampled_from([0.0, 0.5, 0.95]))
def test_A_DP_02_nothing_beats_the_best_of_all_policies(seed: int, discount: float) -> None:
    model = random_model(seed)
    best = np.max(
        [policy_evaluation(model, list(p), discount) for p in product(range(2), repeat=4)], axis=0
    )
    assert np.abs(value_iteration(model, discount).values - best).max() < 1e-9
    assert np.abs(policy_iteration(model, discount).values - best).max() < 1e-9


@pytest.mark.parametrize("plan", [value_iteration, policy_iteration])
def test_A_DP_02_where_time_is_free_the_policy_still_ends_and_quickly(plan) -> None:
    model = model_of("FrozenLake-v1", is_slippery=False)
    policy = plan(model, 1.0).policy
    assert horizon_values(model, 6, policy)[0] == 1.0  # six moves are the shortest way
    slippery = model_of("FrozenLake8x8-v1")
    policy = plan(slippery, 1.0).policy  # of the many that arrive some day, a quick one
    assert horizon_values(slippery, 200, policy)[0] > 0.95 * horizon_values(slippery, 200)[0]


@pytest.mark.parametrize("plan", [value_iteration, policy_iteration])
def test_A_DP_02_a_goal_without_a_terminated_flag_is_walked_to(plan) -> None:
    stay, walk = 0, 1
    goal = {a: [(1.0, 2, 0.0, False)] for a in (stay, walk)}
    table = {
        0: {stay: [(1.0, 0, 0.0, False)], walk: [(1.0, 1, 0.0, False)]},
        1: {stay: [(1.0, 1, 0.0, False)], walk: [(1.0, 2, 1.0, False)]},
        2: goal,
    }
    solution = plan(Model.from_table(table, [1.0, 0.0, 0.0]), 1.0)
    assert solution.values.tolist() == [1.0, 1.0, 0.0]
    assert solution.policy[:2].tolist() == [walk, walk]


def test_A_DP_02_endless_rewards_are_refused_instead_of_summed_for_ever() -> None:
    model = Model.from_table({0: {0: [(1.0, 0, 1.0, False)]}}, [1.0], "mint")
    with pytest.raises(PlanningError, match="mint: value iteration did not converge in 50"):
        value_iteration(model, 1.0, max_iterations=50)
    with pytest.raises(PlanningError, match="mint: from state 0"):
        policy_iteration(model, 1.0)
    with pytest.raises(PlanningError, match="mint: policy evaluation did not converge in 5 "):
        policy_evaluation(model, [0], 0.99, method="iterative", max_iterations=5)
    assert value_iteration(model, 0.99).values == pytest.approx([100.0])


@pytest.mark.parametrize("discount", [-0.1, 1.1, float("nan")])
def test_A_DP_02_discounts_outside_zero_to_one_are_refused(discount: float) -> None:
    model = random_model(0)
    for plan in (value_iteration, policy_iteration):
        with pytest.raises(ValueError, match="discount is"):
            plan(model, discount)
    with pytest.raises(ValueError, match="discount is"):
        policy_evaluation(model, [0, 0, 0, 0], discount)


def test_A_DP_02_q_from_v_by_hand() -> None:
    table = {
        0: {0: [(0.25, 0, 4.0, False), (0.75, 1, 0.0, True)], 1: [(1.0, 1, 1.0, False)]},
        1: {0: [(1.0, 1, 0.0, True)], 1: [(1.0, 0, 2.0, False)]},
    }
    q = q_from_v(Model.from_table(table, [1.0, 0.0]), [10.0, 20.0], 0.5)
    assert q.tolist() == [[1.0 + 0.5 * 0.25 * 10, 1.0 + 10.0], [0.0, 2.0 + 5.0]]


def test_greedy_takes_the_lowest_of_equal_actions() -> None:
    nearly = 1.0 + 1e-13
    assert greedy(np.array([[0.0, 1.0, nearly], [2.0, 2.0, 0.0], [-1.0, -2.0, 0.0]])).tolist() == [
        1,
        0,
        2,
    ]


@pytest.mark.parametrize(
    ("env_id", "horizon", "best"),
    [
        ("FrozenLake-v1", 100, 0.744190),
        ("FrozenLake8x8-v1", 200, 0.913220),
        ("dreamgym/Lake-v0", 100, 0.744190),
        ("dreamgym/Lake8x8-v0", 200, 0.913220),
        ("dreamgym/Cliff-v0", 500, -13.0),
    ],
)
def test_best_return_within_the_time_limit(env_id: str, horizon: int, best: float) -> None:
    model = model_of(env_id)
    assert float(horizon_values(model, horizon) @ model.initial) == pytest.approx(best, abs=1e-6)


@pytest.mark.parametrize("discount", [1.0, 0.7])
def test_return_within_a_horizon_is_the_sum_over_all_paths(discount: float) -> None:
    model, policy, horizon = random_model(3, states=3), [1, 0, 1], 4

    def expected(state: int, left: int) -> float:
        if left == 0:
            return 0.0
        total = 0.0
        for k in range(3):
            at = state, policy[state], k
            future = 0.0 if model.terminated[at] else expected(int(model.next_state[at]), left - 1)
            total += model.probability[at] * (model.reward[at] + discount * future)
        return total

    found = horizon_values(model, horizon, policy, discount)
    assert found == pytest.approx([expected(s, horizon) for s in range(3)], abs=1e-12)
    assert (horizon_values(model, horizon, discount=discount) >= found - 1e-12).all()


@pytest.mark.parametrize("kind", [ValueIteration, PolicyIteration])
def test_A_DP_02_03_planners_act_plan_save_and_load(kind, tmp_path) -> None:
    agent = kind("CliffWalking-v1", kind.config_type(discount=1.0))
    agent.learn(1, progress=False)
    assert agent.values[36] == pytest.approx(-13.0)
    assert agent.policy.shape == (48,)
    assert agent.q.shape == (48, 4)
    agent.save(tmp_path / "plan.pt")
    loaded = kind.load(tmp_path / "plan.pt")
    assert loaded.solution is not None
    assert np.array_equal(loaded.q, agent.q)
    assert loaded.solution.iterations == agent.solution.iterations
    action, state = loaded.predict(36)
    assert (action, state) == (0, None)  # up and away from the cliff
    assert loaded.predict(np.array([36, 24]))[0].tolist() == [0, 1]
    assert evaluate(loaded, episodes=2).returns == [-13.0, -13.0]
    assert evaluate_policy(loaded, gym.make("CliffWalking-v1"), 2, warn=False) == (-13.0, 0.0)


def test_planners_solve_a_model_that_is_handed_to_them() -> None:
    twice = replace(model_of("CliffWalking-v1"), name="twice")
    twice = replace(twice, reward=2 * twice.reward)
    agent = PolicyIteration("CliffWalking-v1", PolicyIterationConfig(discount=1.0))
    assert agent.solve(twice).values[36] == pytest.approx(-26.0)
    assert agent.predict(36)[0] == 0
    with pytest.raises(NoModelError, match="FrozenLake-v1 has 16 states and 4 actions"):
        agent.solve(model_of("FrozenLake-v1"))


@pytest.mark.parametrize("kind", [ValueIteration, PolicyIteration])
def test_planners_act_where_states_and_actions_begin_elsewhere(kind) -> None:
    moves = zip(Table.NEXT.tolist(), Table.REWARD.tolist(), strict=True)
    table = [[[(1.0, n, r, n == 4)] for n, r in zip(*row, strict=True)] for row in moves]
    model = Model.from_table([*table, [[(1.0, 4, 0.0, True)]] * 2], [0.25] * 4 + [0.0])
    agent = kind("Table-v0", kind.config_type(discount=Table.DISCOUNT))
    np.testing.assert_allclose(agent.solve(model).q[:4], Table.optimum(), atol=1e-9)
    best = (3 + Table.optimum().argmax(1)).tolist()
    assert agent.predict(np.arange(7, 11))[0].tolist() == best
    assert agent.act(np.arange(7, 11), np.ones(4, bool))[0].tolist() == best


def test_planners_refuse_worlds_without_a_table() -> None:
    with pytest.raises(ValueError, match="value-iteration on CartPole-v1: the observation space"):
        ValueIteration("CartPole-v1")
    with pytest.raises(NoModelError, match="Blackjack-v1 has no transition table"):
        ValueIteration("Blackjack-v1").solve()


def test_planners_refuse_a_file_of_another_world(tmp_path) -> None:
    from nets.runs.checkpoint import CheckpointError

    agent = ValueIteration("CliffWalking-v1", VIConfig())
    agent.solve()
    agent.save(tmp_path / "plan.pt")
    with pytest.raises(CheckpointError, match=r"shape \(48, 4\), FrozenLake-v1 needs \(16, 4\)"):
        ValueIteration.load(tmp_path / "plan.pt", env="FrozenLake-v1")


def test_planner_on_a_model_env_earns_what_it_predicts() -> None:
    model = model_of("CliffWalkingSlippery-v1")
    agent = ValueIteration(model_env(model), VIConfig(discount=1.0))
    result = evaluate(agent, episodes=400, seed=1)
    error = result.std_return / np.sqrt(400)
    assert abs(result.mean_return - agent.values[36]) < 4 * error
