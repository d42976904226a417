"""Arguments of environments come back from a file as they were."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.environments.plain import decode, encode

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
KEYS = st.text() | st.integers() | st.sampled_from(["tuple", "items", "float", "array"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=3)
    ),
)


@given(VALUES)
def test_what_was_encoded_comes_back_by_way_of_json(value):
    text = json.dumps(encode(value), allow_nan=False)
    assert decode(json.loads(text)) == value
    assert repr(decode(json.loads(text))) == repr(value)  # a tuple is no list, True no 1


def test_numbers_and_arrays_of_numpy():
    assert encode(np.float32(0.5)) == 0.5
    assert encode({"low": np.int64(3)}) == {"low": 3}
    array = np.array([[1.0, -math.inf]], np.float32)
    back = decode(json.loads(json.dumps(encode(array), allow_nan=False)))
    assert back.dtype == np.float32
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("kind", [np.float16, np.uint8, np.bool_, np.dtype(np.float64)])
def test_types_of_numbers_are_arguments_too(kind):
    """As in `DtypeObservation(env, np.float16)`."""
    back = decode(json.loads(json.dumps(encode({"dtype": kind}))))["dtype"]
    assert (back, type(back)) == (kind, type(kind))


@pytest.mark.parametrize(
    "value", [len, object(), np.array([None]), {1, 2}, {"f": [print]}, np.dtype("O"), np.floating]
)
def test_what_no_file_can_hold_is_refused(value):
    with pytest.raises(TypeError, match="cannot be written down"):
        encode(value)


@pytest.mark.parametrize("dtype", ["O", "V1000000000", "U100000000", "i4,i4"])
def test_an_array_of_anything_but_numbers_is_refused_before_it_is_made(dtype):
    with pytest.raises(ValueError, match="was never written"):
        decode({"array": [1], "dtype": dtype})
    with pytest.raises(ValueError, match="was never written"):
        decode({"NumPy type": dtype})
