"""The published GRU against NumPy, and its difference from torch's (N-RNN-06)."""

import numpy as np
import pytest
import torch
from torch import nn

from nets.layers.recurrent import GRU

T, B, D, H = 9, 4, 3, 5


def draw(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def make(reset_after, num_layers=1):
    torch.manual_seed(0)
    return GRU(D, H, num_layers, reset_after=reset_after).double()


def numpy_layer(x, h, w_ih, w_hh, b_ih, b_hh, starts, *, negate_z=False):
    """Equations in the notes' form if `negate_z`: h ← (1 − z)h + z·h̃, z being an update gate."""
    outputs = []
    for step, start in zip(x, starts, strict=True):
        h = np.where(start[:, None], 0.0, h)
        (ir, iz, in_), (hr, hz, _) = (
            np.split(a, 3, axis=1) for a in (step @ w_ih.T + b_ih, h @ w_hh.T + b_hh)
        )
        r, z = 1 / (1 + np.exp(-(ir + hr))), 1 / (1 + np.exp(-(iz + hz)))
        n = np.tanh(in_ + (r * h) @ w_hh[2 * H :].T + b_hh[2 * H :])
        h = (1 - z) * h + z * n if negate_z else (1 - z) * n + z * h
        outputs.append(h)
    return np.stack(outputs), h


@pytest.mark.parametrize("probability", [0.0, 0.3])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_N_RNN_06_the_reset_comes_before_the_product(num_layers, probability):
    layer, x, state = make(False, num_layers), draw(T, B, D), draw(num_layers, B, H, seed=2)
    starts = torch.rand(T, B, generator=torch.Generator().manual_seed(3)) < probability
    y, final = layer(x, state, starts)
    expected, finals = x.numpy(), []
    for depth, weights in enumerate(layer.all_weights):
        arrays = [w.detach().numpy() for w in weights]
        expected, last = numpy_layer(expected, state[depth].numpy(), *arrays, starts.numpy())
        finals.append(last)
    np.testing.assert_allclose(y.detach(), expected, atol=1e-12)
    np.testing.assert_allclose(final.detach(), np.stack(finals), atol=1e-12)
    steps, h = [], state
    for step, start in zip(x, starts, strict=True):
        one, h = layer(step, h, start)
        steps.append(one)
    torch.testing.assert_close(torch.stack(steps), y, rtol=0, atol=1e-12)


def test_N_RNN_06_gradients_are_right():
    layer, state = make(False, 2), draw(2, 2, H, seed=2)
    x = draw(4, 2, D).requires_grad_()
    starts = torch.tensor([[False, False], [True, False], [False, True], [False, False]])
    parameters = tuple(layer.parameters())
    assert torch.autograd.gradcheck(lambda x, *_: layer(x, state, starts)[0], (x, *parameters))


@pytest.mark.parametrize("reset_after", [True, False])
def test_N_RNN_06_negating_the_weights_of_z_turns_keeping_into_updating(reset_after):
    layer, x = make(reset_after), draw(T, B, D)
    arrays = [w.detach().numpy().copy() for w in layer.all_weights[0]]
    for array in arrays:
        array[H : 2 * H] *= -1.0
    never = np.zeros((T, B), bool)
    expected, _ = numpy_layer(x.numpy(), np.zeros((B, H)), *arrays, never, negate_z=True)
    y, _ = layer(x)
    difference = np.abs(y.detach().numpy() - expected).max()
    assert (difference > 0.01) if reset_after else (difference < 1e-12)


def test_N_RNN_06_torchs_form_is_the_default_and_another_function():
    x, theirs = draw(T, B, D), nn.GRU(D, H).double()
    late, early = make(True), make(False)
    for layer in (late, early):
        layer.load_state_dict(theirs.state_dict())
    expected = theirs(x)[0]
    torch.testing.assert_close(late(x)[0], expected, rtol=0, atol=1e-12)
    assert (early(x)[0] - expected).abs().max() > 0.01
    with torch.no_grad():  # but where r = 1 in both, they are the same
        for layer in (late, early):
            layer.bias_ih_l0[:H] = 100.0
    torch.testing.assert_close(late(x)[0], early(x)[0], rtol=0, atol=1e-12)
