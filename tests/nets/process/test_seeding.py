import random

import numpy as np
import pytest
import torch
from torch import nn

from nets.process.seeding import hash31, seeded


def draws():
    """One draw from each global generator."""
    return random.random(), float(np.random.rand()), torch.rand(2).tolist()  # noqa: NPY002


def test_hash31_never_changes():
    """Another hash would give every recorded run other numbers."""
    assert hash31(7, "segment", 3) == 1831052470


def test_hash31_is_in_range_and_distinct():
    words = [(s, p, k) for s in range(40) for p in ("segment", "evaluation") for k in range(40)]
    hashes = {hash31(*w) for w in words}
    # 3200 of 2³¹ values: by the birthday bound one collision has a chance of 0.24 %
    assert len(hashes) == len(words)
    assert all(0 <= h < 2**31 for h in hashes)
    # uniform: the mean of 3200 draws lies within four standard errors of the middle
    mean = np.mean([h / 2**31 for h in hashes])
    assert abs(mean - 0.5) < 4 * (1 / np.sqrt(12)) / np.sqrt(len(words))


def test_hash31_keeps_words_apart():
    assert hash31(1, 23) != hash31(12, 3)
    assert hash31("1", 2) != hash31(1, 2)
    assert hash31("a", "b") != hash31("ab")
    assert hash31("a\x1fb") != hash31("a", "b")
    assert hash31(0) != hash31(0, 0)


def test_hash31_takes_numpys_integers_for_what_they_are():
    assert hash31(np.int64(5), "agent") == hash31(5, "agent") == hash31(np.uint8(5), "agent")


def test_the_same_seed_gives_the_same_draws_and_another_seed_others():
    with seeded(5):
        first = draws()
    with seeded(5):
        assert draws() == first
    with seeded(6):
        other = draws()
    assert all(a != b for a, b in zip(first, other, strict=True))


def test_the_outside_goes_on_as_if_nothing_had_happened():
    with seeded(1):
        expected = [draws(), draws()]
    with seeded(1):
        before = draws()
        with seeded(99):
            inner = draws()
            nn.Linear(3, 3)
            nn.functional.dropout(torch.ones(9))
        assert [before, draws()] == expected
    with seeded(99):
        assert inner == draws()


def test_the_outside_is_restored_after_an_error():
    with seeded(1):
        expected = draws()
    with seeded(1):
        with pytest.raises(ZeroDivisionError), seeded(2):
            draws()[0] / 0
        assert draws() == expected


def test_layers_and_dropout_are_repeatable_inside():
    def make():
        with seeded(11):
            layer = nn.Linear(6, 6)
            return layer.weight.detach().clone(), nn.functional.dropout(torch.ones(50), 0.5)

    (weight, mask), (weight_2, mask_2) = make(), make()
    assert torch.equal(weight, weight_2)
    assert torch.equal(mask, mask_2)
    assert 0 < mask.sum() < 100
