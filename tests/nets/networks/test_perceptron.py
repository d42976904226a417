import itertools

import numpy as np
import pytest
import torch

from nets.gradients.optim import optimizer
from nets.layers.mlp import MLP
from nets.networks.perceptron import Perceptron

CORNERS = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = torch.tensor([-1.0, 1.0, 1.0, -1.0])


def test_N_ACT_10_the_sign_of_0_is_minus_1():
    assert Perceptron(2)(CORNERS).tolist() == [-1.0] * 4


@pytest.mark.parametrize(("name", "target"), [("or", [-1, 1, 1, 1]), ("and", [-1, -1, -1, 1])])
def test_N_LIN_01_or_and_and_are_learned_without_a_mistake(name, target):
    unit, target = Perceptron(2), torch.tensor(target, dtype=torch.float32)
    unit.fit(CORNERS, target)
    assert torch.equal(unit(CORNERS), target)


def test_N_LIN_01_one_correction_is_the_rules():
    unit = Perceptron(2)
    unit.fit(torch.tensor([[2.0, -3.0]]), torch.tensor([1.0]), learning_rate=0.25, max_epochs=1)
    assert unit.weight.tolist() == [1.0, -1.5]  # η(t − o)x = ¼·2·x
    assert unit.bias.item() == 0.5


@pytest.mark.parametrize("seed", range(5))
def test_N_LIN_01_mistakes_stay_below_novikoffs_bound(seed):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(size=(200, 3)), np.array([1.0, -2.0, 0.5])
    margin = (x @ w + 0.3) / np.linalg.norm([*w, 0.3])  # in the space where x₀ = 1 is a feature
    kept = np.abs(margin) > 0.1
    x, t = x[kept], np.sign(margin[kept])
    longest = np.sqrt((x**2).sum(1).max() + 1.0)
    unit = Perceptron(3)
    rows, target = torch.from_numpy(x).float(), torch.from_numpy(t).float()
    mistakes = unit.fit(rows, target)
    assert 0 < mistakes <= (longest / np.abs(margin[kept]).min()) ** 2
    assert torch.equal(unit(rows), target)


def test_N_LIN_02_no_line_classifies_xor():
    unit = Perceptron(2)
    assert unit.fit(CORNERS, XOR, max_epochs=100) >= 100  # it goes on making mistakes
    best = 0
    for w1, w2, b in itertools.product(np.linspace(-2, 2, 17), repeat=3):
        unit.weight, unit.bias = torch.tensor([w1, w2]).float(), torch.tensor(b).float()
        best = max(best, int((unit(CORNERS) == XOR).sum()))
    assert best == 3  # 75 %


def test_N_LIN_02_two_hidden_units_compute_xor():
    def unit(w, b):
        made = Perceptron(2)
        made.weight, made.bias = torch.tensor(w), torch.tensor(b)
        return lambda x: (made(x) + 1) / 2  # 0 or 1

    either, both = unit([1.0, 1.0], -0.5), unit([1.0, 1.0], -1.5)
    out = unit([1.0, -1.0], -0.5)
    hidden = torch.stack([either(CORNERS), both(CORNERS)], 1)
    assert torch.equal(2 * out(hidden) - 1, XOR)


@pytest.mark.parametrize("seed", range(3))
def test_N_LIN_02_eight_hidden_units_learn_xor(seed):
    torch.manual_seed(seed)
    model = MLP(2, [8], 1, activation="tanh")
    opt = optimizer("adam", model, lr=0.05)
    for _ in range(500):
        opt.zero_grad()
        (model(CORNERS)[:, 0] - XOR).square().mean().backward()
        opt.step()
    assert torch.equal(model(CORNERS)[:, 0].sign(), XOR)


def test_targets_other_than_signs_are_refused():
    with pytest.raises(ValueError, match=r"targets must be -1 or 1, got \[0\.0, 1\.0\]"):
        Perceptron(2).fit(CORNERS, torch.tensor([0.0, 1.0, 1.0, 0.0]))
