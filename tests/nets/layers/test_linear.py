"""Back-propagation node by node, gradients and directions, and the ways to descend."""

import numpy as np
import pytest
import torch
from torch import nn

from nets.gradients.backprop import AutogradBackprop, DenseBackprop, backprop
from nets.gradients.optim import optimizer
from nets.layers.mlp import MLP
from nets.supervised.fit import FitConfig, fit


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("way", [DenseBackprop, AutogradBackprop])
def test_N_LIN_06_node_form_of_backpropagation_with_sigmoids(way):
    """δ_k = (o_k − t_k)o_k(1 − o_k), δ_j = o_j(1 − o_j)Σ_k δ_k w_jk, ∂E/∂w_ij = o_i δ_j."""
    torch.manual_seed(0)
    net = MLP(3, [4], 2, activation="sigmoid", out_activation="sigmoid").double()
    first, last = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
    x, t = torch.tensor([0.5, -1.0, 2.0]).double(), torch.tensor([0.2, 0.9]).double()
    learner = way(net)
    output = learner.forward(x[None])
    learner.backward(output - t)  # the slope of ½‖o − t‖²

    w1, b1, w2, b2 = (p.detach().numpy() for p in net.parameters())
    hidden = sigmoid(w1 @ x.numpy() + b1)
    out = sigmoid(w2 @ hidden + b2)
    delta_out = [(out[k] - t[k].item()) * out[k] * (1 - out[k]) for k in range(2)]
    delta_hidden = [
        hidden[j] * (1 - hidden[j]) * sum(delta_out[k] * w2[k, j] for k in range(2))
        for j in range(4)
    ]
    for j in range(4):
        for i in range(3):
            assert first.weight.grad[j, i].item() == pytest.approx(x[i].item() * delta_hidden[j])
        for k in range(2):
            assert last.weight.grad[k, j].item() == pytest.approx(hidden[j] * delta_out[k])
    np.testing.assert_allclose(last.bias.grad, delta_out)
    np.testing.assert_allclose(first.bias.grad, delta_hidden)


def test_N_LIN_07_the_gradient_is_the_steepest_direction():
    """u(w) = Σ tanh(w·x) of two weights: D_l u by differences is ∇u·l, and steepest along ∇u."""
    network = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Tanh()).double()
    x = torch.tensor([[1.0, 2.0], [-0.5, 1.0], [0.3, -0.2]], dtype=torch.float64)
    learner = backprop(network)
    point = torch.tensor([0.4, -0.3], dtype=torch.float64)

    @torch.no_grad()
    def u(weights):
        learner.weights.copy_(weights)
        return learner.forward(x).sum()

    u(point)
    learner.backward(torch.ones(3, 1, dtype=torch.float64))
    gradient = learner.weights.grad.clone()
    angles = torch.linspace(0, 2 * torch.pi, 3601, dtype=torch.float64)[:-1]
    directions = torch.stack([angles.cos(), angles.sin()], 1)
    h = 1e-5
    slopes = torch.stack(
        [(u(point + h * way) - u(point - h * way)) / (2 * h) for way in directions]
    )
    torch.testing.assert_close(slopes, directions @ gradient, rtol=0, atol=1e-8)
    assert slopes.max().item() == pytest.approx(gradient.norm().item(), rel=1e-5)
    steepest = directions[slopes.argmax()]
    torch.testing.assert_close(steepest, gradient / gradient.norm(), rtol=0, atol=1e-3)


# Descending (N-OPT-01 to N-OPT-03) ---------------------------------------------------------------


@pytest.fixture
def problem():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(12, 3, generator=generator, dtype=torch.float64)
    return x, x @ torch.tensor([[1.0], [-2.0], [0.5]]).double() + 0.3 + 0.1 * x[:, :1] ** 2


def train(problem, epochs, rate, order):
    """Plain gradient descent; `order` gives the row numbers of an epoch's batches."""
    model = nn.Linear(3, 1).double()
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    opt, updates = optimizer("sgd", model, lr=rate), 0
    for epoch in range(epochs):
        for rows in order(epoch):
            opt.zero_grad()
            nn.functional.mse_loss(model(problem[0][rows]), problem[1][rows]).backward()
            opt.step()
            updates += 1
    return torch.cat([model.weight[0], model.bias]).detach(), updates


def test_N_OPT_01_batch_descent_converges_to_least_squares(problem):
    found, updates = train(problem, 2000, 0.1, lambda epoch: [torch.arange(12)])
    design = torch.cat([problem[0], torch.ones(12, 1, dtype=torch.float64)], 1)
    expected = torch.linalg.lstsq(design, problem[1]).solution[:, 0]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-8)
    assert updates == 2000


def test_N_OPT_01_one_step_is_the_delta_rule_summed_over_the_data(problem):
    """w ← w + (2η/m)Σ (t − o)x for a linear unit: the mean of the deltas, not their sum."""
    x, t = problem
    found, _ = train(problem, 1, 0.1, lambda epoch: [torch.arange(12)])
    torch.testing.assert_close(found[:3], 0.1 * 2 * (t * x).mean(0))


def test_N_OPT_02_an_epoch_of_single_rows_has_as_many_updates(problem):
    def shuffled(epoch):
        return torch.randperm(12, generator=torch.Generator().manual_seed(epoch)).split(1)

    found, updates = train(problem, 1, 0.05, shuffled)
    assert updates == 12
    w = torch.zeros(4, dtype=torch.float64)
    for (row,) in shuffled(0):
        features = torch.cat([problem[0][row], torch.ones(1, dtype=torch.float64)])
        w = w - 0.05 * 2 * (w @ features - problem[1][row, 0]) * features
    torch.testing.assert_close(found, w)


@pytest.mark.parametrize(
    ("batch_size", "sizes"), [(1, [1] * 12), (5, [4, 4, 4]), (7, [6, 6]), (12, [12]), (99, [12])]
)
def test_N_OPT_02_03_mini_batches_lie_between(problem, batch_size, sizes):
    """From single rows to all of them: `fit` takes the steps of descent on the batches it deals."""
    dealt = []

    class Recorder(nn.Linear):
        def forward(self, x):
            dealt.append([problem[0].tolist().index(row) for row in x.tolist()])
            return super().forward(x)

    model = Recorder(3, 1).double()
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    fit(model, problem, loss=nn.functional.mse_loss, optimizer=optimizer("sgd", model, lr=0.05),
        config=FitConfig(epochs=3, batch_size=batch_size))  # fmt: skip
    epochs = [dealt[k : k + len(sizes)] for k in range(0, len(dealt), len(sizes))]
    assert [[len(rows) for rows in epoch] for epoch in epochs] == [sizes] * 3
    orders = [[row for rows in epoch for row in rows] for epoch in epochs]
    assert all(sorted(order) == list(range(12)) for order in orders)
    assert orders[0] != orders[1] != orders[2]
    expected, updates = train(problem, 3, 0.05, lambda epoch: epochs[epoch])
    assert updates == 3 * len(sizes)
    torch.testing.assert_close(torch.cat([model.weight[0], model.bias]).detach(), expected)
