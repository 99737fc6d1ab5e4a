"""A primitive's price is the price of its reference, and its answers are its reference's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meter.metered import Meter, unwrap
from sparsebench import ops
from sparsebench.ops import PRIMITIVES

SIZES = st.integers(0, 6)
SOME = st.integers(1, 6)
DTYPES = st.sampled_from([np.float32, np.float64])


@st.composite
def reals(draw, shape, dtype=None):
    """Numbers that are exact in every order of addition, in one of several layouts."""
    dtype = dtype or draw(DTYPES)
    seed = draw(st.integers(0, 2**32 - 1))
    array = (np.random.default_rng(seed).integers(-8, 9, shape) / 4).astype(dtype)
    layout = draw(st.sampled_from(["C", "F", "strided", "backwards"]))
    if layout == "F":
        return np.asfortranarray(array)
    if layout == "strided":
        return np.repeat(array, 2, axis=0)[::2]
    return array[::-1].copy()[::-1] if layout == "backwards" else array


@st.composite
def tree_route_calls(draw):
    key = draw(reals((draw(SIZES),)))
    thresholds = draw(reals((2 ** draw(st.integers(0, 4)) - 1,)))
    return (key, np.sort(thresholds)[draw(st.permutations(range(len(thresholds))))], *())


@st.composite
def hyperplane_hash_calls(draw):
    n, d, k = draw(SIZES), draw(SIZES), draw(SOME)
    shape = (k,) if draw(st.booleans()) else (draw(SIZES), k)
    offsets = (draw(reals(shape)),) if draw(st.booleans()) else ()
    return (draw(reals((n, d))), draw(reals((*shape, d))), *offsets)


@st.composite
def nearest_prototype_calls(draw):
    d = draw(SIZES)
    return draw(reals((draw(SIZES), d))), draw(reals((draw(SOME), d)))


@st.composite
def grouped_linear_calls(draw):
    n, d, h, experts = draw(SIZES), draw(SIZES), draw(SIZES), draw(SOME)
    shape = draw(st.sampled_from([(n,), (n, 1), (n, 3)]))
    taken = draw(st.sampled_from(["all to one", "any"]))
    seed = draw(st.integers(0, 99))
    index = np.random.default_rng(seed).integers(0, experts if taken == "any" else 1, shape)
    index = index.astype(draw(st.sampled_from([np.int64, np.int32, np.uint8])))
    bias = (draw(reals((experts, h))),) if draw(st.booleans()) else ()
    return (draw(reals((n, d))), index, draw(reals((experts, h, d))), *bias)


CALLS = {
    "tree_route": tree_route_calls(),
    "hyperplane_hash": hyperplane_hash_calls(),
    "nearest_prototype": nearest_prototype_calls(),
    "grouped_linear": grouped_linear_calls(),
}


def test_every_derived_primitive_is_tried():
    assert set(CALLS) == {name for name, primitive in PRIMITIVES.items() if not primitive.base}


@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=60)
@given(data=st.data())
def test_price_is_the_price_of_the_reference(name, data):
    arguments = data.draw(CALLS[name])
    primitive = PRIMITIVES[name]
    answers, charges = {}, {}
    for way in ("one call", "reference"):
        meter = Meter()
        meter.begin(np.zeros((1, 1)))
        held = [meter.put(argument) for argument in arguments]
        made = (primitive if way == "one call" else primitive.reference)(*held)
        answers[way], charges[way] = unwrap(meter, made), meter.charges()
    assert charges["one call"] == charges["reference"]
    assert answers["one call"].dtype == answers["reference"].dtype
    np.testing.assert_array_equal(answers["one call"], answers["reference"])


@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=60)
@given(data=st.data())
def test_the_cpu_does_what_the_reference_does(name, data):
    arguments = data.draw(CALLS[name])
    primitive = PRIMITIVES[name]
    got, want = primitive.cpu(*arguments), primitive.reference(*arguments)
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    np.testing.assert_array_equal(got, want)


def test_formulas_of_the_design():
    """A balanced tree of n leaves, k planes in R^d, and a layer d -> h, for one input."""
    meter = Meter()
    meter.begin(np.zeros((1, 1), np.float32))
    f = np.float32
    d, h, k, n = 7, 5, 11, 64

    def kinds(made):
        del made
        counted = {}
        for _, kind, _, amount in meter.engine.ledger:
            counted[kind] = counted.get(kind, 0) + amount
        meter.begin(np.zeros((1, 1), f))
        return counted

    tree = kinds(ops.tree_route(meter.put(np.zeros(1, f)), meter.put(np.zeros(n - 1, f))))
    assert (tree["lookup"], tree["cmp"]) == (6, 6)
    x, planes = meter.put(np.zeros((1, d), f)), meter.put(np.zeros((k, d), f))
    hashed = kinds(ops.hyperplane_hash(x, planes))
    assert hashed["mul"] + hashed["add"] + hashed["cmp"] == k * (2 * d - 1) + k
    x, index = meter.put(np.zeros((1, d), f)), meter.put(np.zeros(1, np.int64))
    weights, bias = meter.put(np.zeros((9, h, d), f)), meter.put(np.zeros((9, h), f))
    layer = kinds(ops.grouped_linear(x, index, weights, bias))
    assert (layer["lookup"], layer["mul"] + layer["add"]) == (1, h * (2 * d - 1) + h)
