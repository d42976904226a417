"""Counter-based randomness in a text that runs on Python integers and compiles with numba alike.

A stream is a tree of 64-bit words mixed by splitmix64's finaliser (Steele, Lea and Flood, 2014,
"Fast splittable pseudorandom number generators"), modulo 2⁶⁴:

    root = mix(seed + G)                   of a seed
    key  = mix(root + G·(episode + 1))     of an episode
    draw j of step t = mix(key + G·t + A·j)

A number depends on where it is used and on nothing else: there is no generator whose state must be
saved, and two programs that use the same places draw the same numbers.
"""

MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15  # G: 2⁶⁴ / golden ratio
ODD = 0xBF58476D1CE4E5B9  # A
_ODD = 0x94D049BB133111EB
_TO_UNIT = 2.0**-53


def uint(value: int) -> int:
    """Return a non-negative `value` as a 64-bit word: itself in Python, `np.uint64` compiled."""
    return value


def signed(value: int) -> int:
    """Return a word below 2⁶³ as an integer: itself in Python, `np.int64` compiled."""
    return value


def mix(word: int) -> int:
    """Return splitmix64's hash of a word, taken modulo 2⁶⁴."""
    word = word & MASK
    word = ((word ^ (word >> 30)) * ODD) & MASK
    word = ((word ^ (word >> 27)) * _ODD) & MASK
    return word ^ (word >> 31)


def root_of(seed: int) -> int:
    """Return the root of the stream of a seed."""
    return mix(uint(seed) + GOLDEN)


def episode_key(root: int, episode: int) -> int:
    """Return the key of an episode (counted from 0) of the stream with this root."""
    return mix(root + GOLDEN * uint(episode + 1))


def draw(key: int, step: int, j: int) -> int:
    """Return draw j of a step: 64 random bits."""
    return mix(key + GOLDEN * uint(step) + ODD * uint(j))


def uniform(bits: int) -> float:
    """Return 64 random bits as a float in [0, 1): (bits >> 11)·2⁻⁵³."""
    return (bits >> 11) * _TO_UNIT


def below(bits: int, n: int) -> int:
    """Return 64 random bits as an integer in [0, n), 0 < n ≤ 2³²: ((bits >> 32)·n) >> 32."""
    return signed(((bits >> 32) * uint(n)) >> 32)
