"""Vocabularies, attention and sequence-to-sequence models."""

from collections import Counter

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nets.layers.attention import Attention
from nets.networks.seq2seq import Seq2Seq
from nets.networks.vocabulary import EOS, GO, PAD, UNK, Vocabulary, teacher_forcing
from nets.supervised.sampling import one_hot

WORDS = ["banana", "bandana", "cab"]


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def tokens(length, batch, vocabulary=9, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(4, vocabulary, (length, batch), generator=generator)


def model(seed=0, **options):
    torch.manual_seed(seed)
    return Seq2Seq(9, 9, 6, 6, **options).double()


# Tokens -----------------------------------------------------------------------------------------


def test_N_SEQ_01_one_hot_vectors_are_all_equally_far_apart():
    """A letter is as far from the next one as <pad> from <unk>."""
    vocabulary = Vocabulary(WORDS)
    numbers = torch.cat([torch.arange(4), vocabulary.encode(["abcdn"])[:, 0]])
    vectors = one_hot(numbers, len(vocabulary))
    distances = torch.cdist(vectors, vectors)
    off = distances[~torch.eye(len(vocabulary), dtype=torch.bool)]
    torch.testing.assert_close(off, torch.full((9 * 8,), 2**0.5))


def test_N_SEQ_02_an_embedding_is_a_product_with_one_hot_vectors():
    """What encoder and decoder read are rows of W, which alone learn; that of padding stays 0."""
    network, vocabulary = model(), Vocabulary(WORDS)
    source, target = vocabulary.encode(["cab", "b"]), vocabulary.encode(["add", "ba"])
    embedded = {}
    for layer in (network.source, network.target):
        layer.register_forward_hook(lambda layer, _, found: embedded.update({layer: found}))
    network.loss(source, target).backward()
    for layer, numbers in (
        (network.source, source),
        (network.target, teacher_forcing(target)[0]),
    ):
        torch.testing.assert_close(embedded[layer], one_hot(numbers, 9).double() @ layer.weight)
        learned = layer.weight.grad.abs().sum(1).nonzero().flatten().tolist()
        assert learned == sorted(set(numbers.flatten().tolist()) - {PAD})
        assert not layer.weight[PAD].any()


def test_N_SEQ_10_counts_and_numbers_of_tokens():
    vocabulary = Vocabulary(WORDS)
    letters = np.array(list("".join(WORDS)))
    counts = dict(zip(*np.unique(letters, return_counts=True), strict=True))
    assert vocabulary.counts == Counter(counts)
    assert vocabulary.tokens[4:] == ("a", "n", "b", "d", "c")
    assert len(Vocabulary(WORDS, min_count=2)) == 4 + 3
    assert Vocabulary(WORDS, max_size=2).tokens[4:] == ("a", "n")
    numbers = vocabulary.encode(["cab", "ax"])
    assert numbers.tolist() == [[8, 4], [4, UNK], [6, PAD]]
    assert vocabulary.decode(numbers) == [["c", "a", "b"], ["a", "<unk>"]]
    assert vocabulary.decode(torch.tensor([[4], [EOS], [5]])) == [["a"]]


def test_N_SEQ_06_the_decoder_reads_what_it_should_have_said():
    target = torch.tensor([[5, 7], [6, PAD]])
    read, said = teacher_forcing(target)
    assert read.t().tolist() == [[GO, 5, 6], [GO, 7, PAD]]
    assert said.t().tolist() == [[5, 6, EOS], [7, EOS, PAD]]


# Attention --------------------------------------------------------------------------------------


def test_N_SEQ_09_dot_attention_is_torchs():
    s, h = draw(3, 2, 4), draw(5, 2, 4, seed=1)
    valid = torch.tensor([[True, True]] * 3 + [[True, False]] * 2)
    found, weights = Attention(4)(s, h, valid)
    q, k = s.transpose(0, 1), h.transpose(0, 1)
    expected = F.scaled_dot_product_attention(q, k, k, valid.t()[:, None])
    torch.testing.assert_close(found, expected.transpose(0, 1))
    assert (weights[:, 1, 3:] == 0.0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 2, dtype=torch.float64))


def test_N_SEQ_09_additive_attention_by_loops():
    torch.manual_seed(0)
    attention = Attention(4, "additive").double()
    s, h = draw(3, 2, 4), draw(5, 2, 4, seed=1)
    valid = torch.tensor([[True, True]] * 4 + [[False, True]])
    found, weights = attention(s, h, valid)
    w, u, b = attention.question.weight, attention.memory.weight, attention.memory.bias
    for i in range(3):
        for k in range(2):
            scores = [
                attention.value.weight[0] @ torch.tanh(w @ s[i, k] + u @ x + b) for x in h[:, k]
            ]
            scores = torch.stack(scores).masked_fill(~valid[:, k], -torch.inf)
            alpha = scores.exp() / scores.exp().sum()
            torch.testing.assert_close(weights[i, k], alpha)
            torch.testing.assert_close(
                found[i, k], sum(a * x for a, x in zip(alpha, h[:, k], strict=True))
            )


# Models -----------------------------------------------------------------------------------------

KINDS = [
    {"cell": cell, "attention": attention}
    for cell in ("gru", "lstm")
    for attention in (None, "dot", "additive")
]


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_N_SEQ_03_more_padding_changes_nothing(options):
    network = model(**options, num_layers=2)
    source, target = tokens(4, 3), tokens(5, 3, seed=1)
    source[3, 0] = target[3:, 1] = PAD
    padded = [F.pad(x, (0, 0, 0, 3), value=PAD) for x in (source, target)]
    torch.testing.assert_close(network.loss(source, target), network.loss(*padded))
    logits = network(source, target)
    torch.testing.assert_close(network(*padded)[: len(logits)], logits)
    assert torch.equal(network.generate(source, 6), network.generate(padded[0], 6))


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_N_SEQ_04_the_state_is_that_after_the_last_token(cell):
    network, source = model(cell=cell), tokens(5, 2)
    source[3:, 1] = PAD
    state = network.read(source).state
    alone = network.read(source[:3, 1:]).state
    for both, one in zip(*((s if cell == "lstm" else (s,)) for s in (state, alone)), strict=True):
        torch.testing.assert_close(both[:, 1:], one)
    unpadded, _ = network.encoder(network.source(source))
    assert (
        unpadded[-1, 1] - state[0][0, 1] if cell == "lstm" else unpadded[-1, 1] - state[0, 1]
    ).abs().max() > 1e-3


@pytest.mark.parametrize("options", KINDS, ids=str)
def test_N_SEQ_05_training_and_writing_use_one_decoder(options):
    """What is written greedily, read back by teacher forcing, is what the model would say."""
    network, source = model(seed=3, **options), tokens(4, 6)
    written = network.generate(source, 5)
    logits = network(source, written)
    lengths = (written != PAD).sum(0)
    for k, length in enumerate(lengths.tolist()):
        said = logits[:length, k].argmax(-1)
        assert torch.equal(said, written[:length, k])
        if length < len(written):
            assert logits[length, k].argmax() == EOS


def test_N_SEQ_07_writing_ends_at_eos_or_in_time():
    network, source = model(), tokens(4, 2)
    with torch.no_grad():
        network.output.weight.zero_()
        network.output.bias.zero_()
        network.output.bias[EOS] = 1.0
        assert network.generate(source, 7).shape == (0, 2)
        network.output.bias[5] = 2.0
        assert network.generate(source, 7).tolist() == [[5, 5]] * 7


def test_N_SEQ_08_tied_weights_get_the_gradients_of_both_uses():
    source, target = tokens(4, 3), tokens(5, 3, seed=1)
    tied, free = model(tied=True), model()
    free.load_state_dict(tied.state_dict())
    for network in (tied, free):
        network.loss(source, target).backward()
    both = free.target.weight.grad + free.output.weight.grad
    torch.testing.assert_close(tied.target.weight.grad, both)
    assert tied.output.weight is tied.target.weight
    with pytest.raises(ValueError, match="embedding_size = hidden_size, got 6 and 8"):
        Seq2Seq(9, 9, 6, 8, tied=True)


@pytest.mark.slow
@pytest.mark.parametrize(("attention", "longest"), [(None, 3), ("dot", 5)])
def test_N_SEQ_07_a_model_learns_to_reverse(attention, longest):
    torch.manual_seed(0)
    network = Seq2Seq(12, 12, 32, 64, attention=attention)
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)

    def batch(size, seed):
        generator = torch.Generator().manual_seed(seed)
        lengths = torch.randint(1, longest + 1, (size,), generator=generator)
        source = tokens(longest, size, 12, seed)
        place = torch.arange(longest)[:, None]
        source = source.where(place < lengths, PAD)
        mirrored = source.gather(0, (lengths - 1 - place).clamp(min=0)).where(place < lengths, PAD)
        return source, mirrored

    for step in range(400):
        optimizer.zero_grad()
        network.loss(*batch(64, step)).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    source, target = batch(1000, 10**6)
    written = F.pad(network.generate(source, longest), (0, 0, 0, longest), value=PAD)[:longest]
    assert (written == target).all(0).float().mean() >= 0.99


def test_errors_name_what_was_expected():
    with pytest.raises(ValueError, match="cell is 'rnn': expected one of 'gru', 'lstm'"):
        Seq2Seq(9, 9, cell="rnn")
    with pytest.raises(ValueError, match="one of dot, additive, got 'cosine'"):
        Attention(4, "cosine")
    with pytest.raises(ValueError, match="sequence 1 is empty"):
        model().read(torch.tensor([[5, PAD], [4, PAD]]))


@pytest.mark.parametrize("attention", [None, "dot"])
def test_padding_before_a_sequence_is_no_content(attention):
    torch.manual_seed(0)
    model = Seq2Seq(10, 10, attention=attention)
    behind = torch.tensor([[4, 5, 6, 0, 0], [7, 8, 9, 4, 5]]).t()
    before = torch.tensor([[0, 0, 4, 5, 6], [7, 8, 9, 4, 5]]).t()
    right, left = model.read(behind), model.read(before)
    torch.testing.assert_close(left.state, right.state)
    torch.testing.assert_close(left.outputs[2:, 0], right.outputs[:3, 0])
    assert not left.outputs[:2, 0].any()
    torch.testing.assert_close(model(before, before), model(behind, behind))
    torch.testing.assert_close(model.loss(before, before), model.loss(behind, behind))
    torch.testing.assert_close(model.generate(before, 5), model.generate(behind, 5))
    for ours, theirs in zip(teacher_forcing(before), teacher_forcing(behind), strict=True):
        assert torch.equal(ours, theirs)
    vocabulary = Vocabulary([list("abcdefg")])
    assert vocabulary.decode(before) == vocabulary.decode(behind)
    assert vocabulary.decode(before)[0] == ["a", "b", "c"]
