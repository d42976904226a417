"""Counter-based draws on tensors are those of our environments, bit for bit."""

import numpy as np
import torch

from envs.random import BatchRandom, root_of
from nets.process import counters

SEEDS = torch.tensor([0, 1, 2, 7, 10**6, 2**31 - 1])


def keys():
    return counters.mix(counters.roots(SEEDS) + counters.GOLDEN)


def reference() -> BatchRandom:
    return BatchRandom(keys().numpy().view(np.uint64).copy())


def test_roots_are_those_of_seeds():
    found = counters.roots(SEEDS).numpy().view(np.uint64).tolist()
    assert found == [root_of(int(seed)) for seed in SEEDS]


def test_uniform_draws_are_those_of_worlds():
    expected = np.stack(reference().uniforms(9), axis=1)
    assert np.array_equal(counters.uniforms(keys(), 9).numpy(), expected)
    assert np.array_equal(counters.uniforms(keys(), 2, first=7).numpy(), expected[:, 7:])


def test_whole_numbers_are_those_of_worlds():
    for n, draw in ((1, 0), (3, 2), (1000, 5), (2**31, 1)):
        assert np.array_equal(counters.below(keys(), n, draw).numpy(), reference().below(n, draw))


def test_draws_are_uniform():
    many = counters.mix(counters.roots(torch.arange(4000)))
    u = counters.uniforms(many, 5)
    assert u.min() >= 0
    assert u.max() < 1
    assert abs(u.mean() - 0.5) < 5 * (1 / 12 / u.numel()) ** 0.5
    assert abs(torch.corrcoef(u.T) - torch.eye(5)).max() < 5 / 4000**0.5
