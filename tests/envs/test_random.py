"""The counter-based generator: a published reference, three number worlds, statistics."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from envs.random import GOLDEN, MASK, BatchRandom, ScalarRandom, mix, mix_array, root_of

WORDS = np.random.default_rng(0).integers(0, 2**64, 10_000, dtype=np.uint64)


def test_mix_is_splitmix64():
    # The first outputs of the published splitmix64 generator from state 0, whose state grows by G.
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F, 0xF88BB8A8724C81EC]
    assert [mix(GOLDEN * step) for step in range(1, 5)] == published


def test_the_hash_agrees_on_ints_arrays_and_torch():
    def signed(word: int) -> int:
        return word - (1 << 64) if word >> 63 else word

    def shift(words: torch.Tensor, by: int) -> torch.Tensor:  # logical, on int64
        return (words >> by) & ((1 << (64 - by)) - 1)

    words = torch.from_numpy(WORDS.view(np.int64).copy())
    words = (words ^ shift(words, 30)) * signed(0xBF58476D1CE4E5B9)
    words = (words ^ shift(words, 27)) * signed(0x94D049BB133111EB)
    words = words ^ shift(words, 31)
    before = WORDS.copy()
    hashed = mix_array(WORDS)
    assert hashed.tolist() == [mix(word) for word in WORDS.tolist()]
    assert np.array_equal(words.numpy().view(np.uint64), hashed)
    assert np.array_equal(WORDS, before)
    below = shift(shift(words, 32) * 1000, 32)
    uniform = shift(words, 11).double() * 2.0**-53
    batch = BatchRandom(WORDS)
    assert np.array_equal(batch.below(1000), below.numpy())
    assert np.array_equal(batch.uniform(), uniform.numpy())


def test_each_environment_may_have_its_own_bound():
    words = WORDS[:500]
    bounds = np.arange(500) % 7
    drawn = BatchRandom(words).below(bounds, draw=2)
    pairs = zip(words.tolist(), bounds.tolist(), strict=True)
    assert drawn.tolist() == [ScalarRandom(word).below(n, draw=2) for word, n in pairs]
    assert (drawn < np.maximum(bounds, 1)).all()
    assert set(drawn[bounds == 6].tolist()) == set(range(6))


@pytest.mark.parametrize("draw", [0, 1, 7, 60])
def test_scalar_and_batch_draws_agree(draw):
    words = WORDS[:500]
    batch, scalars = BatchRandom(words), [ScalarRandom(word) for word in words.tolist()]
    for n in (1, 2, 3, 1000, 2**32):
        drawn = batch.below(n, draw)
        assert drawn.dtype == np.int64
        assert drawn.tolist() == [random.below(n, draw) for random in scalars]
    for low, high in ((0.0, 1.0), (-0.05, 0.05), (-np.pi, np.pi)):
        drawn = batch.uniform(low, high, draw)
        assert drawn.tolist() == [random.uniform(low, high, draw) for random in scalars]


def test_uniforms_are_the_first_uniform_draws():
    batch, scalar = BatchRandom(WORDS[:5]), ScalarRandom(int(WORDS[0]))
    many = batch.uniforms(4, -1.0, 2.0)
    for draw in range(4):
        assert np.array_equal(many[draw], batch.uniform(-1.0, 2.0, draw))
        assert scalar.uniforms(4, -1.0, 2.0)[draw] == many[draw][0]


def test_a_draw_depends_on_the_counter_alone():
    random = ScalarRandom(17)
    assert random.below(10**6) == random.below(10**6) != random.below(10**6, draw=1)
    grown = ScalarRandom(17 + (1 << 64))  # counters grow without a modulus
    assert grown.below(10**6) == random.below(10**6)


@pytest.mark.parametrize("seed", [0, 1, 2**31])
def test_environments_follow_the_documented_tree(seed):
    env = gym.make("envs:dreamgym/CartPole-v0").unwrapped
    vector = gym.make_vec("envs:dreamgym/CartPole-v0", 3).unwrapped
    env.reset(seed=seed)
    vector.reset(seed=[seed + 9, seed, seed + 4])
    root = mix(seed + GOLDEN)
    assert root_of(seed) == root
    for episode in range(4):
        key = mix((root + GOLDEN * (episode + 1)) & MASK)
        for step in range(3):
            counter = (key + GOLDEN * step) & MASK
            assert env.state_dict()["counter"] == counter
            assert int(vector.state_dict()["counter"][1]) == counter
            if step == 0:
                drawn = ScalarRandom(key).uniforms(4, -0.05, 0.05)
                assert (*env.state_dict()["state"].values(),) == drawn
            env.step(0)
            vector.step([0, 0, 0])
        env.reset()
        vector.reset()


def chi_squared(values: np.ndarray, bins: int) -> float:
    """Return the standard score of Pearson's statistic of values in [0, bins)."""
    expected = len(values) / bins
    counts = np.bincount(values, minlength=bins)
    statistic = ((counts - expected) ** 2 / expected).sum()
    return (statistic - (bins - 1)) / np.sqrt(2.0 * (bins - 1))


N = 1 << 17
INDICES = np.arange(N, dtype=np.uint64)
G = np.uint64(GOLDEN)
ROOTS = mix_array(INDICES + G)  # of consecutive seeds
STREAMS = {
    "steps of an episode": mix_array(ROOTS[:1] + G) + G * INDICES,
    "first draws of consecutive seeds": mix_array(ROOTS + G),
    "first draws of consecutive episodes": mix_array(ROOTS[:1] + G * (INDICES + np.uint64(1))),
}


@pytest.mark.parametrize("name", STREAMS)
def test_draws_are_uniform_and_uncorrelated(name):
    random = BatchRandom(STREAMS[name])
    for bins in (3, 64, 1000):
        assert abs(chi_squared(random.below(bins), bins)) < 5.0
    first, second = random.below(16), random.below(16, draw=1)
    assert abs(chi_squared(16 * first + second, 256)) < 5.0  # draws of one step
    assert abs(chi_squared(16 * first[1:] + first[:-1], 256)) < 5.0  # neighbours in the stream
    uniform = random.uniform()
    assert uniform.min() >= 0.0
    assert uniform.max() < 1.0
    assert abs(uniform.mean() - 0.5) < 5.0 / np.sqrt(12.0 * N)
