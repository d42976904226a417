import itertools
from copy import deepcopy

import pytest
import torch
from torch import nn

from nets.gradients.backprop import AutogradBackprop, DenseBackprop, backprop
from nets.layers.mlp import MLP


def numpy_gradients(network, x, upstream):
    """dW and db of every layer, by the node equations on float64 arrays."""
    layers = [m for m in network if isinstance(m, nn.Linear)]
    kinds = [type(m) for m in network if not isinstance(m, nn.Linear)]
    weights = [layer.weight.detach().numpy() for layer in layers]
    biases = [layer.bias.detach().numpy() for layer in layers]
    function = {
        nn.ReLU: lambda z: z * (z > 0),
        nn.Tanh: lambda z: 2 / (1 + 2.718281828459045 ** (-2 * z)) - 1,
    }
    slope = {nn.ReLU: lambda z: 1.0 * (z > 0), nn.Tanh: lambda z: 1 - function[nn.Tanh](z) ** 2}
    inputs, sums, a = [], [], x.numpy()
    for index, (w, b) in enumerate(zip(weights, biases, strict=True)):
        inputs.append(a)
        sums.append(a @ w.T + b)
        a = function[kinds[index]](sums[-1]) if index < len(kinds) else sums[-1]
    gradients, d = [], upstream.numpy()
    for index in reversed(range(len(layers))):
        if index < len(kinds):
            d = d * slope[kinds[index]](sums[index])
        gradients = [d.T @ inputs[index], d.sum(0), *gradients]
        d = d @ weights[index]
    return gradients


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("way", [DenseBackprop, AutogradBackprop])
def test_N_LIN_05_vectorised_backpropagation(activation, way):
    generator = torch.Generator().manual_seed(0)
    network = MLP(5, [7, 6], 3, activation=activation).double()
    x = torch.randn(11, 5, generator=generator, dtype=torch.float64)
    upstream = torch.randn(11, 3, generator=generator, dtype=torch.float64)
    expected = numpy_gradients(network, x, upstream)
    learner = way(network)
    output = learner.forward(x)
    torch.testing.assert_close(output, network(x).detach(), rtol=0, atol=1e-12)
    learner.backward(upstream)
    for parameter, reference in zip(network.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, torch.from_numpy(reference), rtol=0, atol=1e-10)


def test_backward_replaces_the_gradient_instead_of_adding_to_it():
    network = MLP(4, [8], 2)
    learner = backprop(network)
    x, upstream = torch.ones(3, 4), torch.ones(3, 2)
    learner.forward(x)
    learner.backward(upstream)
    first = learner.weights.grad.clone()
    learner.forward(x)
    learner.backward(upstream)
    assert first.abs().sum() > 0
    assert torch.equal(first, learner.weights.grad)


def test_the_equations_are_chosen_only_where_they_hold():
    assert isinstance(backprop(MLP(4, [8, 8], 2)), DenseBackprop)
    assert isinstance(backprop(nn.Sequential(MLP(4, [8]), nn.Linear(8, 2))), DenseBackprop)
    assert isinstance(backprop(MLP(4, [8], 2, activation="gelu")), AutogradBackprop)
    assert isinstance(backprop(MLP(4, [8], 2, norm="layer")), AutogradBackprop)
    assert isinstance(backprop(nn.Sequential(nn.ReLU(), nn.Linear(4, 2))), AutogradBackprop)
    two = nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Tanh())
    assert isinstance(backprop(two), AutogradBackprop)
    three = nn.Sequential(nn.Linear(4, 2), nn.Sequential(nn.Tanh(), nn.Tanh()), nn.Linear(2, 2))
    assert isinstance(backprop(three), AutogradBackprop)


def test_a_step_on_the_flat_vector_moves_the_network():
    network = MLP(4, [8], 2)
    keys = list(network.state_dict())
    learner = backprop(network)
    before = network(torch.ones(1, 4)).detach()
    learner.forward(torch.ones(1, 4))
    learner.backward(torch.ones(1, 2))
    torch.optim.SGD([learner.weights], lr=0.1).step()
    after = network(torch.ones(1, 4)).detach()
    assert (after < before).all()
    assert list(network.state_dict()) == keys


def test_N_LIN_05_what_the_output_does_not_depend_on_has_gradient_0():
    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = nn.Linear(4, 2), nn.Linear(4, 2)

        def forward(self, x):
            return self.used(x)

    network = Half()
    learner = AutogradBackprop(network)
    learner.weights.grad.fill_(3.0)
    learner.forward(torch.ones(5, 4))
    learner.backward(torch.ones(5, 2))
    assert torch.equal(network.used.weight.grad, torch.full((2, 4), 5.0))
    assert torch.equal(network.idle.weight.grad, torch.zeros(2, 4))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("hidden", [(), (64,), (64, 64)])
def test_many_rows_in_blocks_have_the_gradients_of_autograd(hidden, bias):
    torch.manual_seed(0)
    widths = [5, *hidden, 3]
    layers = [
        module
        for before, after in itertools.pairwise(widths)
        for module in (nn.Linear(before, after, bias=bias), nn.Tanh())
    ]
    network = nn.Sequential(*layers[: None if bias else -1]).double()  # an activation at the end
    ours, theirs = DenseBackprop(network), AutogradBackprop(deepcopy(network))
    for rows in (70_001, 3, 2_048, 70_001):  # the last block is short; memory is used again
        x, upstream = torch.randn(rows, 5).double(), torch.randn(rows, 3).double()
        torch.testing.assert_close(ours.forward(x), theirs.forward(x), rtol=0, atol=1e-12)
        ours.backward(upstream)
        theirs.backward(upstream)
        torch.testing.assert_close(ours.weights.grad, theirs.weights.grad, rtol=1e-9, atol=1e-9)


def test_outputs_stay_when_others_follow():
    network = MLP(4, [8], 2)
    learner = backprop(network)
    first = learner.forward(torch.ones(3, 4))
    kept = first.clone()
    learner.forward(torch.zeros(3, 4))
    assert torch.equal(first, kept)
