"""Elementary functions in single precision, without a call: loops over them are vectorised."""

import math

import numpy as np

from .compiling import inlined

ZERO, HALF, ONE, TWO = (np.float32(x) for x in (0.0, 0.5, 1.0, 2.0))

# tanh x ≈ x P(x²) / Q(x²) below `SATURATED`, from where it is 1 in single precision: of all such
# quotients that with the smallest largest relative error, 6·10⁻⁹ before rounding.
SATURATED = np.float32(7.9)
P1, P2, P3, P4 = (
    np.float32(c) for c in (0.13450628519, 0.0035790023393, 2.2023414203e-05, 1.5428213373e-08)
)
Q1, Q2, Q3, Q4 = (
    np.float32(c) for c in (0.46783956885, 0.026192277670, 3.4236672218e-04, 8.5988773435e-07)
)

LOWEST, HIGHEST = np.float32(-87.0), np.float32(88.0)  # of exp, without denormal numbers
BITS_PER_UNIT = np.float32(1.0 / math.log(2.0))
LOG_2_HIGH = np.float32(0.693359375)  # of few digits, so that a small multiple of it is exact
LOG_2_LOW = np.float32(math.log(2.0) - 0.693359375)
E2, E3, E4, E5, E6, E7 = (np.float32(1.0 / math.factorial(k)) for k in range(2, 8))
L3, L5, L7, L9 = (np.float32(1.0 / k) for k in (3, 5, 7, 9))
MANTISSA, BIAS = 23, 127  # bits of a float32's, and what its exponent is counted from
ROOT_HALF = np.float32(math.sqrt(0.5)).view(np.int32)


@inlined
def tanh(x: np.float32) -> np.float32:
    """Return tanh x, with a relative error below 4·10⁻⁷."""
    x = SATURATED if x > SATURATED else x
    x = -SATURATED if x < -SATURATED else x
    y = x * x
    above = (((P4 * y + P3) * y + P2) * y + P1) * y + ONE
    below = (((Q4 * y + Q3) * y + Q2) * y + Q1) * y + ONE
    return x * above / below


@inlined
def exp(x: np.float32) -> np.float32:
    """Return eˣ = 2ᵏ eʳ, |r| ≤ ½ log 2, by Taylor's series; relative error below 3·10⁻⁷.

    Below −87 it is e⁻⁸⁷, above 88 e⁸⁸.
    """
    x = HIGHEST if x > HIGHEST else x
    x = LOWEST if x < LOWEST else x
    k = np.int32(x * BITS_PER_UNIT + (HALF if x > ZERO else -HALF))
    r = x - np.float32(k) * LOG_2_HIGH - np.float32(k) * LOG_2_LOW
    series = ((((((E7 * r + E6) * r + E5) * r + E4) * r + E3) * r + E2) * r + ONE) * r + ONE
    return series * np.int32((k + BIAS) << MANTISSA).view(np.float32)


@inlined
def log(x: np.float32) -> np.float32:
    """Return log x = k log 2 + 2 artanh((m − 1)/(m + 1)) of a normal x = 2ᵏ m > 0, m near 1.

    The error is below 2·10⁻⁷ of the larger of log x and 1.
    """
    bits = np.float32(x).view(np.int32)
    k = np.int32((bits - ROOT_HALF) >> MANTISSA)
    m = np.int32(bits - (k << MANTISSA)).view(np.float32)
    s = (m - ONE) / (m + ONE)
    y = s * s
    artanh = s + s * y * (L3 + y * (L5 + y * (L7 + y * L9)))
    return np.float32(k) * LOG_2_HIGH + (np.float32(k) * LOG_2_LOW + TWO * artanh)
