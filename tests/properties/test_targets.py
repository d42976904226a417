"""Returns and targets: identities that hold for every λ, discount and place where episodes end."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from agents.dqn.nstep import NStep
from agents.equations.distributional import categorical_projection
from agents.equations.returns import discounted_returns, generalized_advantages, lambda_returns
from agents.equations.targets import double_q_learning_target, q_learning_target
from agents.loop.experience import Transition
from agents.tabular import targets as of_tables

LAMBDAS = st.floats(0, 1)


def float64(*shape, low=-10.0, high=10.0):
    return arrays(np.float64, shape, elements=st.floats(low, high)).map(torch.from_numpy)


class Steps(NamedTuple):
    """T steps of one environment, and the value of the observation they began with."""

    r_t: Tensor
    discount_t: Tensor
    v_t: Tensor
    v_0: Tensor


@st.composite
def transitions(draw):
    """Up to nine steps, some of which end an episode."""
    length = draw(st.integers(1, 9))
    alive = torch.tensor(draw(st.lists(st.booleans(), min_size=length, max_size=length)))
    discount_t = draw(st.floats(0, 1)) * alive.double()
    return Steps(draw(float64(length)), discount_t, draw(float64(length)), draw(float64()))


def n_step_returns(r_t, discount_t, v_t):
    """Every G⁽ⁿ⁾ of the first step, n = 1 to T, summed term by term."""
    found = []
    for n in range(1, len(r_t) + 1):
        weights = np.concatenate([[1.0], np.cumprod(discount_t[:n])])
        found.append((weights[:n] * r_t[:n]).sum() + weights[n] * v_t[n - 1])
    return np.array(found)


@given(transitions(), LAMBDAS)
def test_a_lambda_return_is_the_average_of_n_step_returns(steps, lam):
    """G^λ = (1 − λ) Σ λⁿ⁻¹ G⁽ⁿ⁾ + λᵀ⁻¹ G⁽ᵀ⁾, Sutton & Barto (2018), 12.3."""
    found = lambda_returns(steps.r_t, steps.discount_t, steps.v_t, lam)
    for t in range(len(steps.r_t)):
        returns = n_step_returns(*(x[t:].numpy() for x in (steps.r_t, steps.discount_t, steps.v_t)))
        weights = (1 - lam) * lam ** np.arange(len(returns))
        weights[-1] = lam ** (len(returns) - 1)
        np.testing.assert_allclose(found[t], weights @ returns, rtol=1e-9, atol=1e-9)
        assert returns.min() - 1e-9 <= found[t] <= returns.max() + 1e-9


@given(transitions(), st.integers(1, 8))
def test_A_CORE_02_returns_of_two_parts_are_the_returns_of_the_whole(steps, cut):
    bootstrap = steps.v_t[-1]
    whole = discounted_returns(steps.r_t, steps.discount_t, bootstrap)
    cut = min(cut, len(whole) - 1)
    if cut:
        late = discounted_returns(steps.r_t[cut:], steps.discount_t[cut:], bootstrap)
        early = discounted_returns(steps.r_t[:cut], steps.discount_t[:cut], late[0])
        torch.testing.assert_close(torch.cat([early, late]), whole)


@given(transitions(), LAMBDAS)
def test_advantages_are_lambda_returns_less_the_values_acted_on(steps, lam):
    v_tm1 = torch.cat([steps.v_0[None], steps.v_t[:-1]])
    advantages = generalized_advantages(steps.r_t, steps.discount_t, v_tm1, steps.v_t, lam)
    returns = lambda_returns(steps.r_t, steps.discount_t, steps.v_t, lam)
    torch.testing.assert_close(advantages, returns - v_tm1, rtol=1e-9, atol=1e-9)


@given(transitions(), LAMBDAS, st.data())
def test_what_comes_after_an_episode_s_end_changes_nothing_before(steps, lam, data):
    end = data.draw(st.integers(0, len(steps.r_t) - 1))
    lambda_t = torch.full_like(steps.r_t, lam)
    lambda_t[end] = 0.0
    before = lambda_returns(steps.r_t, steps.discount_t, steps.v_t, lambda_t)
    later = torch.arange(len(steps.r_t)) > end
    changed = (torch.where(later, 99.0, x) for x in (steps.r_t, steps.discount_t, steps.v_t))
    after = lambda_returns(*changed, lambda_t)
    assert torch.equal(before[: end + 1], after[: end + 1])


@given(st.integers(1, 5), st.integers(1, 6), st.data())
def test_targets_lie_below_the_maximum_and_that_of_q_learning_is_it(rows, actions, data):
    q_t, selector = (data.draw(float64(rows, actions)) for _ in range(2))
    r_t, discount_t = data.draw(float64(rows)), data.draw(float64(rows, low=0, high=1))
    best, worst = q_learning_target(r_t, discount_t, q_t), r_t + discount_t * q_t.amin(-1)
    target = double_q_learning_target(r_t, discount_t, q_t, selector)
    assert (target <= best + 1e-9).all()
    assert (target >= worst - 1e-9).all()
    torch.testing.assert_close(double_q_learning_target(r_t, discount_t, q_t, q_t), best)
    chosen, epsilon = data.draw(st.integers(0, actions - 1)), data.draw(st.floats(0, 1))
    tables = torch.cat([selector, q_t]).flatten().numpy()  # that of the other learner comes second
    for row in range(rows):
        step, first = (float(r_t[row]), float(discount_t[row])), row * actions
        second = rows * actions + first
        assert of_tables.q_learning_target(tables, *step, second, actions) == pytest.approx(
            best[row]
        )
        for tabular in (
            of_tables.sarsa_target(tables, *step, second + chosen),
            of_tables.expected_sarsa_target(tables, *step, second, actions, epsilon),
            of_tables.double_q_learning_target(tables, *step, first, actions, rows * actions),
        ):
            assert worst[row] - 1e-9 <= tabular <= best[row] + 1e-9
        assert tabular == pytest.approx(target[row])


@given(st.integers(2, 12), st.data())
def test_a_projected_distribution_keeps_its_mass_and_inside_the_atoms_its_mean(atoms, data):
    low, high = -3.0, 5.0
    returns = data.draw(float64(atoms, low=-9, high=9))
    probability = data.draw(float64(atoms)).softmax(-1)
    projected = categorical_projection(returns, probability, low, high)
    support = torch.linspace(low, high, atoms, dtype=torch.float64)
    assert (projected >= -1e-12).all()
    torch.testing.assert_close(projected.sum(), torch.tensor(1.0, dtype=torch.float64))
    mean = (returns.clamp(low, high) * probability).sum()
    torch.testing.assert_close((support * projected).sum(), mean)


@given(st.integers(1, 5), st.floats(0, 1), st.data())
def test_n_step_rows_hold_the_sums_of_their_own_episode(n, discount, data):
    """Every step gives one row, with the rewards up to its episode's end and no further."""
    length = data.draw(st.integers(1, 15))
    ends = [data.draw(st.sampled_from(["", "", "terminated", "truncated"])) for _ in range(length)]
    ends[-1] = ends[-1] or "truncated"
    reward = np.arange(1.0, length + 1)
    memory, rows = NStep(n, discount, 1), []
    for t, end in enumerate(ends):
        row = memory.push(
            Transition(
                observation=np.array([t]),
                action=np.array([t]),
                reward=reward[t : t + 1],
                terminated=np.array([end == "terminated"]),
                truncated=np.array([end == "truncated"]),
                next_observation=np.array([t + 1]),
                valid=np.ones(1, bool),
                extras={},
            )
        )
        if row is not None:
            rows += list(zip(*row, strict=True))
    rows.sort(key=lambda row: row[0])
    assert [row[0] for row in rows] == list(range(length))
    for start, (_, action, total, bootstrap, after) in enumerate(rows):
        stop = next(t for t in range(start, length) if ends[t] or t == start + n - 1) + 1
        powers = discount ** np.arange(stop - start)
        assert action == start
        assert after == stop
        np.testing.assert_allclose(total, powers @ reward[start:stop])
        alive = ends[stop - 1] != "terminated"
        np.testing.assert_allclose(bootstrap, discount ** (stop - start) * alive)
