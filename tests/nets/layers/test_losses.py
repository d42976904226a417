"""torch's losses serve as they are: what the rows of the curriculum say of them."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Categorical, kl_divergence


def draw(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.double)


def test_N_LOSS_04_binary_cross_entropy_from_logits():
    logits, target = draw(50), draw(50, seed=1).sigmoid()
    o, t = 1.0 / (1.0 + np.exp(-logits.numpy())), target.numpy()
    bracket = t * np.log(o) + (1.0 - t) * np.log(1.0 - o)
    loss = F.binary_cross_entropy_with_logits(logits, target)
    assert loss.item() == pytest.approx(-bracket.mean(), rel=1e-12)
    assert abs(loss - (bracket**2).mean()) > 0.05  # the square that it is sometimes given
    wrong = F.binary_cross_entropy_with_logits(torch.tensor(1000.0), torch.tensor(0.0))
    assert wrong == 1000.0


def test_N_LOSS_08_binary_cross_entropy_is_that_of_two_logits():
    logits, target = 3.0 * draw(50), (draw(50, seed=1) > 0).double()
    two = torch.stack([torch.zeros_like(logits), logits], 1)
    torch.testing.assert_close(
        F.binary_cross_entropy_with_logits(logits, target), F.cross_entropy(two, target.long())
    )


@pytest.mark.parametrize("total", [1.0, 0.4, 2.5])
def test_N_LOSS_05_gradient_of_cross_entropy_through_the_softmax(total):
    """∂L/∂z_i = p_i Σ_k y_k − y_i; p_i − y_i only where the targets sum to 1."""
    logits = draw(6, 5).requires_grad_()
    target = total * draw(6, 5, seed=1).softmax(1)
    F.cross_entropy(logits, target, reduction="sum").backward()
    p, y = logits.detach().softmax(1), target
    torch.testing.assert_close(logits.grad, p * y.sum(1, keepdim=True) - y, rtol=1e-12, atol=1e-15)
    inside = p * (y.sum(1, keepdim=True) - y)  # −y_i misplaced
    assert (logits.grad - inside).abs().max() > 0.1
    assert torch.allclose(logits.grad, p - y) == (total == 1.0)


def test_N_LOSS_06_divergence_and_its_relation_to_cross_entropy():
    p, q = draw(7, 4).softmax(1), draw(7, 4, seed=1).softmax(1)
    divergence = F.kl_div(q.log(), p, reduction="none").sum(1)  # input = log q, target = p
    expected = (p.numpy() * np.log(p.numpy() / q.numpy())).sum(1)
    np.testing.assert_allclose(divergence, expected, rtol=1e-12)
    torch.testing.assert_close(divergence, kl_divergence(Categorical(p), Categorical(q)))
    entropy = Categorical(p).entropy()
    cross = F.cross_entropy(q.log(), p, reduction="none")
    torch.testing.assert_close(cross, entropy + divergence, rtol=1e-12, atol=0)
    backwards = F.kl_div(p.log(), q, reduction="none").sum(1)
    assert ((divergence - backwards).abs() > 1e-3).all()


def test_N_LOSS_06_zero_times_log_zero_is_zero():
    p = torch.tensor([0.0, 1.0], dtype=torch.double)
    q = torch.tensor([0.5, 0.5], dtype=torch.double)
    assert F.kl_div(q.log(), p, reduction="sum").item() == pytest.approx(np.log(2.0))


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_N_LOSS_09_label_smoothing_is_cross_entropy_with_soft_targets(smoothing):
    """The true class gets 1 − (K − 1)ε/K, every other ε/K."""
    logits, label = draw(9, 5), torch.arange(9) % 5
    soft = torch.full((9, 5), smoothing / 5, dtype=torch.double)
    soft[range(9), label] = 1.0 - 4.0 * smoothing / 5
    torch.testing.assert_close(
        F.cross_entropy(logits, label, label_smoothing=smoothing), F.cross_entropy(logits, soft)
    )
    np.testing.assert_allclose(soft.sum(1), 1.0)


def test_N_LOSS_01_squared_error_has_three_scales():
    o, t = draw(4, 3), draw(4, 3, seed=1)
    squares = ((o - t).numpy() ** 2).ravel()
    assert F.mse_loss(o, t).item() == pytest.approx(squares.mean())
    half = 0.5 * F.mse_loss(o, t, reduction="sum")
    assert half.item() == pytest.approx(0.5 * squares.sum())
    assert not np.isclose(half.item(), F.mse_loss(o, t).item())


def test_N_LOSS_02_each_scale_has_its_own_gradient():
    o, t = draw(7).requires_grad_(), draw(7, seed=1)
    difference = (o - t).detach()
    (mean,) = torch.autograd.grad(F.mse_loss(o, t), o)
    torch.testing.assert_close(mean, 2.0 / 7.0 * difference)
    (half,) = torch.autograd.grad(0.5 * F.mse_loss(o, t, reduction="sum"), o)
    torch.testing.assert_close(half, difference)


def test_N_LOSS_03_the_logarithm_is_of_the_prediction():
    z, y = draw(5, 4), draw(5, 4, seed=1).softmax(-1)
    p = np.exp(z.numpy()) / np.exp(z.numpy()).sum(-1, keepdims=True)
    expected = -(y.numpy() * np.log(p)).sum(-1).mean()
    assert F.cross_entropy(z, y).item() == pytest.approx(expected)
    swapped = -(p * np.log(y.numpy())).sum(-1).mean()
    assert abs(swapped - expected) > 0.01
    hard = torch.tensor([3, 0, 1, 2, 0])
    by_hand = -np.log(p[np.arange(5), hard.numpy()]).mean()
    assert F.cross_entropy(z, hard).item() == pytest.approx(by_hand)
    sure = F.cross_entropy(torch.tensor([[1000.0, 0.0]]), torch.tensor([1]))
    assert sure.item() == 1000.0


def test_N_LOSS_07_the_cost_is_the_mean_of_the_losses():
    z, y = draw(6, 3), torch.tensor([0, 1, 2, 2, 1, 0])
    each = F.cross_entropy(z, y, reduction="none")
    assert each.shape == (6,)
    assert F.cross_entropy(z, y).item() == pytest.approx(each.mean().item())
