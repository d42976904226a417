import numpy as np
import pytest
import torch
from torch.nn import functional

from agents.equations.losses import huber, square
from agents.equations.returns import discounted_returns
from agents.equations.targets import double_q_learning_target, q_learning_target

# Two environments, three actions, γ = 0.9; the second one terminates.
R = torch.tensor([1.0, -2.0])
DISCOUNT = 0.9 * (1 - torch.tensor([0.0, 1.0]))
Q = torch.tensor([[1.0, 5.0, 3.0], [7.0, 8.0, 9.0]])
SELECTOR = torch.tensor([[4.0, 0.0, 6.0], [0.0, 1.0, 0.0]])

TARGETS = {
    "q-learning": (lambda r, d, q: q_learning_target(r, d, q), 1 + 0.9 * 5.0),
    "double": (lambda r, d, q: double_q_learning_target(r, d, q, SELECTOR), 1 + 0.9 * 3.0),
}


@pytest.mark.parametrize(("target", "first"), TARGETS.values(), ids=TARGETS.keys())
def test_A_FA_02_A_FA_03_targets_by_hand(target, first):
    torch.testing.assert_close(target(R, DISCOUNT, Q), torch.tensor([first, -2.0]))


@pytest.mark.parametrize(("target", "first"), TARGETS.values(), ids=TARGETS.keys())
def test_termination_cuts_the_bootstrap_and_truncation_does_not(target, first):
    """Negative control: the wrong flag gives the wrong number."""
    terminated, truncated = torch.tensor([True, False]), torch.tensor([False, True])
    right = target(R, 0.9 * (~terminated).float(), Q)
    wrong = target(R, 0.9 * (~(terminated | truncated)).float(), Q)
    assert right[0] == R[0]  # terminated: nothing follows
    assert right[1] != R[1]  # truncated: the value of the last observation follows
    assert wrong[1] == R[1]


def test_A_FA_03_double_is_single_where_both_networks_agree():
    q = torch.randn(50, 4, generator=torch.Generator().manual_seed(0))
    r, discount = torch.randn(50), torch.rand(50)
    single, double = (
        q_learning_target(r, discount, q),
        double_q_learning_target(r, discount, q, 3 * q + 1),
    )
    torch.testing.assert_close(single, double)


def test_A_FA_03_the_maximum_is_biased_and_double_learning_is_not():
    """All true values are 0: the maximum of noisy estimates is above, the double estimate on it."""
    noise = torch.randn(2, 200_000, 5, generator=torch.Generator().manual_seed(0))
    zero, one = torch.zeros(200_000), torch.ones(200_000)
    expected_maximum = 1.16296  # of five standard normal draws
    assert q_learning_target(zero, one, noise[0]).mean() == pytest.approx(
        expected_maximum, abs=0.01
    )
    assert double_q_learning_target(zero, one, *noise).mean() == pytest.approx(0.0, abs=0.01)


def test_targets_take_any_leading_shape():
    r, discount, q = torch.randn(4, 7), torch.rand(4, 7), torch.randn(4, 7, 3)
    selector = torch.randn(4, 7, 3)
    for target, last in ((q_learning_target, ()), (double_q_learning_target, (selector,))):
        whole = target(r, discount, q, *last)
        assert whole.shape == (4, 7)
        for k in range(4):
            row = target(r[k], discount[k], q[k], *(field[k] for field in last))
            torch.testing.assert_close(whole[k], row)


ERRORS = torch.tensor([-30.0, -1.5, -1.0, -0.999, -0.2, 0.0, 0.3, 0.999, 1.0, 1.001, 12.0])
LOSSES = {"huber": (huber, functional.smooth_l1_loss), "square": (square, functional.mse_loss)}


@pytest.mark.parametrize(("loss", "torchs"), LOSSES.values(), ids=LOSSES.keys())
def test_A_FA_02_losses_of_errors_are_torchs_and_slopes_their_derivatives(loss, torchs):
    error = ERRORS.clone().requires_grad_()
    expected = torchs(error, torch.zeros_like(error), reduction="none")
    expected.sum().backward()
    value, slope = loss(ERRORS)
    torch.testing.assert_close(value, expected.detach())
    torch.testing.assert_close(slope, error.grad)


def direct_return(rewards, discounts, bootstrap):
    """The sum Σₖ (Πᵢ discountᵢ) rewardₖ, written out in double precision."""
    total, weight = 0.0, 1.0
    for reward, discount in zip(rewards, discounts, strict=True):
        total += weight * reward
        weight *= discount
    return total + weight * bootstrap


def test_A_CORE_02_the_recursion_of_returns_is_the_direct_sum():
    rng = np.random.default_rng(0)
    rewards = rng.normal(size=(40, 6))
    discounts = 0.97 * (rng.random((40, 6)) > 0.1)  # some steps terminate
    bootstrap = rng.normal(size=6)
    returns = discounted_returns(*map(torch.from_numpy, (rewards, discounts, bootstrap)))
    expected = [
        [direct_return(rewards[t:, k], discounts[t:, k], bootstrap[k]) for k in range(6)]
        for t in range(40)
    ]
    np.testing.assert_allclose(returns.numpy(), expected, rtol=0, atol=1e-12)


def test_A_CORE_02_returns_by_hand():
    rewards, discounts = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.5, 0.0, 0.5])
    # 3 + 0.5 · 10 = 8; 2 + 0 · 8 = 2; 1 + 0.5 · 2 = 2
    returns = discounted_returns(rewards, discounts, torch.tensor(10.0))
    assert returns.tolist() == [2.0, 2.0, 8.0]


def test_A_CORE_02_a_constant_reward_tends_to_its_geometric_sum():
    steps, discount = 2000, 0.99
    returns = discounted_returns(
        torch.ones(steps, dtype=torch.float64),
        torch.full((steps,), discount, dtype=torch.float64),
        torch.tensor(0.0, dtype=torch.float64),
    )
    assert returns[0].item() == pytest.approx(1 / (1 - discount), rel=1e-8)
