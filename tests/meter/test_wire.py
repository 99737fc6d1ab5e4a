"""Arguments, arrays and descriptions as JSON and bytes: round trips, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from sparsebench.errors import RefusedError
from sparsebench.meter import Description, Handle, wire
from sparsebench.meter.values import DTYPES

INTEGERS = st.integers(-(2**63), 2**64 - 1)
PLAIN = st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False) | st.text()
BOUNDS = st.none() | INTEGERS
ARGUMENTS = st.recursive(
    PLAIN
    | st.builds(Handle, st.integers(0, 2**40))
    | st.builds(slice, BOUNDS, BOUNDS, BOUNDS)
    | st.just(...)
    | st.complex_numbers(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4).map(tuple),
    max_leaves=10,
)


@given(ARGUMENTS)
def test_arguments_come_back(argument):
    assert wire.unpack(json.loads(json.dumps(wire.pack(argument)))) == argument


def test_infinities_come_back():
    told = json.loads(json.dumps(wire.pack((float("inf"), float("nan")))))
    assert wire.unpack(told)[0] == float("inf")
    assert wire.unpack(told)[1] != wire.unpack(told)[1]


def test_types_become_dtypes():
    assert wire.pack((np.float32, bool)) == ["float32", "bool"]


@pytest.mark.parametrize("value", [{1: 2}, b"x", [1], np.zeros(1), 2**64, -(2**63) - 1])
def test_what_is_not_plain_does_not_cross(value):
    with pytest.raises(TypeError):
        wire.pack(value)


@given(
    npst.arrays(
        st.sampled_from(DTYPES).map(np.dtype),
        npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    )
)
def test_arrays_come_back(array):
    back = wire.array([array.dtype.name, list(array.shape)], array.tobytes())
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_a_boolean_is_no_other_byte():
    assert wire.array(["bool", [3]], bytes([0, 2, 255])).astype(np.int64).tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("about", "payload"),
    [
        (None, b""),
        (["float32"], b""),
        (["float32", [1]], b"abc"),
        (["float32", [2]], b"abcd"),
        (["float32", [-1]], b"abcd"),
        (["float32", [True]], b"abcd"),
        (["float32", [1.0]], b"abcd"),
        (["float32", [0] * 65], b""),
        ([3, [1]], b"abcd"),
        ({"float32": [1]}, b"abcd"),
    ],
)
def test_ill_formed_arrays_are_refused(about, payload):
    with pytest.raises(RefusedError):
        wire.array(about, payload)


@pytest.mark.parametrize("name", ["object", "float16", "O", "V4", "datetime64[s]", ">f4"])
def test_strange_dtypes_are_refused(name):
    with pytest.raises(TypeError):
        wire.array([name, [1]], b"abcd")


@pytest.mark.parametrize(
    "value",
    [
        {"h": True},
        {"h": 1.5},
        {"h": "1"},
        {"h": [1]},
        {"s": [1, 2]},
        {"s": [1.0, 2, 3]},
        {"s": [True, 1, 1]},
        {"x": 1},
        {},
    ],
)
def test_ill_formed_arguments_are_refused(value):
    with pytest.raises(RefusedError):
        wire.unpack([value])


def test_deep_nesting_is_refused():
    nested = 0
    for _ in range(20):
        nested = [nested]
    with pytest.raises(RefusedError, match="deeply"):
        wire.unpack(nested)


@pytest.mark.parametrize("value", [None, 3, "3", [1.0], [True], [None], {"0": 1}])
def test_handle_numbers_are_integers(value):
    with pytest.raises(RefusedError):
        wire.numbers(value)


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"call": 3, "args": [], "kwargs": {}},
        {"call": "add", "args": 3, "kwargs": {}},
        {"call": "add", "args": "ab", "kwargs": {}},
        {"call": "add", "args": [], "kwargs": []},
        {"call": "add", "args": []},
    ],
)
def test_ill_formed_calls_are_refused(request_):
    with pytest.raises(RefusedError):
        wire.arguments(request_)


@given(
    st.integers(0, 99),
    st.sampled_from(DTYPES),
    st.none() | st.lists(st.integers(0, 9), max_size=3).map(tuple),
)
def test_descriptions_come_back(number, dtype, shape):
    about = Description(Handle(number), dtype, 2, shape)
    assert wire.unpack_description(json.loads(json.dumps(wire.pack_description(about)))) == about


def test_lengths_without_end_are_not_multiplied(monkeypatch):
    monkeypatch.setattr(wire.math, "prod", None)  # a million of them would take hours
    with pytest.raises(RefusedError, match="do not fill its shape"):
        wire.array(["int8", [9] * 65], b"")
