import copy
import math
import pickle
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nets.layers.activations import ACTIVATIONS, activation, gain

X = torch.linspace(-6, 6, 1201, dtype=torch.float64)  # contains 0 exactly
SCALAR = [name for name in ACTIVATIONS if "softmax" not in name]


def erf(x):
    return np.vectorize(math.erf)(x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# Each activation and its derivative in float64 NumPy, from the curriculum's formulas.
REFERENCE = {
    "identity": (lambda x: x, np.ones_like),
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x))),
    "tanh": (
        lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
        lambda x: 4 / (np.exp(x) + np.exp(-x)) ** 2,
    ),
    "relu": (lambda x: np.maximum(0, x), lambda x: (x > 0) * 1.0),
    "leaky_relu": (lambda x: np.where(x > 0, x, 0.01 * x), lambda x: np.where(x > 0, 1, 0.01)),
    "prelu": (lambda x: np.where(x > 0, x, 0.25 * x), lambda x: np.where(x > 0, 1, 0.25)),
    "elu": (lambda x: np.where(x > 0, x, np.expm1(x)), lambda x: np.where(x > 0, 1, np.exp(x))),
    "selu": (
        lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
        lambda x: 1.0507009873554805 * np.where(x > 0, 1, 1.6732632423543772 * np.exp(x)),
    ),
    "gelu": (
        lambda x: x * (1 + erf(x / 2**0.5)) / 2,
        lambda x: (1 + erf(x / 2**0.5)) / 2 + x * np.exp(-x * x / 2) / (2 * np.pi) ** 0.5,
    ),
    "silu": (lambda x: x * sigmoid(x), lambda x: sigmoid(x) * (1 + x * (1 - sigmoid(x)))),
    "softplus": (lambda x: np.log1p(np.exp(x)), sigmoid),
    "softsign": (lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x)) ** 2),
    "sign": (lambda x: np.where(x > 0, 1.0, -1.0), np.zeros_like),
}


def slope(module, at):
    x = torch.as_tensor(at, dtype=torch.float64).clone().requires_grad_()
    module(x).sum().backward()
    return x.grad


@pytest.mark.parametrize("name", SCALAR)
def test_value_and_derivative_are_the_formulas(name):
    function, derivative = REFERENCE[name]
    module = activation(name).double()
    np.testing.assert_allclose(module(X).detach().numpy(), function(X.numpy()), atol=1e-12)
    np.testing.assert_allclose(slope(module, X).numpy(), derivative(X.numpy()), atol=1e-12)


@pytest.mark.parametrize("name", SCALAR)
def test_the_documented_range_is_the_range(name):
    facts = ACTIVATIONS[name]
    wide = torch.cat([X, torch.tensor([-1e4, -300.0, 300.0, 1e4], dtype=torch.float64)])
    y = activation(name).double()(wide).detach()
    for bound, reached in [(facts.low, y.min()), (facts.high, y.max())]:
        if math.isinf(bound):
            assert reached.abs() >= 75.0
        else:
            assert reached.item() == pytest.approx(bound, abs=1.1e-4)


@pytest.mark.parametrize("name", SCALAR)
def test_the_documented_saturation_is_where_the_derivative_vanishes(name):
    module = activation(name).double()
    left, right = slope(module, [-40.0, 40.0]).abs().tolist()
    said = ACTIVATIONS[name].saturation
    vanishes_left = said.startswith(("both", "everywhere", "x → -∞", "x < 0"))
    vanishes_right = said.startswith(("both", "everywhere"))
    assert (left < 1e-3) == vanishes_left
    assert (right < 1e-3) == vanishes_right
    if "exponentially" in said:
        assert left < 1e-13  # a power law would be at 6e-4 here


@pytest.mark.parametrize("name", [n for n in SCALAR if n not in ("sigmoid", "tanh")])
def test_the_gain_keeps_the_second_moment(name):
    z = torch.linspace(-12, 12, 200_001, dtype=torch.float64)
    density = torch.exp(-z * z / 2)
    second = (density * activation(name).double()(z).square()).sum() / density.sum()
    assert gain(name) * second.item() ** 0.5 == pytest.approx(1.0, abs=5e-5)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "selu"])
def test_the_gain_is_torchs_where_torch_has_one(name):
    expected = {"selu": 1.0}.get(name, nn.init.calculate_gain(name))
    assert gain(name) == expected


def test_N_ACT_01_sigmoid_has_slope_a_quarter_and_never_overflows():
    assert slope(activation("sigmoid"), 0.0).item() == 0.25
    assert slope(activation("sigmoid").double(), X).max().item() == 0.25
    assert activation("sigmoid")(torch.tensor([-1000.0, 1000.0])).tolist() == [0.0, 1.0]


def test_N_ACT_02_tanh_is_a_rescaled_sigmoid():
    torch.testing.assert_close(activation("tanh")(X), 2 * activation("sigmoid")(2 * X) - 1)
    assert gain("tanh") == 5 / 3


def test_N_ACT_03_relu_has_no_slope_at_zero():
    assert slope(activation("relu"), 0.0).item() == 0.0
    assert gain("relu") == 2**0.5


def test_N_ACT_04_leaky_relu_exposes_its_slope():
    dcgan = activation("leaky_relu", negative_slope=0.2)
    assert slope(dcgan, [-1.0, 0.0, 1.0]).tolist() == [0.2, 0.2, 1.0]
    assert gain(dcgan) == pytest.approx(1.386750, abs=1e-6)
    assert gain(partial(nn.LeakyReLU, 0.2)) == gain(dcgan)


def test_N_ACT_05_prelu_learns_its_slope():
    module = activation("prelu").double()
    assert module.weight.item() == 0.25
    assert gain(nn.PReLU(init=0.5)) == pytest.approx((2 / 1.25) ** 0.5)
    g = torch.sin(X)
    (module(X) * g).sum().backward()
    h, loss = 1e-6, []
    for a in (0.25 + h, 0.25 - h):
        loss.append((torch.where(X > 0, X, a * X) * g).sum().item())
    assert module.weight.grad.item() == pytest.approx((loss[0] - loss[1]) / (2 * h), rel=1e-7)
    assert module.weight.grad.item() == pytest.approx((X * g)[X < 0].sum().item(), rel=1e-12)


def test_N_ACT_06_elu_at_minus_one():
    assert activation("elu")(torch.tensor(-1.0)).item() == pytest.approx(-0.632121, abs=1e-6)


def test_N_ACT_07_softsign_saturates_polynomially():
    assert activation("softsign")(torch.tensor(2.0)).item() == pytest.approx(2 / 3)
    ratio = slope(activation("softsign"), 5.0) / slope(activation("tanh"), 5.0)
    assert ratio.item() > 100


def test_N_ACT_08_softplus_is_stable_and_smooth():
    y = activation("softplus")(torch.tensor([-100.0, 0.0, 100.0], dtype=torch.float64))
    np.testing.assert_allclose(y, [math.exp(-100), math.log(2), 100.0], rtol=1e-12)
    twice = activation("softplus", beta=2.0).double()
    np.testing.assert_allclose(twice(X), np.log1p(np.exp(2 * X.numpy())) / 2, atol=1e-9)
    np.testing.assert_allclose(slope(twice, X), sigmoid(2 * X.numpy()), atol=1e-8)


def test_N_ACT_09_softmax_needs_a_dimension_and_has_the_stated_jacobian():
    for name in ("softmax", "log_softmax"):
        with pytest.raises(ValueError, match="dimension"):
            activation(name)
    softmax = activation("softmax", dim=-1)
    z = torch.tensor([[0.3, -1.2, 2.0], [1000.0, 999.0, -1000.0]], dtype=torch.float64)
    p = softmax(z)
    torch.testing.assert_close(p.sum(-1), torch.ones(2, dtype=torch.float64))
    torch.testing.assert_close(softmax(z + 123.0), p)
    torch.testing.assert_close(p[0], z[0].exp() / z[0].exp().sum())
    jacobian = torch.autograd.functional.jacobian(softmax, z[0])
    torch.testing.assert_close(jacobian, torch.diag(p[0]) - torch.outer(p[0], p[0]))
    torch.testing.assert_close(activation("log_softmax", dim=-1)(z[0]), p[0].log())


def test_N_ACT_09_two_way_softmax_is_a_sigmoid():
    z = torch.randn(50, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    p = activation("softmax", dim=1)(z)
    torch.testing.assert_close(p[:, 1], torch.sigmoid(z[:, 1] - z[:, 0]))


def test_N_ACT_10_the_sign_of_zero_is_minus_one():
    x = torch.tensor([-2.0, -0.0, 0.0, 3.0], requires_grad=True)
    y = activation("sign")(x)
    assert y.tolist() == [-1.0, -1.0, -1.0, 1.0]
    y.sum().backward()
    assert x.grad.tolist() == [0.0] * 4


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("ReLU", nn.ReLU),
        ("leaky-relu", nn.LeakyReLU),
        ("swish", nn.SiLU),
        ("linear", nn.Identity),
        (nn.Hardtanh, nn.Hardtanh),
        (partial(nn.ELU, alpha=2.0), nn.ELU),
        (nn.Mish(), nn.Mish),
        (None, nn.Identity),
    ],
)
def test_every_way_to_say_it(spec, kind):
    assert type(activation(spec)) is kind


def test_a_function_becomes_a_module_that_pickles_and_copies():
    module = activation(F.hardswish)
    x = torch.linspace(-4, 4, 9)
    for same in (module, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(same(x), F.hardswish(x))
    assert "hardswish" in repr(module)


def test_a_module_is_copied_so_that_layers_share_no_parameters():
    prelu = nn.PReLU()
    assert activation(prelu).weight is not prelu.weight


def test_errors_name_what_was_given():
    with pytest.raises(ValueError, match=r"'rleu'; did you mean .*'relu'"):
        activation("rleu")
    with pytest.raises(TypeError, match="3"):
        activation(3)
    with pytest.raises(TypeError, match="negative_slope"):
        activation(nn.LeakyReLU(), negative_slope=0.2)
    with pytest.raises(ValueError, match=r"no gain is known for Mish"):
        gain(nn.Mish)


@pytest.mark.parametrize("name", SCALAR)
def test_it_runs_on_the_meta_device(name):
    assert activation(name).to("meta")(torch.empty(3, device="meta")).shape == (3,)
