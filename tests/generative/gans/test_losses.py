"""generative/gans/losses.py against closed forms, slopes and identities."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance

from generative.gans import losses as adversarial


def logit(p):
    return torch.as_tensor(np.log(p / (1.0 - p)))


@pytest.fixture
def logits():
    generator = np.random.default_rng(0)
    return torch.as_tensor(generator.normal(0, 3, 50)), torch.as_tensor(generator.normal(-1, 3, 70))


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x.numpy()))


def test_G_GAN_01_value_at_the_optimum_is_minus_log_4():
    p = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    best = logit(adversarial.optimal_discriminator(p, p).numpy())
    assert best.tolist() == [0.0, 0.0, 0.0]
    assert adversarial.game_value(best, best).item() == pytest.approx(-1.386294361, abs=1e-9)


def test_G_GAN_01_no_discriminator_beats_the_optimal_one():
    """Over three outcomes: V(D) = Σ p log D + q log(1 − D) is highest at D* = p / (p + q)."""
    p = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    q = torch.tensor([0.1, 0.3, 0.6], dtype=torch.float64)

    def value(d):
        rows = torch.repeat_interleave(torch.arange(3), torch.tensor([7, 2, 1]))
        others = torch.repeat_interleave(torch.arange(3), torch.tensor([1, 3, 6]))
        return adversarial.game_value(logit(d[rows]), logit(d[others])).item()

    best = adversarial.optimal_discriminator(p, q).numpy()
    assert best == pytest.approx([7 / 8, 2 / 5, 1 / 7])
    highest = value(best)
    for i in range(3):
        for step in (-0.05, 0.05):
            other = best.copy()
            other[i] += step
            assert value(other) < highest - 1e-4
    divergence = adversarial.jensen_shannon_divergence(p, q).item()
    assert highest == pytest.approx(2 * divergence - math.log(4), abs=1e-12)


def test_G_GAN_01_value_is_the_mean_of_logarithms(logits):
    real, fake = logits
    expected = np.log(sigmoid(real)).mean() + np.log(1 - sigmoid(fake)).mean()
    assert adversarial.game_value(real, fake).item() == pytest.approx(expected, abs=1e-12)


def test_G_GAN_02_slopes_of_both_generator_losses_where_the_discriminator_is_sure():
    """At D ≈ 0 the saturating loss gives no slope, the other −1; at D ≈ 1 it is the other way."""
    for sure, saturating, other in ((-20.0, 0.0, -1.0), (0.0, -0.5, -0.5), (20.0, -1.0, 0.0)):
        fake = torch.tensor([sure], dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(adversarial.saturating_loss(fake), fake)
        assert slope.item() == pytest.approx(saturating, abs=1e-8)
        (slope,) = torch.autograd.grad(adversarial.non_saturating_loss(fake), fake)
        assert slope.item() == pytest.approx(other, abs=1e-8)


def test_G_GAN_02_values_of_both_generator_losses(logits):
    _, fake = logits
    d = sigmoid(fake)
    assert adversarial.saturating_loss(fake).item() == pytest.approx(np.log(1 - d).mean())
    assert adversarial.non_saturating_loss(fake).item() == pytest.approx(-np.log(d).mean())


def test_G_GAN_03_discriminator_loss_is_minus_the_value(logits):
    loss = adversarial.discriminator_loss(*logits)
    assert loss.item() == pytest.approx(-adversarial.game_value(*logits).item(), abs=1e-12)


@pytest.mark.parametrize("loss", ["discriminator_loss", "game_value"])
def test_N_LOSS_08_losses_are_finite_and_exact_at_huge_logits(loss):
    wrong = torch.tensor([-1e4]), torch.tensor([1e4])
    assert abs(getattr(adversarial, loss)(*wrong).item()) == 2e4


def test_N_LOSS_09_only_the_label_of_data_is_smoothed(logits):
    real, fake = logits
    d, g = sigmoid(real), sigmoid(fake)
    expected = -(0.9 * np.log(d) + 0.1 * np.log(1 - d)).mean() - np.log(1 - g).mean()
    loss = adversarial.discriminator_loss(real, fake, label_smoothing=0.1)
    assert loss.item() == pytest.approx(expected, abs=1e-12)


def test_G_GAN_09_smoothed_data_are_best_called_09():
    """Where there is only data, the slope of the loss is zero at D = 0.9 and nowhere else."""
    for d, sign in ((0.8, -1), (0.9, 0), (0.95, 1)):
        real = logit(np.array([d])).requires_grad_()
        loss = adversarial.discriminator_loss(real, torch.zeros(1), label_smoothing=0.1)
        (slope,) = torch.autograd.grad(loss, real)
        assert np.sign(round(slope.item(), 9)) == sign


def test_G_GAN_07_jensen_shannon_of_disjoint_supports_is_log_2_at_any_distance():
    """A point of data at 0, a point of samples at θ: JSD says only "apart", W₁ says how far."""
    at = torch.arange(12.0)
    data = torch.eye(12, dtype=torch.float64)[0]
    divergences, distances = [], []
    for theta in range(12):
        samples = torch.eye(12, dtype=torch.float64)[theta]
        divergences.append(adversarial.jensen_shannon_divergence(data, samples).item())
        distances.append(wasserstein_distance(at, at, data, samples))
    assert divergences == pytest.approx([0.0] + [0.693147181] * 11, abs=1e-9)
    assert distances == pytest.approx(np.arange(12.0))


def test_G_GAN_07_jensen_shannon_is_half_the_sum_of_divergences_from_the_middle():
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.1, 0.8])
    m = (p + q) / 2
    expected = 0.5 * (p * np.log(p / m)).sum() + 0.5 * (q * np.log(q / m)).sum()
    found = adversarial.jensen_shannon_divergence(torch.as_tensor(p), torch.as_tensor(q))
    assert found.item() == pytest.approx(expected, abs=1e-12)


def test_G_GAN_07_a_sure_discriminator_gives_no_slope_and_a_critic_gives_one():
    """The sample at θ follows ∂loss/∂θ through D: saturated in a GAN, of size 1 in a WGAN."""
    theta = torch.tensor([7.0], dtype=torch.float64, requires_grad=True)
    sure = 20.0 - 20.0 * theta  # logit: 20 at the data's 0, −120 at the sample
    (slope,) = torch.autograd.grad(adversarial.saturating_loss(sure), theta)
    assert abs(slope.item()) < 1e-40
    (slope,) = torch.autograd.grad(adversarial.wasserstein_generator_loss(-theta.abs()), theta)
    assert slope.item() == 1.0


def test_G_GAN_08_penalty_of_a_linear_critic():
    """D(x) = 3x₁ + 4x₂ has slope 5 everywhere: the penalty is (5 − 1)² = 16."""
    weight = torch.tensor([3.0, 4.0])
    penalty = adversarial.gradient_penalty(
        lambda x: x @ weight, torch.randn(9, 2), torch.ones(9, 2)
    )
    assert penalty.item() == pytest.approx(16.0, rel=1e-6)


def test_G_GAN_08_penalty_looks_on_the_line_between_a_datum_and_its_sample():
    """D(x) = ½‖x‖² has slope ‖x‖; the points it is asked about lie evenly on the segments."""
    seen = []

    def critic(x):
        seen.append(x.detach())
        return 0.5 * x.square().sum((1, 2))

    real = torch.tensor([0.0, 2.0]).expand(5000, 1, 2)
    fake = torch.tensor([3.0, 5.0]).expand(5000, 1, 2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        penalty = adversarial.gradient_penalty(critic, real, fake)
    (x,) = seen
    along = x[:, 0, 0].numpy() / 3.0
    assert (x[:, 0, 1] - 2.0).numpy() / 3.0 == pytest.approx(along, abs=1e-6)  # one u per row
    assert np.histogram(along, 5, (0, 1))[0] == pytest.approx(np.full(5, 1000), abs=150)
    expected = (x[:, 0].norm(dim=1) - 1).square().mean()
    assert penalty.item() == pytest.approx(expected.item(), rel=1e-5)


def test_G_GAN_08_penalty_can_be_differentiated_and_has_no_nan_where_the_critic_is_flat():
    weight = torch.tensor([3.0, 4.0], dtype=torch.float64, requires_grad=True)
    x = torch.zeros(4, 2, dtype=torch.float64)
    penalty = adversarial.gradient_penalty(lambda x: x @ weight, x, x)
    (slope,) = torch.autograd.grad(penalty, weight)
    assert slope.tolist() == pytest.approx([2 * 4 * 0.6, 2 * 4 * 0.8])  # 2(‖w‖ − 1) w / ‖w‖
    flat = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    penalty = adversarial.gradient_penalty(lambda x: x @ flat, x, x)
    (slope,) = torch.autograd.grad(penalty, flat)
    assert penalty.item() == 1.0
    assert slope.tolist() == [0.0, 0.0]


def test_G_GAN_08_best_critic_of_two_points_measures_their_distance():
    """D(x) = −x is 1-Lipschitz and best for data at 0 and samples at 3: its loss is −W₁ = −3."""
    real, fake = torch.zeros(4), torch.full((6,), 3.0)
    assert adversarial.critic_loss(-real, -fake).item() == -3.0
    assert adversarial.wasserstein_generator_loss(-fake).item() == 3.0
