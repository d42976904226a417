"""NumPy's own sine, cosine and exponential in compiled code: those of LLVM differ in the last bit.

NumPy's C interface says where a ufunc keeps its loops over arrays (`PyUFuncObject`, in "Python
types and C-structures" of its documentation); compiled code calls that over float64 for one number.
"""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, register_jitable

DOUBLE = bytes([np.dtype(np.float64).num])


class UFunc(ctypes.Structure):
    """The beginning of NumPy's `PyUFuncObject`."""

    _fields_ = (
        ("head", ctypes.c_char * object.__basicsize__),
        *((name, ctypes.c_int) for name in ("nin", "nout", "nargs", "identity")),
        ("functions", ctypes.POINTER(ctypes.c_void_p)),
        ("data", ctypes.POINTER(ctypes.c_void_p)),
        *((name, ctypes.c_int) for name in ("ntypes", "reserved")),
        ("name", ctypes.c_char_p),
        ("types", ctypes.POINTER(ctypes.c_char)),
    )


def loop_of(ufunc: np.ufunc) -> int:
    """Return the address of a ufunc's loop from float64 to float64.

    Raises:
        ImportError: this NumPy has none there.
    """
    known = UFunc.from_address(id(ufunc))
    if (known.nin, known.nout, known.ntypes) == (1, 1, ufunc.ntypes):
        for k in range(known.ntypes):
            plain = not known.data[k]
            if plain and known.types[2 * k] == known.types[2 * k + 1] == DOUBLE:
                return known.functions[k] or 0
    raise ImportError(f"{ufunc} of numpy {np.__version__} shows no loop over float64")


def elementary(ufunc: np.ufunc) -> Callable[[float], float]:
    """Return a ufunc of one number, for compiled code to call."""
    symbol = f"dreamgym_numpy_{ufunc.__name__}"
    binding.add_symbol(symbol, loop_of(ufunc))

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        """Call loop(addresses, count, strides, data) as NumPy does, over arrays of one number."""
        word, pointer = context.get_value_type(types.intp), cgutils.voidptr_t
        x = cgutils.alloca_once_value(builder, args[0])
        y = cgutils.alloca_once(builder, ir.DoubleType())
        at = cgutils.alloca_once(builder, ir.ArrayType(pointer, 2))
        for k, number in enumerate((x, y)):
            place = cgutils.gep_inbounds(builder, at, 0, k)
            builder.store(builder.bitcast(number, pointer), place)
        one, eight = ir.Constant(word, 1), ir.Constant(word, 8)
        count = cgutils.alloca_once_value(builder, one)
        strides = cgutils.alloca_once_value(builder, ir.Constant.literal_array([eight, eight]))
        told = [builder.bitcast(each, pointer) for each in (at, count, strides)]
        kind = ir.FunctionType(ir.VoidType(), [pointer] * 4)
        loop = cgutils.get_or_insert_function(builder.module, kind, symbol)
        builder.call(loop, [*told, ir.Constant(pointer, None)])
        return builder.load(y)

    @intrinsic
    def call(typing: Any, x: Any) -> Any:
        return types.float64(types.float64), generate

    @register_jitable
    def function(x: float) -> float:
        found: float = call(float(x))  # type: ignore[call-arg]
        return found

    return function


sin, cos, exp = elementary(np.sin), elementary(np.cos), elementary(np.exp)
