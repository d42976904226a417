import math

import pytest
import torch
import torch.distributions as D
import torch.nn.functional as F
from torch import nn

from nets import (
    MLP,
    CategoricalHead,
    DuelingHead,
    GaussianHead,
    TanhGaussianHead,
    ValueHead,
    optimizer,
)
from nets.layers.distributions import Categorical, Gaussian, TanhGaussian, bounded
from nets.layers.heads import Bounded, dueling
from nets.process.seeding import seeded

DRAWS = 200_000


def randn(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.float64, generator=generator)


def grads(loss, *inputs):
    return torch.autograd.grad(loss, inputs)


def test_N_HEAD_01_a_regression_head_learns_the_least_squares_solution():
    x, y = randn(50, 3), randn(50, 2, seed=1)
    with seeded(0):
        head = MLP(3, [], 2).double()
    train = torch.optim.LBFGS(
        head.parameters(), max_iter=200, tolerance_grad=1e-12, tolerance_change=0.0
    )

    def closure():
        train.zero_grad()
        loss = F.mse_loss(head(x), y)
        loss.backward()
        return loss

    train.step(closure)
    design = torch.cat([x, torch.ones(50, 1, dtype=torch.float64)], 1)
    solution = torch.linalg.lstsq(design, y).solution  # [4, 2]
    torch.testing.assert_close(head[0].weight, solution[:3].T, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(head[0].bias, solution[3], atol=1e-6, rtol=1e-6)


def test_N_HEAD_02_one_logit_equals_two_logits():
    with seeded(0):
        two = MLP(4, [8], 2).double()
        one = MLP(4, [8], 1).double()
    one[0].load_state_dict(two[0].state_dict())
    with torch.no_grad():
        one[2].weight.copy_(two[2].weight[1:] - two[2].weight[:1])
        one[2].bias.copy_(two[2].bias[1:] - two[2].bias[:1])
    x, t = randn(30, 4), randn(30, seed=1) > 0
    torch.testing.assert_close(
        F.binary_cross_entropy_with_logits(one(x).squeeze(-1), t.double()),
        F.cross_entropy(two(x), t.long()),
    )


def test_N_HEAD_03_a_multiclass_head_trains_on_logits():
    """The slope of the mean −log pₖ is (p − y)ᵀx/n in W, p = softmax(z) of the raw outputs z."""
    x, t = randn(40, 3), torch.arange(40) % 5
    with seeded(0):
        head = MLP(3, [], 5).double()
    z = head(x)
    policy = Categorical(z)
    p = z.exp() / z.exp().sum(-1, keepdim=True)
    torch.testing.assert_close(policy.probs, p)
    loss = F.cross_entropy(z, t)
    torch.testing.assert_close(loss, -p[range(40), t].log().mean())
    torch.testing.assert_close(loss, -policy.log_prob(t).mean())
    error = (p - F.one_hot(t, 5)).detach() / 40
    weight, bias = grads(loss, head[0].weight, head[0].bias)
    torch.testing.assert_close(weight, error.T @ x)
    torch.testing.assert_close(bias, error.sum(0))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (-0.1, 0.3), (0.7, 123.4)])
def test_N_HEAD_04_the_bounded_head_never_leaves_its_interval(low, high, dtype):
    head = Bounded(low, high).to(dtype)
    x = torch.cat([torch.linspace(-20, 20, 4001), torch.tensor([-1e30, 1e30])]).to(dtype)
    y = head(x)
    assert head.low <= y.min()
    assert y.max() <= head.high
    assert y[-2] == head.low
    assert y[-1] == head.high
    expected = low + (high - low) * (torch.tanh(x.double()) + 1) / 2
    torch.testing.assert_close(y.double(), expected, atol=1e-5 * high, rtol=0)


@pytest.mark.parametrize(("low", "high"), [(1.0, -1.0), (0.0, 0.0), (-math.inf, 1.0)])
def test_N_HEAD_04_bounds_must_be_finite_and_ordered(low, high):
    with pytest.raises(ValueError, match="finite with low < high"):
        Bounded(low, high)


def test_N_HEAD_05_categorical_is_torchs():
    logits = 3 * randn(7, 5).requires_grad_()
    action = torch.arange(7) % 5
    ours, theirs = Categorical(logits), D.Categorical(logits=logits)
    torch.testing.assert_close(ours.log_prob(action), theirs.log_prob(action))
    torch.testing.assert_close(ours.entropy(), theirs.entropy())
    torch.testing.assert_close(ours.probs, theirs.probs)
    assert torch.equal(ours.mode(), theirs.mode)
    mine, reference = ((d.log_prob(action) + 2 * d.entropy()).sum() for d in (ours, theirs))
    torch.testing.assert_close(grads(mine, logits), grads(reference, logits))


def test_N_HEAD_05_categorical_draws_have_the_probabilities():
    logits = torch.tensor([1.0, -2.0, 0.5, -math.inf])
    action = Categorical(logits.expand(DRAWS, 4)).sample(torch.Generator().manual_seed(0))
    frequency = torch.bincount(action, minlength=4) / DRAWS
    p = torch.softmax(logits, 0)
    deviation = (p * (1 - p) / DRAWS).sqrt()
    assert ((frequency - p).abs() <= 4 * deviation).all()
    assert frequency[3] == 0


def test_N_HEAD_05_masked_actions_have_no_entropy_and_no_gradient():
    logits = torch.tensor([0.3, -math.inf, 1.2], requires_grad=True)
    entropy = Categorical(logits).entropy()
    expected = D.Categorical(logits=torch.tensor([0.3, 1.2])).entropy()
    torch.testing.assert_close(entropy, expected)
    entropy.backward()
    assert logits.grad.isfinite().all()
    assert logits.grad[1] == 0


def test_N_HEAD_05_gaussian_is_torchs():
    mean, action = randn(6, 3).requires_grad_(), randn(6, 3, seed=1)
    log_std = torch.tensor([-1.0, 0.0, 0.7], dtype=torch.float64, requires_grad=True)
    ours = Gaussian(mean, log_std)
    theirs = D.Independent(D.Normal(mean, log_std.exp().expand(6, 3)), 1)
    torch.testing.assert_close(ours.log_prob(action), theirs.log_prob(action))
    torch.testing.assert_close(ours.entropy(), theirs.entropy())
    assert torch.equal(ours.mode(), mean)
    mine, reference = (d.log_prob(action).sum() + d.entropy().sum() for d in (ours, theirs))
    torch.testing.assert_close(grads(mine, mean, log_std), grads(reference, mean, log_std))


def test_N_HEAD_05_gaussian_draws_have_the_moments_and_the_gradient():
    mean = torch.tensor([1.0, -2.0], requires_grad=True)
    log_std = torch.tensor([-0.5, 0.5], requires_grad=True)
    policy = Gaussian(mean.expand(DRAWS, 2), log_std)
    action = policy.rsample(torch.Generator().manual_seed(0))
    error = log_std.exp() / DRAWS**0.5
    assert ((action.mean(0) - mean).abs() < 4 * error).all()
    assert ((action.std(0) - log_std.exp()).abs() < 4 * error).all()
    noise = (action - mean) / log_std.exp()
    torch.testing.assert_close(grads(action.sum(), log_std)[0], (noise * log_std.exp()).sum(0))
    drawn = policy.sample(torch.Generator().manual_seed(0))
    assert torch.equal(drawn, action)
    assert not drawn.requires_grad


@pytest.mark.parametrize("mu", [-3.0, 0.0, 1.5])
@pytest.mark.parametrize("log_std", [-1.5, 0.0, 1.0])
def test_N_HEAD_05_squashed_density_integrates_to_one(mu, log_std):
    low, high = torch.tensor([-2.0]).double(), torch.tensor([3.0]).double()
    policy = TanhGaussian(torch.tensor([mu]).double(), torch.tensor([log_std]).double(), low, high)
    # Mass gathers at the edges: integrate over actions on a grid that is even in u.
    u = torch.linspace(-17, 17, 100_001, dtype=torch.float64).unsqueeze(-1)
    action = bounded(u, low, high)
    density = policy.log_prob(action).exp()
    assert torch.trapezoid(density, action.squeeze(-1)).item() == pytest.approx(1.0, abs=1e-3)


def test_N_HEAD_05_squashed_log_prob_is_torchs():
    mean, log_std = randn(6, 3), 0.3 * randn(3, seed=1)
    low = torch.tensor([-1.0, -2.0, 0.0], dtype=torch.float64)
    high = torch.tensor([1.0, 4.0, 0.5], dtype=torch.float64)
    ours = TanhGaussian(mean, log_std, low, high)
    affine = D.AffineTransform((low + high) / 2, (high - low) / 2)
    theirs = D.TransformedDistribution(
        D.Normal(mean, log_std.exp().expand(6, 3)), [D.TanhTransform(), affine]
    )
    action, log_prob = ours.rsample_with_log_prob(torch.Generator().manual_seed(0))
    torch.testing.assert_close(log_prob, theirs.log_prob(action).sum(-1))
    torch.testing.assert_close(ours.log_prob(action), log_prob)
    assert torch.equal(ours.sample(torch.Generator().manual_seed(0)), action)
    torch.testing.assert_close(ours.mode(), affine(torch.tanh(mean)))


def test_N_HEAD_05_squashed_log_prob_stays_finite_and_differentiable_at_the_bounds():
    mean = torch.tensor([[-30.0], [30.0]], requires_grad=True)
    policy = TanhGaussian(mean, torch.zeros(1), -torch.ones(1), torch.ones(1))
    action, log_prob = policy.rsample_with_log_prob(torch.Generator().manual_seed(0))
    assert action.abs().tolist() == [[1.0], [1.0]]
    u = policy.base.rsample(torch.Generator().manual_seed(0))
    log_det = math.log(4) - 2 * u.abs()  # that far out, to within rounding
    torch.testing.assert_close(log_prob, (D.Normal(mean, 1.0).log_prob(u) - log_det).squeeze(-1))
    (gradient,) = grads(log_prob.sum(), mean)
    torch.testing.assert_close(gradient, torch.tensor([[-2.0], [2.0]]))
    assert policy.log_prob(action).isfinite().all()


def test_N_HEAD_05_A_FA_03_dueling_mean_over_actions_is_the_value_exactly():
    value = torch.tensor([[3.25], [-1.5]])
    advantage = torch.tensor([[1.0, 2.5, -0.25, 4.75], [0.5, 0.5, 8.0, -3.0]])  # exact in binary
    q = dueling(value, advantage)
    assert torch.equal(q.mean(-1, keepdim=True), value)
    torch.testing.assert_close(q - q[:, :1], advantage - advantage[:, :1])


def test_N_HEAD_05_dueling_head_has_two_streams_and_ignores_a_shift_of_the_advantages():
    with seeded(0):
        head = DuelingHead(6, 3, hidden=[5], activation="tanh", init="orthogonal").double()
    x = randn(2, 4, 6)
    q = head(x)
    assert q.shape == (2, 4, 3)
    assert head.out_features == 3
    torch.testing.assert_close(q.mean(-1, keepdim=True), head.value(x))
    with torch.no_grad():
        head.advantage[-1].bias += 10.0
    torch.testing.assert_close(head(x), q)
    assert type(head.value[1]) is nn.Tanh


def test_N_HEAD_05_value_head_has_no_last_dimension():
    head = ValueHead(6).double()
    x = randn(2, 4, 6)
    torch.testing.assert_close(
        head(x), torch.einsum("tbi,i->tb", x, head.linear.weight[0]) + head.linear.bias
    )


@pytest.mark.parametrize(
    ("head", "layer", "gain"),
    [
        (CategoricalHead(8, 4, init="orthogonal"), "logits", 0.01),
        (GaussianHead(8, 4, init="orthogonal"), "mean", 0.01),
        (TanhGaussianHead(8, 4, init="orthogonal"), "mean", 0.01),
        (ValueHead(8, init="orthogonal"), "linear", 1.0),
    ],
)
def test_N_HEAD_05_gains_of_policy_and_value_outputs(head, layer, gain):
    weight = getattr(head, layer).weight
    assert torch.linalg.matrix_norm(weight, 2).item() == pytest.approx(gain, rel=1e-5)


def test_N_HEAD_05_gaussian_head_has_a_log_std_that_ignores_the_state():
    head = GaussianHead(6, 3, log_std=-0.5)
    policy = head(torch.randn(4, 6))
    assert (policy.log_std == -0.5).all()
    assert policy.log_std.shape == (4, 3)
    policy.entropy().sum().backward()
    assert head.log_std.grad.tolist() == [4.0] * 3
    assert "log_std" in head.state_dict()


def test_N_HEAD_05_tanh_gaussian_head_stays_in_the_bounds_with_log_std_in_range():
    head = TanhGaussianHead(6, 2, [-1.0, 0.0], [1.0, 10.0], log_std_range=(-4.0, 1.0))
    policy = head(100 * torch.randn(1000, 6))
    assert policy.base.log_std.min() >= -4.0
    assert policy.base.log_std.max() <= 1.0
    for action in (policy.sample(), policy.mode()):
        assert (head.squash.low <= action).all()
        assert (action <= head.squash.high).all()
    assert policy.log_prob(policy.sample()).shape == (1000,)


def test_a_categorical_head_learns_the_best_arm_by_policy_gradient():
    with seeded(0):
        head = CategoricalHead(1, 3)
        train = optimizer("adam", head, lr=0.05)
        state, reward = torch.ones(256, 1), torch.tensor([0.0, 1.0, 0.2])
        for _ in range(60):
            policy = head(state)
            action = policy.sample()
            advantage = reward[action] - reward[action].mean()
            train.zero_grad()
            (-(policy.log_prob(action) * advantage)).mean().backward()
            train.step()
    assert head(state[:1]).probs[0, 1] > 0.9


@pytest.mark.parametrize("build", [CategoricalHead, GaussianHead, TanhGaussianHead, DuelingHead])
def test_heads_run_on_the_meta_device(build):
    with torch.device("meta"):
        head = build(6, 3, init="orthogonal")
        out = head(torch.empty(4, 6))
        action = out if isinstance(out, torch.Tensor) else out.sample()
        assert action.shape[0] == 4
        if not isinstance(out, torch.Tensor):
            assert out.log_prob(action).shape == (4,)
            assert out.mode().shape == action.shape
