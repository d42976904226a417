"""Recurrent layers that start afresh where an episode does, against torch's own step by step."""

import pytest
import torch
from recurrent_layers import (
    LAYERS,
    B,
    D,
    H,
    T,
    draw,
    draw_starts,
    draw_state,
    each_layer,
    make,
    parts_of,
)
from torch.func import functional_call


def unrolled(layer, x, state, starts):
    """The definition: torch's layer over one step at a time, the state zeroed before each start."""
    peer = LAYERS[type(layer)][0](D, H, layer.num_layers)
    weights, outputs = dict(layer.named_parameters()), []
    for x_t, start in zip(x, starts, strict=True):
        kept = tuple(part * ~start[:, None] for part in parts_of(state))
        state = kept if len(kept) > 1 else kept[0]
        y, state = functional_call(peer, weights, (x_t[None], state))
        outputs.append(y)
    return torch.cat(outputs), state


@each_layer
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("probability", [0.0, 0.05, 0.4, 1.0])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-6)])
def test_N_RNN_10_resets_equal_the_layer_unrolled(kind, num_layers, probability, dtype, tolerance):
    layer = make(kind, num_layers, dtype)
    x = draw(T, B, D, dtype=dtype, requires_grad=True)
    state = draw_state(kind, num_layers, dtype, requires_grad=True)
    starts = draw_starts(probability)
    assert probability == 0.0 or starts[1:].any()
    weight = draw(T, B, H, dtype=dtype, seed=3) / T  # so that gradients are of order one
    results = []
    for forward in (layer, lambda *arguments: unrolled(layer, *arguments)):
        y, final = forward(x, state, starts)
        loss = (y * weight).sum() + sum((part / T).sum() for part in parts_of(final))
        inputs = [x, *parts_of(state), *layer.parameters()]
        results.append([y, *parts_of(final), *torch.autograd.grad(loss, inputs)])
    for ours, expected in zip(*results, strict=True):
        assert expected.abs().max() > 1e-3 or probability == 1.0
        torch.testing.assert_close(ours, expected, rtol=0, atol=tolerance)


@each_layer
@pytest.mark.parametrize("cut", range(1, T))
def test_N_RNN_10_splitting_the_sequence_anywhere_changes_nothing(kind, cut):
    layer = make(kind, num_layers=2)
    x, state, starts = draw(T, B, D), draw_state(kind, 2), draw_starts(0.2)
    y, final = layer(x, state, starts)
    first, middle = layer(x[:cut], state, starts[:cut])
    second, last = layer(x[cut:], middle, starts[cut:])
    torch.testing.assert_close(torch.cat([first, second]), y, rtol=0, atol=1e-12)
    torch.testing.assert_close(last, final, rtol=0, atol=1e-12)


@each_layer
def test_N_RNN_10_no_gradient_crosses_a_reset(kind):
    layer = make(kind)
    x = draw(T, B, D, requires_grad=True)
    state = draw_state(kind, requires_grad=True)
    starts = torch.zeros(T, B, dtype=torch.bool)
    starts[7, 2] = True
    y, _ = layer(x, state, starts)
    grad_x, *grad_state = torch.autograd.grad(y[7:].sum(), [x, *parts_of(state)])
    assert (grad_x[:7, 2] == 0).all()
    assert (grad_x[7:, 2] != 0).all()
    assert (grad_x[:7, [0, 1, 3, 4]].abs().sum((0, 2)) > 0).all()
    for each in grad_state:
        assert (each[:, 2] == 0).all()
        assert (each[:, 0] != 0).all()


@each_layer
def test_N_RNN_10_a_start_clears_even_a_broken_state(kind):
    layer = make(kind)
    state = draw_state(kind)
    for part in parts_of(state):
        part[:, 1] = float("nan")
    starts = torch.zeros(T, B, dtype=torch.bool)
    starts[0, 1] = True
    x = draw(T, B, D)
    y, _ = layer(x, state, starts)
    fresh, _ = layer(x[:, 1:2])
    torch.testing.assert_close(y[:, 1:2], fresh)
    one, _ = layer(x[0], state, starts[0])
    torch.testing.assert_close(one[1:2], fresh[0])


@pytest.mark.cuda
@each_layer
def test_N_RNN_10_resets_on_cuda(kind):
    layer = make(kind, num_layers=2)
    x, starts = draw(T, B, D), draw_starts(0.2)
    expected, _ = unrolled(layer, x, draw_state(kind, 2), starts)
    state = draw_state(kind, 2)
    moved = tuple(part.cuda() for part in parts_of(state))
    y, _ = layer.cuda()(x.cuda(), moved if len(moved) > 1 else moved[0], starts.cuda())
    y.sum().backward()
    torch.testing.assert_close(y.cpu(), expected, rtol=0, atol=1e-10)
