import pytest
import torch
from torch import nn

from nets.gradients.gradcheck import GOOD, WRONG, grad_check, numeric_gradient
from nets.layers.mlp import MLP


@pytest.fixture
def problem():
    torch.manual_seed(0)
    model = MLP(3, [5, 4], 2, activation="tanh").double()
    x, y = torch.randn(6, 3, dtype=torch.float64), torch.randn(6, 2, dtype=torch.float64)
    return model, lambda: (model(x) - y).square().mean()


class Scaled(torch.autograd.Function):
    """The identity, with a gradient 1 % too large."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return 1.01 * gradient


def test_N_GRAD_04_a_right_gradient_passes_and_a_planted_fault_is_found(problem):
    model, loss = problem
    assert grad_check(loss, model) < GOOD
    assert grad_check(lambda: Scaled.apply(loss()), model) > WRONG
    assert grad_check(lambda: Scaled.apply(loss()), model) == pytest.approx(0.01 / 2.01, rel=1e-3)


def test_N_GRAD_04_differences_equal_a_derivative_that_is_known():
    x = torch.tensor([[1.0, -2.0], [0.5, 3.0]], dtype=torch.float64, requires_grad=True)
    gradient = numeric_gradient(lambda: x.pow(3).sum(), x)
    torch.testing.assert_close(gradient, 3.0 * x.detach().square(), rtol=1e-8, atol=1e-8)
    assert x.tolist() == [[1.0, -2.0], [0.5, 3.0]]


def test_N_GRAD_04_parameters_that_do_not_matter_have_gradient_0(problem):
    model, loss = problem
    unused = torch.ones(3, dtype=torch.float64, requires_grad=True)
    assert grad_check(loss, [*model.parameters(), unused]) < GOOD
    assert grad_check(lambda: unused.new_zeros((), requires_grad=True), [unused]) == 0.0


def test_N_GRAD_04_noise_and_short_numbers_are_refused(problem):
    model, _ = problem
    x = torch.ones(50, 3, dtype=torch.float64)
    noisy = nn.Sequential(model, nn.Dropout(0.5))
    with pytest.raises(ValueError, match="differs from one evaluation to the next"):
        grad_check(lambda: noisy(x).square().mean(), noisy)
    with pytest.raises(TypeError, match=r"needs float64, got torch\.float32"):
        grad_check(lambda: torch.zeros(()), nn.Linear(2, 1))
