"""Receptive fields by the formula, against what autograd says that a unit looks at."""

import pytest
import torch
from torch import nn

from nets import CNN, ImpalaCNN, NatureCNN, receptive_field

CHAINS = {
    "two 3x3": nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 1, 3)),
    "strides": nn.Sequential(nn.Conv2d(1, 2, 8, 4), nn.Conv2d(2, 2, 4, 2), nn.Conv2d(2, 1, 3)),
    "pools": nn.Sequential(nn.Conv2d(1, 2, 5), nn.AvgPool2d(2), nn.Conv2d(2, 1, 3, padding=1)),
    "dilated, oblong": nn.Sequential(nn.Conv2d(1, 1, (3, 1), dilation=2), nn.Conv2d(1, 1, (1, 4))),
}


def looked_at(network, pixel):
    """Return the pixels `[H, W]` that a unit of the last layer, by its place, depends on."""
    x = torch.rand(1, 1, 80, 80, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(network.double()(x)[0, 0][pixel], x)
    return slope[0, 0] != 0


@pytest.mark.parametrize("name", CHAINS)
def test_N_CNN_11_a_unit_sees_what_its_gradient_reaches(name):
    network = CHAINS[name]
    for parameter in network.parameters():
        nn.init.uniform_(parameter, 0.1, 1.0)  # nothing cancels, and ReLU lets all pass
    size, stride = receptive_field(network)
    first = [side.nonzero()[:, 0] for side in map(looked_at(network, (3, 3)).any, (1, 0))]
    second = [side.nonzero()[:, 0] for side in map(looked_at(network, (4, 4)).any, (1, 0))]
    for side in range(2):
        assert int(first[side][-1] - first[side][0]) + 1 == size[side]
        assert int(second[side][0] - first[side][0]) == stride[side]


def test_N_CNN_11_later_layers_see_more():
    cnn = CNN((1, 32, 32), (4, 8, 8), 3, 1)
    windows = [module for module in cnn.modules() if isinstance(module, nn.Conv2d)]
    fields = [receptive_field(nn.Sequential(*windows[: k + 1])) for k in range(3)]
    assert [field.size for field in fields] == [(3, 3), (5, 5), (7, 7)]
    assert receptive_field(NatureCNN((4, 84, 84))) == ((36, 36), (8, 8))  # its smallest image
    assert receptive_field(ImpalaCNN((4, 84, 84))).stride == (8, 8)


def test_what_has_no_window_is_refused():
    with pytest.raises(ValueError, match="Linear has no convolution and no pooling"):
        receptive_field(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="Upsample has no window of a fixed size"):
        receptive_field(nn.Sequential(nn.Conv2d(1, 1, 3), nn.Upsample(scale_factor=2)))
