"""Optimisers against their update rules in NumPy, what decays, and torch's own behaviour."""

import numpy as np
import pytest
import torch
from torch import nn

from nets import MLP, clip_grads, optimizer
from nets.gradients.optim import OPTIMISERS, parameter_groups
from nets.process.seeding import seeded

STEPS = 60
START = np.array([1.5, -2.0, 0.3])
SCALE = np.array([1.0, 10.0, 0.1])


def gradient(w):
    """Of Σ s·(w²/2 + sin w): neither constant nor linear."""
    return SCALE * (w + np.cos(w))


def trajectory(name, lr_at=None, **arguments):
    """Iterates [STEPS, 3] of our optimiser; `lr_at(t)` sets the rate of step t."""
    w = torch.tensor(START, requires_grad=True)
    rule = optimizer(name, [w], **arguments)
    path = []
    for t in range(STEPS):
        if lr_at is not None:
            rule.param_groups[0]["lr"] = lr_at(t)
        w.grad = torch.from_numpy(gradient(w.detach().numpy()))
        rule.step()
        path.append(w.detach().numpy().copy())
    return np.array(path)


def reference(update):
    """Iterates of `update(w, g, state, t)`, t from 1; `state` is a dict of zeros."""
    w, state, path = START.copy(), {}, []
    for t in range(1, STEPS + 1):
        w = update(w, gradient(w), state, t)
        path.append(w)
    return np.array(path)


def ema(state, key, decay, value):
    state[key] = decay * state.get(key, 0.0) + (1 - decay) * value
    return state[key]


def assert_same(ours, theirs, tolerance=1e-9):
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def accumulated(lr, beta):
    def update(w, g, s, t):
        s["z"] = beta * s.get("z", 0.0) + g
        return w - lr(t) * s["z"]

    return update


def increments(lr, beta):
    def update(w, g, s, t):
        s["d"] = -lr(t) * g + beta * s.get("d", 0.0)
        return w + s["d"]

    return update


def test_plain_sgd_has_no_momentum():
    assert_same(trajectory("sgd", lr=0.05), reference(lambda w, g, s, t: w - 0.05 * g))


@pytest.mark.parametrize("beta", [0.5, 0.9])
def test_N_OPT_05_momentum_accumulates_gradients(beta):
    ours = trajectory("momentum", lr=0.02, momentum=beta)
    assert_same(ours, reference(accumulated(lambda t: 0.02, beta)))


def test_N_OPT_06_increment_momentum_is_the_same_only_at_a_constant_rate():
    ours = trajectory("momentum", lr=0.02)
    assert_same(ours, reference(increments(lambda t: 0.02, 0.9)))
    ours = trajectory("momentum", lr_at=lambda t: 0.02 / (t + 1))
    assert_same(ours, reference(accumulated(lambda t: 0.02 / t, 0.9)))
    assert np.abs(ours - reference(increments(lambda t: 0.02 / t, 0.9))).max() > 0.01


def test_N_OPT_07_averaged_momentum_is_sgd_with_scaled_lr():
    def update(w, g, s, t):
        return w - 0.2 * ema(s, "v", 0.9, g)

    ours = trajectory("averaged_momentum", lr=0.2, momentum=0.9)
    assert_same(ours, reference(update))
    assert_same(ours, trajectory("momentum", lr=0.2 * (1 - 0.9), momentum=0.9))
    dampened = trajectory("sgd", lr=0.2, momentum=0.9, dampening=0.9)  # torch skips it at first
    assert np.abs(ours - dampened).max() > 0.1


def test_N_OPT_08_nesterov_looks_ahead():
    def update(w, g, s, t):
        s["v"] = 0.9 * s.get("v", 0.0) + g
        return w - 0.02 * (g + 0.9 * s["v"])

    assert_same(trajectory("nesterov", lr=0.02), reference(update))


def test_N_OPT_09_adagrad():
    def update(w, g, s, t):
        s["r"] = s.get("r", 0.0) + g * g
        return w - 0.3 * g / (1e-7 + np.sqrt(s["r"]))

    assert_same(trajectory("adagrad", lr=0.3), reference(update))
    assert optimizer("adagrad", nn.Linear(1, 1)).defaults["eps"] == 1e-7


def test_N_OPT_10_adadelta():
    def update(w, g, s, t):
        r = ema(s, "r", 0.9, g * g)
        delta = -np.sqrt(s.get("d", 0.0) + 1e-6) / np.sqrt(r + 1e-6) * g
        ema(s, "d", 0.9, delta * delta)
        return w + delta

    assert_same(trajectory("adadelta"), reference(update))


def test_N_OPT_11_rmsprop():
    def update(w, g, s, t):
        return w - 0.01 * g / (1e-7 + np.sqrt(ema(s, "r", 0.9, g * g)))

    assert_same(trajectory("rmsprop", lr=0.01), reference(update))


def adam(w, g, s, t):
    m, v = ema(s, "m", 0.9, g), ema(s, "v", 0.999, g * g)
    return w - 1e-3 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)


@pytest.mark.parametrize("fused", [None, False, True])
def test_N_OPT_12_adam(fused):
    arguments = {} if fused is None else {"fused": fused}
    assert_same(trajectory("adam", **arguments), reference(adam), 1e-12)


def test_N_OPT_12_adamw_decays_the_weights_and_not_the_gradient():
    def update(w, g, s, t):
        return adam(w * (1 - 1e-3 * 0.1), g, s, t)

    assert_same(trajectory("adamw", weight_decay=0.1), reference(update), 1e-12)


def test_N_OPT_13_adamax():
    def update(w, g, s, t):
        m = ema(s, "m", 0.9, g)
        s["u"] = np.maximum(0.999 * s.get("u", 0.0), np.abs(g) + 1e-8)
        return w - 0.002 / (1 - 0.9**t) * m / s["u"]

    assert_same(trajectory("adamax"), reference(update), 1e-12)


def test_N_OPT_14_nadam():
    def mu(t):
        return 0.9 * (1 - 0.5 * 0.96 ** (0.004 * t))

    def update(w, g, s, t):
        m, v = ema(s, "m", 0.9, g), ema(s, "v", 0.999, g * g)
        product = s["product"] = s.get("product", 1.0) * mu(t)
        look_ahead = mu(t + 1) * m / (1 - product * mu(t + 1)) + (1 - mu(t)) * g / (1 - product)
        return w - 0.002 * look_ahead / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)

    assert_same(trajectory("nadam"), reference(update))


def test_N_OPT_15_rmsprop_with_momentum():
    def update(w, g, s, t):
        step = g / (1e-7 + np.sqrt(ema(s, "r", 0.9, g * g)))
        s["b"] = 0.02 * s.get("b", 0.0) + step
        return w - 0.01 * s["b"]

    assert_same(trajectory("rmsprop", lr=0.01, momentum=0.02), reference(update))


class Everything(nn.Module):
    """One parameter of every sort."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.norm = nn.GroupNorm(2, 8)
        self.dense = MLP(8, [4, 4], 2, activation=["prelu", "relu"], norm=["batch", "layer"])
        self.rnn = nn.LSTM(2, 3)
        self.image_norm = nn.LayerNorm((4, 4))
        self.log_std = nn.Parameter(torch.zeros(2))
        self.temperature = nn.Parameter(torch.zeros(()))


DECAY = [
    *("conv.weight", "dense.0.weight", "dense.3.weight", "dense.6.weight"),
    *("rnn.weight_ih_l0", "rnn.weight_hh_l0"),
]


def test_N_OPT_17_biases_norms_and_slopes_do_not_decay():
    module = Everything()
    decay, keep = parameter_groups(module, 0.1)
    assert sorted(name for name, _ in decay["params"]) == sorted(DECAY)
    names = [name for name, _ in decay["params"] + keep["params"]]
    assert sorted(names) == sorted(name for name, _ in module.named_parameters())
    assert (decay["weight_decay"], keep["weight_decay"]) == (0.1, 0.0)


def test_N_OPT_17_decay_reaches_the_parameters_that_decay_only():
    module = Everything()
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    rule = optimizer("sgd", module, lr=1.0, weight_decay=0.25)
    for p in module.parameters():
        p.grad = torch.zeros_like(p)
    rule.step()
    for name, p in module.named_parameters():
        torch.testing.assert_close(p.detach(), before[name] * (0.75 if name in DECAY else 1.0))


def test_N_OPT_17_without_decay_or_module_there_is_one_group():
    module = Everything()
    assert len(optimizer("adam", module).param_groups) == 1
    assert len(optimizer("adam", module.parameters(), weight_decay=0.1).param_groups) == 1
    assert len(optimizer("adam", nn.Linear(2, 2, bias=False), weight_decay=0.1).param_groups) == 1


@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimisers_are_torchs_and_fused_wherever_torch_can(name):
    module = MLP(3, [4], 2)
    rule = optimizer(name, module)
    assert type(rule).__module__.startswith("torch.optim")
    can = "fused" in rule.defaults
    assert bool(rule.defaults.get("fused")) == can
    assert not optimizer(name, module, foreach=False).defaults.get("fused")
    on_meta = optimizer(name, MLP(3, [4], 2).to("meta"))
    assert not on_meta.defaults.get("fused")


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_training_step_runs_on_the_meta_device(name):
    module = MLP(3, [4], 2).to("meta")
    rule = optimizer(name, module, weight_decay=0.01)
    module(torch.empty(5, 3, device="meta")).sum().backward()
    clip_grads(module, global_norm=1.0)
    rule.step()


@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimisers_resume_bit_for_bit(name):
    def train(module, rule, steps):
        for i in range(steps):
            rule.zero_grad()
            module(torch.full((1, 3), 0.1 * i + 1.0)).square().sum().backward()
            rule.step()

    with seeded(0):
        once, twice = MLP(3, [4], 2), MLP(3, [4], 2)
    twice.load_state_dict(once.state_dict())
    rule = optimizer(name, once, weight_decay=0.01)
    train(once, rule, 3)
    first = optimizer(name, twice, weight_decay=0.01)
    train(twice, first, 3)
    resumed = MLP(3, [4], 2)
    resumed.load_state_dict(twice.state_dict())
    second = optimizer(name, resumed, weight_decay=0.01)
    second.load_state_dict(first.state_dict())
    train(once, rule, 3)
    train(resumed, second, 3)
    for a, b in zip(once.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)


def test_groups_given_by_hand_keep_their_rates():
    a, b = nn.Linear(2, 2), nn.Linear(2, 2)
    groups = [{"params": a.parameters()}, {"params": b.parameters(), "lr": 1.0}]
    rule = optimizer("adam", groups, lr=0.5)
    assert [group["lr"] for group in rule.param_groups] == [0.5, 1.0]
    assert [len(group["params"]) for group in rule.param_groups] == [2, 2]
    assert rule.defaults["fused"]


def test_errors_name_what_was_given():
    with pytest.raises(ValueError, match=r"unknown optimiser 'adamm'; did you mean 'adam"):
        optimizer("adamm", nn.Linear(1, 1))
    with pytest.raises(TypeError, match="momentum"):
        optimizer("adam", nn.Linear(1, 1), momentum=0.9)
