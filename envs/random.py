"""Counter-based randomness: every draw is a hash of where it is used, so no generator has a state.

An environment's stream is a tree of 64-bit words, mixed by splitmix64's finaliser (Steele, Lea and
Flood, 2014, "Fast splittable pseudorandom number generators"), modulo 2⁶⁴:

    root = mix(seed + G)                   of a seed
    key  = mix(root + G·(episode + 1))     of an episode
    draw j of step t = mix(key + G·t + A·j)

Draw j of step t is therefore the same number whether environments run one by one or thousands at
once. `initial` draws at t = 0, the first `step` at t = 1. An environment keeps two counters, its
stream root + G·(episode + 1) and key + G·t: both go on by adding G.
"""

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15  # G: 2⁶⁴ / golden ratio
ODD_A = 0xBF58476D1CE4E5B9
ODD_B = 0x94D049BB133111EB

_GOLDEN, _ODD_A, _ODD_B = np.uint64(GOLDEN), np.uint64(ODD_A), np.uint64(ODD_B)
_11, _27, _30, _31, _32 = (np.uint64(shift) for shift in (11, 27, 30, 31, 32))
_OFFSETS = _ODD_A * np.arange(64, dtype=np.uint64)[:, None]  # A·j
TO_UNIT = 2.0**-53


def mix(word: int) -> int:
    """Return splitmix64's hash of an integer, taken modulo 2⁶⁴."""
    word &= MASK
    word = ((word ^ (word >> 30)) * ODD_A) & MASK
    word = ((word ^ (word >> 27)) * ODD_B) & MASK
    return word ^ (word >> 31)


def mix_array(words: U64) -> U64:
    """Return `mix` of every element of a uint64 array, as a new array."""
    mixed = words >> _30
    mixed ^= words
    mixed *= _ODD_A
    shifted = mixed >> _27
    mixed ^= shifted
    mixed *= _ODD_B
    np.right_shift(mixed, _31, out=shifted)
    mixed ^= shifted
    return mixed


def root_of(seed: int) -> int:
    """Return the root of a seed's stream."""
    return mix(seed + GOLDEN)


class ScalarRandom:
    """The draws of one environment at one step, as Python numbers.

    Attributes:
        counter: key + G·t.
    """

    __slots__ = ("counter",)

    def __init__(self, counter: int = 0) -> None:
        self.counter = counter

    def below(self, n: int, draw: int = 0) -> int:
        """Return an integer in [0, n), n ≤ 2³²: ((bits >> 32)·n) >> 32; 0 if n is 0."""
        return ((mix(self.counter + ODD_A * draw) >> 32) * n) >> 32

    def uniform(self, low: float = 0.0, high: float = 1.0, draw: int = 0) -> float:
        """Return a float in [low, high): low + (high - low)·(bits >> 11)·2⁻⁵³."""
        return low + (high - low) * ((mix(self.counter + ODD_A * draw) >> 11) * TO_UNIT)

    def uniforms(self, count: int, low: float = 0.0, high: float = 1.0) -> tuple[float, ...]:
        """Return draws 0 to count - 1 of `uniform`."""
        return tuple([self.uniform(low, high, draw) for draw in range(count)])


def _to_uniform(bits: U64, low: float, high: float) -> npt.NDArray[np.float64]:
    bits >>= _11
    unit = bits.astype(np.float64)
    unit *= TO_UNIT
    unit *= high - low
    unit += low
    return unit


class BatchRandom:
    """The draws of N environments, each at its own step, as arrays `[N]`.

    Attributes:
        counter: key + G·t of each environment, uint64 `[N]`.
    """

    __slots__ = ("counter",)

    def __init__(self, counter: U64) -> None:
        self.counter = counter

    def _bits(self, draw: int) -> U64:
        return mix_array(self.counter + np.uint64(ODD_A * draw & MASK) if draw else self.counter)

    def below(self, n: int | npt.NDArray[np.int64], draw: int = 0) -> npt.NDArray[np.int64]:
        """Return integers in [0, n), `[N]`; see `ScalarRandom.below`. Each may have its own n."""
        bits = self._bits(draw)
        bits >>= _32
        bits *= np.uint64(n)
        bits >>= _32
        return bits.view(np.int64)

    def uniform(
        self, low: float = 0.0, high: float = 1.0, draw: int = 0
    ) -> npt.NDArray[np.float64]:
        """Return floats in [low, high), `[N]`; see `ScalarRandom.uniform`."""
        return _to_uniform(self._bits(draw), low, high)

    def uniforms(
        self, count: int, low: float = 0.0, high: float = 1.0
    ) -> tuple[npt.NDArray[np.float64], ...]:
        """Return draws 0 to count - 1 of `uniform`, `[N]` each."""
        bits = mix_array(self.counter + _OFFSETS[:count])
        return tuple(_to_uniform(bits, low, high))


Random = ScalarRandom | BatchRandom
