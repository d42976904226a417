"""What is said without a formula, measured: batches, time, moving inputs, thinned networks."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from nets import MLP, optimizer
from nets.gradients.modes import evaluation_mode, training_mode
from nets.process.seeding import seeded
from nets.supervised.fit import FitConfig, fit

NOISE = 1.0


def line(rows=512, features=8):
    """Return inputs, noisy targets, and the weights that fit them best."""
    x = torch.randn(rows, features, dtype=torch.float64)
    y = x @ torch.ones(features, 1, dtype=torch.float64)
    y = y + NOISE * torch.randn(rows, 1, dtype=torch.float64)
    return (x, y), torch.linalg.lstsq(x, y).solution


def distance(rows, best, begin, seed=0, **config):
    """Return how far from the best weights SGD of a constant rate ends, in squares."""
    network = nn.Linear(len(best), 1, bias=False).double()
    network.weight.data.copy_(begin.T)
    step = optimizer("sgd", network, lr=0.05)
    fit(network, rows, loss=mse_loss, optimizer=step, config=FitConfig(seed=seed, **config))
    return float((network.weight.detach().T - best).square().sum())


def test_N_REG_14_small_batches_step_noisily():
    """Around the minimum SGD of a constant rate wanders with a variance of nearly 1 / B."""
    with seeded(0):
        rows, best = line()
    small, large = (
        sum(distance(rows, best, best, seed, epochs=3, batch_size=size) for seed in range(6))
        for size in (4, 64)
    )
    assert small > 4 * large


def test_N_REG_14_short_training_fits_less():
    with seeded(0):
        rows, best = line()
    zero = torch.zeros_like(best)
    far = [distance(rows, best, zero, epochs=n, batch_size=512) for n in (1, 4, 16, 64)]
    assert far == sorted(far, reverse=True)
    assert far[0] > 0.5 * float(
        best.square().sum()
    )  # near 0, where it began, as a penalty keeps it
    assert far[-1] < 0.01 * float(best.square().sum())


@pytest.mark.parametrize("seed", range(3))
def test_N_NORM_09_with_a_norm_the_inputs_of_a_later_layer_move_less(seed):
    """Of the units that feed the last layer, mean and scale move while the first layers learn."""

    def moved(norm):
        with seeded(seed):
            x, y = torch.randn(256, 6), torch.randn(256, 1)
            network = MLP(6, (32, 32), 1, norm=norm, activation="relu")
            seen = []
            last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
            last.register_forward_hook(lambda _, given, __: seen.append(given[0].detach()))
            step = optimizer("sgd", network, lr=0.1)
            fit(network, (x, y + 3.0), loss=mse_loss, optimizer=step, config=FitConfig(epochs=5))
        first, later = seen[0], seen[-1]
        scale = first.std()
        means = (later.mean(0) - first.mean(0)).abs().mean() / scale
        return float(means + (later.std(0) - first.std(0)).abs().mean() / scale)

    assert moved("batch") < 0.6 * moved(None)


@pytest.mark.parametrize("seed", range(3))
def test_N_REG_09_dropout_is_an_ensemble_of_thinned_networks(seed):
    """In evaluation a network says nearly what all its thinned networks say on average.

    For a linear output over one layer of dropped units it is their mean exactly.
    """
    units, keep = 8, 0.5
    with seeded(seed):
        network = MLP(3, (units,), 1, activation="tanh", dropout=1.0 - keep)
        x = torch.randn(20, 3)
    hidden, last = network[:-1], network[-1]
    with torch.no_grad(), evaluation_mode(network):
        whole = network(x)
        said = [
            last(hidden(x) * torch.tensor(kept) / keep)
            for kept in itertools.product((0.0, 1.0), repeat=units)
        ]  # of 2ⁿ networks that share their weights
    torch.testing.assert_close(torch.stack(said).mean(0), whole, rtol=1e-4, atol=1e-5)
    training_mode(network)
    with torch.no_grad(), seeded(seed):
        drawn = torch.stack([network(x) for _ in range(4000)])  # each of another thinned network
    spread = drawn.std(0) / 4000**0.5
    assert ((drawn.mean(0) - whole).abs() < 5 * spread).all()
    assert (drawn.std(0) > 0.05).all()  # they do differ
