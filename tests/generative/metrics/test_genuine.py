"""Which samples are among the data."""

import pytest
import torch

from generative.data.load import load_dataset
from generative.metrics.genuine import genuine


def test_G_GAN_10_genuine_by_hand():
    data = torch.tensor([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0], [4.0, 0.0], [6.0, 0.0]])
    samples = torch.tensor([[0.0, 0.9], [2.0, 1.1], [3.0, 0.0], [4.1, 0.0], [0.1, 0.0]])
    found = genuine(samples, data)
    assert found.radius == pytest.approx(1.0)  # a copy is no neighbour
    assert found.share == 0.6
    assert found.different == 2


@pytest.fixture(scope="module")
def figures():
    return load_dataset("sprites:shape,scale=3:,x=::4,y=::4", size=32)


def test_G_GAN_10_all_data_are_genuine_and_noise_blurred_or_double_figures_are_not(figures):
    x = figures.batch(slice(None)).x
    noise = torch.rand(200, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    assert genuine(x, figures.x).share == 1.0
    assert genuine(x, figures.x).different == len(figures.x.flatten(1).unique(dim=0))
    assert genuine(noise, figures.x)[0::2] == (0.0, 0)
    assert genuine(torch.nn.functional.avg_pool2d(x, 3, 1, 1), figures.x).share < 0.01
    assert genuine(torch.maximum(x, x.roll(7, 0)), figures.x).share < 0.3
    assert genuine(0.9 * x, figures.x).share == 1.0


def test_equal_data_have_no_next_one():
    with pytest.raises(ValueError, match="all 3 data are equal"):
        genuine(torch.zeros(2, 2), torch.ones(3, 2))
