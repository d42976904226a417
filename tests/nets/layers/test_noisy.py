import math

import pytest
import torch
from torch import nn

from nets import MLP, DuelingHead
from nets.layers.noisy import NoisyLinear, noisy_
from nets.process.seeding import seeded

DRAWS = 40_000
FOURTH_ROOT_MOMENT = math.sqrt(2 / math.pi)  # E|ξ| of a standard normal: the variance of f(ξ)


def layer_and_input(bias=True):
    with seeded(0):
        layer = NoisyLinear(5, 3, bias=bias, std=0.7).double()
        layer.weight_std.data.uniform_(0.1, 1.0)
        if bias:
            layer.bias_std.data.uniform_(0.1, 1.0)
        return layer, torch.randn(5, dtype=torch.float64)


@pytest.mark.parametrize("bias", [True, False])
def test_mean_and_variance_of_the_output_are_their_closed_forms(bias):
    """Var yᵢ = v² Σⱼ Sᵢⱼ² xⱼ² + v sᵢ², v = E|ξ|; f(ξⱼ') of different inputs are independent."""
    layer, x = layer_and_input(bias)
    with seeded(1), torch.no_grad():
        y = torch.stack([layer(x) for _ in range(DRAWS)])  # [draws, 3]
    mean = layer.weight @ x
    v = FOURTH_ROOT_MOMENT
    variance = v**2 * (layer.weight_std.square() @ x.square())
    if bias:
        mean = mean + layer.bias
        variance = variance + v * layer.bias_std.square()
    standard_error = (variance / DRAWS).sqrt()
    assert ((y.mean(0) - mean).abs() < 4 * standard_error).all()
    torch.testing.assert_close(y.var(0), variance, rtol=0.05, atol=0)


def test_the_noise_is_factorised():
    """Weights of one column share ξⱼ', those of one row ξᵢ: their noise has rank one."""
    layer, _ = layer_and_input(bias=False)
    layer.weight.data.zero_()
    layer.weight_std.data.fill_(1.0)
    with seeded(2), torch.no_grad():
        probe = torch.eye(5, dtype=torch.float64)
        noise = layer(probe).T  # [3, 5], one draw for the whole batch
    assert torch.linalg.matrix_rank(noise) == 1
    xi = noise[0].square() * noise[0].sign()  # f is undone by sgn(f) f², up to a factor
    ratio = (noise[1].square() * noise[1].sign()) / xi
    torch.testing.assert_close(ratio, ratio[:1].expand(5))


def test_evaluation_takes_the_mean_and_draws_nothing():
    layer, x = layer_and_input()
    layer.eval()
    with seeded(3):
        before = torch.random.get_rng_state()
        y = layer(x)
        assert torch.equal(torch.random.get_rng_state(), before)
    torch.testing.assert_close(y, layer.weight @ x + layer.bias)
    layer.train()
    with seeded(3):
        noisy = layer(x)
    assert not torch.allclose(noisy, y)


def test_draws_follow_torchs_generator():
    layer, x = layer_and_input()
    found = []
    for seed in (5, 5, 6):
        with seeded(seed):
            found.append(layer(x))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_gradients_reach_means_and_deviations():
    layer, x = layer_and_input()

    def loss(*parameters):
        with seeded(4):  # the same noise at each call
            return torch.func.functional_call(
                layer, dict(zip(dict(layer.named_parameters()), parameters, strict=True)), x
            )

    assert torch.autograd.gradcheck(loss, tuple(layer.parameters()))
    with seeded(4):
        layer(x).sum().backward()
    assert all(parameter.grad.abs().min() > 0 for parameter in layer.parameters())


@pytest.mark.parametrize("in_features", [1, 16, 400])
def test_weights_begin_as_in_the_paper(in_features):
    with seeded(0):
        layer = NoisyLinear(in_features, 50, std=0.4)
    bound = 1 / math.sqrt(in_features)
    for mean in (layer.weight, layer.bias):
        assert mean.abs().max() <= bound
        assert mean.detach().std() == pytest.approx(bound / math.sqrt(3), rel=0.3)
    for deviation in (layer.weight_std, layer.bias_std):
        torch.testing.assert_close(deviation, torch.full_like(deviation, 0.4 * bound))


def test_every_dense_layer_of_a_network_becomes_noisy():
    with seeded(0):
        network = nn.Sequential(MLP(4, [8], bias=True, norm="layer"), DuelingHead(8, 3, atoms=2))
        x = torch.randn(6, 4)
        before = network.eval()(x)
        returned = noisy_(network, std=0.2)
    assert returned is network
    kinds = [type(module) for module in network.modules()]
    assert nn.Linear not in kinds
    assert kinds.count(NoisyLinear) == 3
    torch.testing.assert_close(network(x), before)  # the same means
    assert not torch.allclose(network.train()(x), before)
    stds = [p for name, p in network.named_parameters() if name.endswith("_std")]
    assert len(stds) >= 5  # a layer before a norm may have no bias


def test_std_must_be_positive():
    with pytest.raises(ValueError, match="std must be positive, got 0"):
        NoisyLinear(3, 2, std=0)
