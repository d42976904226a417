"""Recurrent layers that start afresh where an episode does, against a loop of torch's cells."""

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


def loop_of_cells(layer, x, state, starts):
    """The definition: torch's cells in a loop, the state multiplied by 1 - start before each."""
    cells = []
    for depth in range(layer.num_layers):
        cell = LAYERS[type(layer)][1](D if depth == 0 else H, H, dtype=x.dtype)
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            delattr(cell, name)
            setattr(cell, name, getattr(layer, f"{name}_l{depth}"))
        cells.append(cell)
    hidden = [list(part.unbind()) for part in parts_of(state)]
    outputs = []
    for t in range(len(x)):
        keep = 1.0 - starts[t].to(x.dtype)[:, None]
        below = x[t]
        for depth, cell in enumerate(cells):
            before = tuple(part[depth] * keep for part in hidden)
            after = parts_of(cell(below, before if len(before) > 1 else before[0]))
            for part, value in zip(hidden, after, strict=True):
                part[depth] = value
            below = after[0]
        outputs.append(below)
    final = tuple(torch.stack(part) for part in hidden)
    return torch.stack(outputs), final if len(final) > 1 else final[0]


@each_layer
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("probability", [0.0, 0.05, 0.4, 1.0])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-6)])
def test_N_RNN_10_resets_equal_a_loop_of_cells(kind, num_layers, probability, dtype, tolerance):
    layer = make(kind, num_layers, dtype)
    x = draw(T, B, D, dtype=dtype, requires_grad=True)
    state = draw_state(kind, num_layers, dtype, requires_grad=True)
    starts = draw_starts(probability)
    assert probability == 0.0 or starts[1:].any()
    weight = draw(T, B, H, dtype=dtype, seed=3) / T  # so that gradients are of order one
    results = []
    for forward in (layer, lambda *arguments: loop_of_cells(layer, *arguments)):
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
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@each_layer
def test_N_RNN_10_resets_on_cuda(kind):
    layer = make(kind, num_layers=2)
    x, starts = draw(T, B, D), draw_starts(0.2)
    expected, _ = loop_of_cells(layer, x, draw_state(kind, 2), starts)
    state = draw_state(kind, 2)
    moved = tuple(part.cuda() for part in parts_of(state))
    y, _ = layer.cuda()(x.cuda(), moved if len(moved) > 1 else moved[0], starts.cuda())
    y.sum().backward()
    torch.testing.assert_close(y.cpu(), expected, rtol=0, atol=1e-10)
