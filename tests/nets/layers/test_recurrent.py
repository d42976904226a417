"""Recurrent layers against hand-written equations and torch's own layers."""

import copy

import numpy as np
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
from torch import Tensor, nn

from nets.layers.recurrence import _side_by_side
from nets.layers.recurrent import GRU, LSTM, RNN


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@each_layer
@pytest.mark.parametrize("num_layers", [1, 3])
def test_N_RNN_02_steps_equal_the_sequence(kind, num_layers):
    layer = make(kind, num_layers)
    x, state, starts = draw(T, B, D), draw_state(kind, num_layers), draw_starts(0.2)
    y, final = layer(x, state, starts)
    for t in range(T):
        step, state = layer(x[t], state, starts[t])
        torch.testing.assert_close(step, y[t], rtol=0, atol=1e-12)
    torch.testing.assert_close(state, final, rtol=0, atol=1e-12)


@each_layer
@pytest.mark.parametrize("num_layers", [1, 2])
def test_N_RNN_02_state_dicts_are_torchs_own(kind, num_layers):
    layer, peer = make(kind, num_layers), LAYERS[kind][0](D, H, num_layers).double()
    assert list(layer.state_dict()) == list(peer.state_dict())
    peer.load_state_dict(layer.state_dict())
    x, state = draw(T, B, D), draw_state(kind, num_layers)
    torch.testing.assert_close(layer(x, state), peer(x, state), rtol=0, atol=1e-12)
    torch.testing.assert_close(layer(x), peer(x), rtol=0, atol=1e-12)


def test_N_RNN_01_vanilla_equation():
    layer = make(RNN)
    w_ih, w_hh, b_ih, b_hh = (p.detach().numpy() for p in layer.parameters())
    x, h = draw(T, B, D).numpy(), draw_state(RNN).numpy()[0]
    y, _ = layer(torch.from_numpy(x), torch.from_numpy(h)[None])
    for t in range(T):
        h = np.tanh(x[t] @ w_ih.T + b_ih + h @ w_hh.T + b_hh)
        np.testing.assert_allclose(y[t].detach().numpy(), h, rtol=0, atol=1e-12)


def lstm_by_hand(layer, x, h, c, extra_forget=False):
    """Return hₜ of every step; with ``extra_forget`` the output is h = tanh(c)·f·o, wrongly."""
    w_ih, w_hh, b_ih, b_hh = (p.detach().numpy() for p in layer.parameters())
    outputs = []
    for x_t in x:
        i, f, g, o = np.split(x_t @ w_ih.T + b_ih + h @ w_hh.T + b_hh, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c) * (sigmoid(f) if extra_forget else 1.0)
        outputs.append(h)
    return np.stack(outputs)


def test_N_RNN_04_lstm_equation_has_no_forget_gate_at_the_output():
    layer = make(LSTM)
    x, (h, c) = draw(T, B, D), draw_state(LSTM)
    y = layer(x, (h, c))[0].detach().numpy()
    by_hand = lstm_by_hand(layer, x.numpy(), h[0].numpy(), c[0].numpy())
    wrong = lstm_by_hand(layer, x.numpy(), h[0].numpy(), c[0].numpy(), extra_forget=True)
    np.testing.assert_allclose(y, by_hand, rtol=0, atol=1e-12)
    assert np.abs(y - wrong).mean() > 0.01


@pytest.mark.parametrize("radius", [0.5, 1.0, 1.5])
def test_N_RNN_03_gradients_through_time_decay_or_explode(radius):
    layer = make(RNN)
    with torch.no_grad():
        nn.init.orthogonal_(layer.weight_hh_l0, gain=radius)
        layer.bias_ih_l0.zero_()
        layer.bias_hh_l0.zero_()
    for steps in (1, 10, 40):  # at x = 0, h = 0 every Jacobian ∂hₜ/∂hₜ₋₁ is W_hh itself
        jacobian = torch.autograd.functional.jacobian(
            lambda h, steps=steps: layer(torch.zeros(steps, 1, D).double(), h)[1][0, 0],
            torch.zeros(1, 1, H).double(),
        )[:, 0, 0]
        norm = torch.linalg.matrix_norm(jacobian, 2).item()
        assert norm == pytest.approx(radius**steps, rel=1e-9)


def weight_gradient(layer: RNN, x: Tensor, window: int) -> Tensor:
    """Gradient of the last output with the state detached every ``window`` steps."""
    state = None
    for block in x.split(window):
        state = None if state is None else state.detach()
        y, state = layer(block, state)
    return torch.autograd.grad(y[-1].sum(), layer.weight_hh_l0)[0]


def test_N_RNN_03_truncated_backpropagation():
    layer, x = make(RNN), draw(T, B, D)
    full = torch.autograd.grad(layer(x)[0][-1].sum(), layer.weight_hh_l0)[0]
    torch.testing.assert_close(weight_gradient(layer, x, T), full)
    torch.testing.assert_close(weight_gradient(layer, x, T + 5), full)
    errors = [(weight_gradient(layer, x, window) - full).norm() for window in (2, 5, 10)]
    assert errors[0] > errors[1] > errors[2] > 0


def test_N_RNN_03_weight_gradient_sums_over_the_steps_that_used_it():
    layer, x = make(RNN), draw(T, B, D)
    copies = layer.weight_hh_l0.detach().expand(T, H, H).clone().requires_grad_()
    h = torch.zeros(B, H).double()
    for t in range(T):
        h = torch.tanh(
            x[t] @ layer.weight_ih_l0.T + layer.bias_ih_l0 + h @ copies[t].T + layer.bias_hh_l0
        )
    (per_step,) = torch.autograd.grad(h.sum(), copies)
    full = torch.autograd.grad(layer(x)[0][-1].sum(), layer.weight_hh_l0)[0]
    torch.testing.assert_close(per_step.sum(0), full)


def test_N_RNN_05_cell_state_is_a_gradient_highway():
    layer = make(LSTM)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
        layer.bias_ih_l0[:H] = -50.0  # i = 0
        layer.bias_ih_l0[H : 2 * H] = 50.0  # f = 1
    h, c = draw_state(LSTM, requires_grad=True)
    _, (_, last) = layer(draw(200, B, D), (h, c))
    (gradient,) = torch.autograd.grad(last.sum(), c)
    torch.testing.assert_close(gradient, torch.ones_like(c), rtol=0, atol=1e-12)
    with torch.no_grad():
        layer.bias_ih_l0[H : 2 * H] = 0.0  # f = 1/2: far steps count for nothing
    _, (_, last) = layer(draw(200, B, D), (h, c))
    assert torch.autograd.grad(last.sum(), c)[0].max() < 1e-59


@each_layer
def test_N_RNN_07_layers_stack_with_weights_of_their_own(kind):
    stacked = make(kind, num_layers=2)
    lower, upper = kind(D, H).double(), kind(H, H).double()
    for depth, layer in enumerate((lower, upper)):
        keys = layer.state_dict()
        layer.load_state_dict({k: stacked.state_dict()[k[:-1] + str(depth)] for k in keys})
    x, starts = draw(T, B, D), draw_starts(0.2)
    expected, _ = upper(lower(x, None, starts)[0], None, starts)
    torch.testing.assert_close(stacked(x, None, starts)[0], expected, rtol=0, atol=1e-12)
    count = sum(p.numel() for p in stacked.parameters())
    assert count == sum(p.numel() for each in (lower, upper) for p in each.parameters())
    assert not torch.equal(stacked.weight_hh_l0, stacked.weight_hh_l1)


@each_layer
@pytest.mark.parametrize("num_layers", [1, 3])
def test_N_RNN_08_hidden_size_is_the_width_of_output_and_state(kind, num_layers):
    layer = make(kind, num_layers)
    assert (layer.in_features, layer.hidden_size, layer.out_features) == (D, H, H)
    y, state = layer(draw(T, B, D))
    assert y.shape == (T, B, H)
    assert all(part.shape == (num_layers, B, H) for part in parts_of(state))
    torch.testing.assert_close(parts_of(state)[0][-1], y[-1])


@each_layer
def test_N_RNN_09_input_and_output_types(kind):
    layer = make(kind)
    x = draw(T, B, D, requires_grad=True)

    one_to_one, _ = layer(x[0])
    assert one_to_one.shape == (B, H)

    _, state = layer(x[0])
    one_to_many, _ = layer(torch.zeros(T, B, D).double(), state)
    reaches = torch.autograd.grad(one_to_many[-1].sum(), x)[0]
    assert (reaches[0] != 0).all()
    assert (reaches[1:] == 0).all()

    many_to_many, _ = layer(x)
    assert many_to_many.shape == (T, B, H)
    causal = torch.autograd.grad(many_to_many[3].sum(), x)[0]
    assert (causal[:4] != 0).all()
    assert (causal[4:] == 0).all()

    many_to_one = layer(x)[0][-1]
    assert (torch.autograd.grad(many_to_one.sum(), x)[0] != 0).all()


def test_N_RNN_11_gates_set_the_number_of_parameters():
    counts = {kind: sum(p.numel() for p in kind(64, 64).parameters()) for kind in LAYERS}
    assert counts == {LSTM: 33_280, GRU: 24_960, RNN: 8_320}
    for kind, gates in ((LSTM, 4), (GRU, 3), (RNN, 1)):
        assert sum(p.numel() for p in make(kind).parameters()) == gates * H * (D + H + 2)


@each_layer
def test_training_step_on_the_meta_device(kind):
    layer = kind(D, H, 2).to("meta")
    x = torch.empty(T, B, D, device="meta", requires_grad=True)
    starts = torch.empty(T, B, dtype=torch.bool, device="meta")
    y, state = layer(x, None, starts)
    assert y.shape == (T, B, H)
    assert all(part.shape == (2, B, H) for part in parts_of(state))
    y.sum().backward()
    assert x.grad.is_meta
    step, _ = layer(x[0], state, starts[0])
    assert step.shape == (B, H)


def test_weights_for_cudnn_lie_side_by_side():
    weights = [draw(3, 2, seed=1), draw(4, seed=2), draw(2, 5, seed=3)]
    copies = _side_by_side(weights)
    address = copies[0].data_ptr()
    for weight, copied in zip(weights, copies, strict=True):
        assert torch.equal(weight, copied)
        assert copied.data_ptr() == address
        address += copied.numel() * copied.element_size()


@each_layer
def test_deep_copies_share_nothing(kind):
    layer = make(kind)
    twin = copy.deepcopy(layer)
    x, starts = draw(T, B, D), draw_starts(0.2)
    before = twin(x, None, starts)[0]
    torch.testing.assert_close(before, layer(x, None, starts)[0])
    with torch.no_grad():
        layer.weight_hh_l0.zero_()
    assert torch.equal(twin(x, None, starts)[0], before)
    assert not torch.allclose(layer(x, None, starts)[0], before)


def test_errors_name_what_was_expected():
    layer = LSTM(D, H)
    x = torch.zeros(T, B, D)
    with pytest.raises(ValueError, match=r"\[T, B, 4\] with T >= 1, or \[B, 4\], got \[19, 5, 3\]"):
        layer(x[..., :3])
    with pytest.raises(ValueError, match=r"T >= 1"):
        layer(x[:0])
    with pytest.raises(TypeError, match=r"starts must be bool, got torch.float32"):
        layer(x, None, torch.zeros(T, B))
    with pytest.raises(ValueError, match=r"starts must have shape \[19, 5\]"):
        layer(x, None, torch.zeros(B, T, dtype=torch.bool))
    with pytest.raises(TypeError, match=r"a tuple \(h, c\), got Tensor"):
        layer(x, torch.zeros(1, B, H))
    with pytest.raises(TypeError, match="one tensor, got tuple"):
        GRU(D, H)(x, (torch.zeros(1, B, H), torch.zeros(1, B, H)))
    with pytest.raises(ValueError, match=r"shape \(1, 5, 6\), got \(1, 4, 6\)"):
        layer(x, (torch.zeros(1, 4, H), torch.zeros(1, 4, H)))
