"""Noise of a stated power, and words that give way to their synonyms."""

import pytest
import torch

from nets.process.seeding import seeded
from nets.supervised.sound_and_text import add_noise, replace_tokens


@pytest.mark.parametrize("decibels", [-3.0, 0.0, 20.0])
def test_N_REG_13_noise_lies_so_many_decibels_below_the_sound(decibels):
    time = torch.arange(40_000, dtype=torch.float64)
    sound = torch.stack([(time / 9).sin(), 5 * (time / 50).cos()])  # [2, T]
    with seeded(0):
        noise = add_noise(sound, decibels) - sound
    power = sound.square().mean(-1) / noise.square().mean(-1)
    torch.testing.assert_close(
        10 * power.log10(), torch.full((2,), decibels).double(), atol=0.1, rtol=0
    )
    assert abs(noise.mean(-1) / noise.std(-1)).max() < 0.03
    assert abs(torch.corrcoef(noise)[0, 1]) < 0.03  # each row has its own


def test_N_REG_13_words_give_way_to_their_synonyms_alone():
    synonyms = torch.tensor([[0, 0], [2, 3], [1, 3], [1, 2]])  # the first word has none
    text = torch.arange(4).repeat(2000, 5)  # [2000, 20]
    with seeded(0):
        changed = replace_tokens(text, synonyms, 0.3)
    assert torch.equal(changed[text == 0], text[text == 0])
    moved = changed[text == 1] != 1
    assert moved.float().mean() == pytest.approx(0.3, abs=0.02)
    assert changed[text == 1][moved].unique().tolist() == [2, 3]
    assert (changed[text == 1][moved] == 2).float().mean() == pytest.approx(0.5, abs=0.03)
    assert torch.equal(replace_tokens(text, synonyms, 0.0), text)


def test_what_is_neither_is_refused():
    kin = torch.tensor([[1], [0]])
    with pytest.raises(ValueError, match=r"sound is torch.int64 of \[3\]: expected floats"):
        add_noise(torch.arange(3), 10.0)
    with pytest.raises(ValueError, match="tokens hold 2: expected numbers from 0 to 1"):
        replace_tokens(torch.tensor([0, 2]), kin, 0.5)
    with pytest.raises(ValueError, match=r"tokens are torch\.float32: expected int64"):
        replace_tokens(torch.ones(2), kin, 0.5)
    with pytest.raises(ValueError, match=r"share is 1\.5"):
        replace_tokens(torch.tensor([0]), kin, 1.5)
