"""Matrix products in compiled code, by the `sgemm` that torch brings.

So the run's number of threads holds for them, too. A matrix is part of a flat float32 array, named
by where it begins, and lies row by row: to BLAS, which goes by columns, it is its transpose.
"""

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import torch
from llvmlite import binding
from numba import types

from ...loop.experience import Array
from .compiling import part

SYMBOL = "dreamgym_sgemm"
LETTERS = np.frombuffer(b"NT", np.int8)
PLAIN, TURNED = 0, 1  # places in `LETTERS`
FACTORS = np.array([0.0, 1.0], np.float32)
NEW, MORE = 0, 1  # places in `FACTORS`
SIZES = 6  # numbers whose addresses `sgemm` is told


def sgemm_address() -> int:
    """Return where torch's library has BLAS's `sgemm`.

    Raises:
        ImportError: it shows none.
    """
    for library in (Path(torch.__file__).parent / "lib").glob("*torch_cpu.*"):
        try:
            found = ctypes.CDLL(str(library)).sgemm_
        except (OSError, AttributeError):
            continue
        return ctypes.cast(found, ctypes.c_void_p).value or 0
    raise ImportError("torch shows no sgemm")


binding.add_symbol(SYMBOL, sgemm_address())
_sgemm: Any = types.ExternalFunction(SYMBOL, types.void(*[types.intp] * 13))

Matrix = tuple[int, int, int]
"""Where it begins, as an address; how far its rows are apart; whether it is `TURNED`."""


@part
def matrix(array: Array, begin: int, apart: int, turned: int) -> Matrix:
    """Return the matrix that begins at an index of an array."""
    return array.ctypes.data + 4 * begin, apart, turned


@part
def multiply(
    a: Matrix, b: Matrix, c: Matrix, shape: tuple[int, int, int], add: int, sizes: Array
) -> None:
    """Write, or add, C = A · B; the shape is `(m, k, n)` of A `[m, k]` and B `[k, n]`.

    As all are their transposes to BLAS, it computes Cᵀ = Bᵀ Aᵀ.
    """
    (a_at, a_apart, a_turned), (b_at, b_apart, b_turned), (c_at, c_apart, _) = a, b, c
    m, k, n = shape
    sizes[0], sizes[1], sizes[2] = n, m, k
    sizes[3], sizes[4], sizes[5] = b_apart, a_apart, c_apart
    letters, factors, at = LETTERS.ctypes.data, FACTORS.ctypes.data, sizes.ctypes.data
    one, beta = factors + 4, factors + 4 * add
    _sgemm(
        letters + b_turned, letters + a_turned, at, at + 4, at + 8,
        one, b_at, at + 12, a_at, at + 16, beta, c_at, at + 20,
    )  # fmt: skip
