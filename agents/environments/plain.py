"""Arguments of environments as JSON holds them, and back again: tuples, infinities, arrays."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

TYPE, DTYPE = "NumPy type", "NumPy dtype"  # with a space, as no argument's name has
TAGS = ("tuple", "items", "float", "array", TYPE, DTYPE)
NUMBERS = "biuf"  # kinds of arrays: an entry of others may be as large as its file says
TYPES = {np.dtype(code).type for code in "?" + np.typecodes["AllInteger"] + "efd"}


def encode(value: Any) -> Any:
    """Return `value` in JSON's types, from which `decode` makes it again.

    What JSON has no form for is written as a dict of one tag: `{"tuple": [1, 2]}`.

    Raises:
        TypeError: it holds something that is neither number, word, list, tuple, dict nor array.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [encode(item) for item in value]
    if isinstance(value, tuple) and type(value) is tuple:
        return {"tuple": [encode(item) for item in value]}
    if isinstance(value, np.ndarray) and value.dtype.kind in NUMBERS:
        return {"array": encode(value.tolist()), "dtype": value.dtype.name}
    if isinstance(value, np.dtype) and value.type in TYPES:
        return {DTYPE: value.name}
    if isinstance(value, type) and value in TYPES:
        return {TYPE: np.dtype(value).name}
    if isinstance(value, Mapping):
        if all(isinstance(key, str) and key not in TAGS for key in value):
            return {key: encode(item) for key, item in value.items()}
        return {"items": [[encode(key), encode(item)] for key, item in value.items()]}
    raise TypeError(f"{value!r} cannot be written down: expected numbers, words, lists or arrays")


def decode(value: Any) -> Any:
    """Return what `encode` was given.

    Raises:
        KeyError, TypeError, ValueError: it was something else.
    """
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "tuple" in value:
        return tuple(decode(value["tuple"]))
    if "float" in value:
        return float(value["float"])
    if "array" in value:
        return np.array(decode(value["array"]), _numbers(value["dtype"]))
    if TYPE in value:
        return _numbers(value[TYPE]).type
    if DTYPE in value:
        return _numbers(value[DTYPE])
    if "items" in value:
        return {decode(key): decode(item) for key, item in value["items"]}
    return {key: decode(item) for key, item in value.items()}


def _numbers(name: str) -> np.dtype[Any]:
    dtype = np.dtype(name)
    if dtype.kind not in NUMBERS:
        raise ValueError(f"an array of {dtype} was never written")
    return dtype
