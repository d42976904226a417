"""Counter-based randomness on tensors: a draw is a hash of where it is used, on any device.

Streams are trees of 64-bit words, mixed by splitmix64's finaliser (Steele, Lea and Flood, 2014,
"Fast splittable pseudorandom number generators"), modulo 2⁶⁴; int64 tensors hold their bits:

    root   = mix(seed + G)                     of a seed
    key    = mix(root + G·(episode + 1))       of an episode
    draw j = mix(key + G·t + A·j)              of its step t

No generator has a state: row k of a batch draws what it would draw alone.
"""

import torch
from torch import Tensor

GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)  # G: 2⁶⁴ / golden ratio, as int64
_A = 0xBF58476D1CE4E5B9 - (1 << 64)
_B = 0x94D049BB133111EB - (1 << 64)
_TO_UNIT = 2.0**-53


def mix(words: Tensor) -> Tensor:
    """Return splitmix64's hash of every word, int64 `[*]` like the words."""
    words = (words ^ _shifted(words, 30)) * _A
    words = (words ^ _shifted(words, 27)) * _B
    return words ^ _shifted(words, 31)


def roots(seeds: Tensor) -> Tensor:
    """Return the root of the stream of each seed, int64 `[*]`."""
    return mix(seeds + GOLDEN)


def uniforms(counter: Tensor, count: int, first: int = 0) -> Tensor:
    """Return draws `first`, ..., `first + count - 1` in [0, 1), float64 `[N, count]`.

    Args:
        counter: key + G·t of each row, int64 `[N]`.
        count: draws per row.
        first: number of the first.
    """
    draws = torch.arange(first, first + count, device=counter.device) * _A  # [count]
    return _shifted(mix(counter[:, None] + draws), 11).double() * _TO_UNIT  # [N, count]


def below(counter: Tensor, n: int, draw: int = 0) -> Tensor:
    """Return integers in [0, n), int64 `[N]`: ((bits >> 32)·n) >> 32, with n ≤ 2³¹."""
    offset = torch.tensor(draw, device=counter.device) * _A
    return (_shifted(mix(counter + offset), 32) * n) >> 32


def _shifted(words: Tensor, places: int) -> Tensor:
    """Shift to the right, zeros coming in from the left."""
    return (words >> places) & ((1 << (64 - places)) - 1)
