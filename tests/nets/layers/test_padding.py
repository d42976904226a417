"""Sequences of different lengths: each is read as if alone, wherever its padding lies."""

import pytest
import torch
from recurrent_layers import LAYERS, B, D, H, T, draw, draw_starts, each_layer, parts_of
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from nets.layers.padding import Padding
from nets.layers.recurrent import GRU, LSTM

LENGTHS = torch.tensor([7, 19, 1, 12, 7])
STEPS = torch.arange(T)[:, None]
VALID = {
    "behind": LENGTHS > STEPS,
    "before": STEPS >= T - LENGTHS,
    "between": draw_starts(0.4, seed=7) | (STEPS == 3),
}


def make(kind, num_layers=2, **settings):
    torch.manual_seed(0)
    return kind(D, H, num_layers, **settings).double()


def state_of(layer, batch=B):
    parts = [draw(layer.num_layers * layer.directions, batch, H, seed=20 + k)
             for k in range(1 + isinstance(layer, LSTM))]  # fmt: skip
    return tuple(parts) if isinstance(layer, LSTM) else parts[0]


def one_by_one(layer, x, state, starts, valid):
    """Run over each sequence alone, its padding cut out."""
    outputs = x.new_zeros(len(x), x.shape[1], layer.out_features)
    finals = []
    for b in range(x.shape[1]):
        steps = valid[:, b]
        own = [part[:, b : b + 1].contiguous() for part in parts_of(state)]
        begun = None if starts is None else starts[steps, b : b + 1]
        y, final = layer(x[steps, b : b + 1], tuple(own) if len(own) > 1 else own[0], begun)
        outputs[steps, b] = y[:, 0]
        finals.append(parts_of(final))
    return outputs, tuple(torch.cat(parts, 1) for parts in zip(*finals, strict=True))


@each_layer
@pytest.mark.parametrize("where", list(VALID))
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("episodes", [False, True])
def test_padded_sequences_are_read_as_if_alone(kind, where, bidirectional, episodes):
    layer, valid = make(kind, bidirectional=bidirectional), VALID[where]
    x, state = draw(T, B, D, requires_grad=True), state_of(layer)
    starts = draw_starts(0.2) if episodes else None
    filled = torch.where(valid[..., None], x, 1e3)
    y, final = layer(filled, state, starts, valid=valid)
    expected, finals = one_by_one(layer, x, state, starts, valid)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(parts_of(final), finals, rtol=0, atol=1e-12)
    assert not y[~valid].any()
    slopes = [torch.autograd.grad(out.sum(), x, retain_graph=True)[0] for out in (y, expected)]
    torch.testing.assert_close(*slopes, rtol=0, atol=1e-12)
    assert not slopes[0][~valid].any()


@each_layer
def test_lengths_are_padding_behind(kind):
    layer, x = make(kind), draw(T, B, D)
    for lengths in (LENGTHS, LENGTHS.int(), LENGTHS.tolist()):
        found = layer(x, lengths=lengths)
        torch.testing.assert_close(found, layer(x, valid=VALID["behind"]), rtol=0, atol=0)


def test_a_gru_that_resets_early_reads_padded_sequences_too():
    layer, x = make(GRU, reset_after=False), draw(T, B, D)
    y, final = layer(x, lengths=LENGTHS)
    expected, finals = one_by_one(layer, x, state_zero(layer), None, VALID["behind"])
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(final, finals[0], rtol=0, atol=1e-12)


def state_zero(layer):
    return torch.zeros(layer.num_layers, B, H, dtype=torch.double)


@each_layer
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("enforce_sorted", [False, True])
def test_packed_sequences_come_back_packed_as_torch_packs_them(kind, bidirectional, enforce_sorted):
    layer = make(kind, bidirectional=bidirectional)
    peer = LAYERS[kind][0](D, H, 2, bidirectional=bidirectional).double()
    peer.load_state_dict(layer.state_dict())
    lengths = LENGTHS.sort(descending=True).values if enforce_sorted else LENGTHS
    packed = pack_padded_sequence(draw(T, B, D), lengths, enforce_sorted=enforce_sorted)
    state = state_of(layer)
    (y, final), (expected, finals) = layer(packed, state), peer(packed, state)
    assert isinstance(y, PackedSequence)
    torch.testing.assert_close(y.data, expected.data, rtol=0, atol=1e-12)
    torch.testing.assert_close(final, finals, rtol=0, atol=1e-12)
    for ours, theirs in zip(y[1:], expected[1:], strict=True):
        assert (ours is None) if theirs is None else torch.equal(ours, theirs)


@each_layer
def test_two_directions_are_torch_s(kind):
    layer = make(kind, bidirectional=True)
    peer = LAYERS[kind][0](D, H, 2, bidirectional=True).double()
    peer.load_state_dict(layer.state_dict())
    x, state = draw(T, B, D), state_of(layer)
    torch.testing.assert_close(layer(x, state), peer(x, state), rtol=0, atol=1e-12)
    assert layer(x)[0].shape == (T, B, layer.out_features)


@each_layer
def test_episodes_are_read_both_ways_one_by_one(kind):
    layer, x = make(kind, bidirectional=True), draw(T, B, D)
    starts = torch.zeros(T, B, dtype=torch.bool)
    starts[[0, 4, 11]] = True
    parts = [layer(part)[0] for part in (x[:4], x[4:11], x[11:])]
    torch.testing.assert_close(layer(x, None, starts)[0], torch.cat(parts), rtol=0, atol=1e-12)


REFUSED = {
    "both": ({"lengths": LENGTHS, "valid": VALID["behind"]}, ValueError, "expected one of them"),
    "too long": ({"lengths": LENGTHS + 1}, ValueError, "from 2 to 20, expected 1 to 19"),
    "none": ({"lengths": LENGTHS - 1}, ValueError, "lengths range from 0 to 18"),
    "floats": ({"lengths": LENGTHS.float()}, TypeError, "expected integers"),
    "too few": ({"lengths": LENGTHS[:3]}, ValueError, r"lengths have shape \[3\], expected \[5\]"),
    "numbers": ({"valid": VALID["behind"].long()}, TypeError, "valid must be bool, got torch"),
    "turned": ({"valid": VALID["behind"].t()}, ValueError, r"valid has shape \[5, 19\], expected"),
    "empty": ({"valid": STEPS < LENGTHS - 1}, ValueError, "sequence 2 has no step"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(REFUSED))
def test_padding_that_does_not_fit_is_refused(name):
    settings, error, match = REFUSED[name]
    with pytest.raises(error, match=match):
        make(GRU)(draw(T, B, D), **settings)


def test_one_step_has_neither_padding_nor_a_way_back():
    with pytest.raises(ValueError, match="x is one step"):
        make(GRU)(draw(B, D), lengths=torch.ones(B, dtype=torch.long))
    with pytest.raises(ValueError, match="x is one step"):
        make(GRU, bidirectional=True)(draw(B, D))
    packed = pack_padded_sequence(draw(T, B, D), LENGTHS, enforce_sorted=False)
    with pytest.raises(ValueError, match="a PackedSequence has its lengths"):
        make(GRU)(packed, lengths=LENGTHS)


def test_steps_go_to_the_front_and_back():
    x = draw(T, B, D)
    for valid in VALID.values():
        padding = Padding(valid)
        front = padding.to_front(x)
        for b in range(B):
            assert torch.equal(front[: padding.lengths[b], b], x[valid[:, b], b])
            assert torch.equal(
                padding.backwards(front)[: padding.lengths[b], b], x[valid[:, b], b].flip(0)
            )
        assert torch.equal(padding.put_back(front), x * valid[..., None])


def test_a_program_of_padded_sequences_takes_batches_of_any_size():
    """Nobody looks at lengths then: room is left for whatever they are."""
    program = Reader().eval()
    given = torch.randn(6, 2, 3), torch.tensor([6, 4])
    batch = torch.export.Dim("B", min=1)
    exported = torch.export.export(program, given, dynamic_shapes=({1: batch}, {0: batch})).module()
    x, lengths = torch.randn(6, 5, 3), torch.tensor([6, 1, 3, 2, 5])
    torch.testing.assert_close(exported(x, lengths), program(x, lengths), rtol=0.0, atol=0.0)


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.memory = LSTM(3, 4, bidirectional=True)

    def forward(self, x, lengths):
        return self.memory(x, lengths=lengths)[0]
