import copy

import pytest
import torch
from torch import nn

from nets.gradients.flat import flatten_parameters


def network(seed=0):
    torch.manual_seed(seed)
    head = [nn.Linear(27, 8), nn.Tanh(), nn.Linear(8, 2)]
    return nn.Sequential(nn.Conv2d(1, 3, 2), nn.Flatten(), *head)


X = torch.linspace(-1, 1, 5 * 16).reshape(5, 1, 4, 4)


def test_values_keys_and_outputs_stay():
    net = network()
    plain = copy.deepcopy(net)
    vector = flatten_parameters(net)
    assert vector.shape == (sum(p.numel() for p in plain.parameters()),)
    assert torch.equal(vector, torch.cat([p.reshape(-1) for p in plain.parameters()]))
    assert list(net.state_dict()) == list(plain.state_dict())
    for key, value in plain.state_dict().items():
        assert torch.equal(net.state_dict()[key], value)
    assert torch.equal(net(X), plain(X))


def test_parameters_and_gradients_are_views_of_one_vector():
    net = network()
    vector = flatten_parameters(net)
    vector.data.fill_(0.5)
    assert all((p == 0.5).all() for p in net.parameters())
    net[2].weight.data.fill_(2.0)
    assert (vector == 2.0).sum() == 27 * 8
    vector.grad.fill_(3.0)
    assert all((p.grad == 3.0).all() for p in net.parameters())


def test_backward_fills_the_vectors_gradient():
    net, plain = network(), network()
    vector = flatten_parameters(net)
    for module in (net, plain):
        module(X).square().sum().backward()
    expected = torch.cat([p.grad.reshape(-1) for p in plain.parameters()])
    assert expected.abs().max() > 0
    assert torch.equal(vector.grad, expected)
    net(X).square().sum().backward()
    torch.testing.assert_close(vector.grad, 2 * expected)  # accumulates, as usual


@pytest.mark.parametrize("make", [torch.optim.SGD, torch.optim.Adam, torch.optim.RMSprop])
def test_an_optimiser_of_the_vector_is_the_optimiser_of_the_parameters(make):
    net, plain = network(), network()
    vector = flatten_parameters(net)
    flat, per_parameter = make([vector], lr=0.01), make(plain.parameters(), lr=0.01)
    for _ in range(5):
        vector.grad.zero_()
        per_parameter.zero_grad()
        for module in (net, plain):
            module(X).square().sum().backward()
        flat.step()
        per_parameter.step()
    for ours, theirs in zip(net.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-7)
    assert not torch.equal(net[4].weight, network()[4].weight)


def test_loading_a_state_dict_keeps_the_views():
    net = network()
    vector = flatten_parameters(net)
    net.load_state_dict(network(1).state_dict())
    assert torch.equal(vector, torch.cat([p.reshape(-1) for p in network(1).parameters()]))


def test_frozen_parameters_stay_out():
    net = network()
    net[0].requires_grad_(False)
    frozen = net[0].weight.clone()
    vector = flatten_parameters(net)
    assert vector.numel() == sum(p.numel() for p in network()[2:].parameters())
    vector.data.zero_()
    assert torch.equal(net[0].weight, frozen)


def test_channels_last_weights_and_gradients_stay_so():
    net = nn.Sequential(nn.Conv2d(3, 4, 2), nn.Flatten(), nn.Linear(36, 2))
    net.to(memory_format=torch.channels_last)
    plain, x = copy.deepcopy(net), torch.linspace(-1, 1, 96).reshape(2, 3, 4, 4)
    vector = flatten_parameters(net)
    weight = net[0].weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(weight, plain[0].weight)
    assert torch.equal(vector[: 3 * 4 * 4], weight.permute(0, 2, 3, 1).reshape(-1))
    for module in (net, plain):
        module(x).square().sum().backward()
    assert weight.grad.stride() == weight.stride()
    torch.testing.assert_close(weight.grad, plain[0].weight.grad)
    assert torch.equal(vector.grad[: 3 * 4 * 4], weight.grad.permute(0, 2, 3, 1).reshape(-1))
