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


@st.composite
def gather_matmul_calls(draw):
    x, index, weights = draw(grouped_linear_calls())[:3]
    return (x, index, weights[:, 0] if weights.shape[1] and draw(st.booleans()) else weights)


@st.composite
def one_hot_calls(draw):
    shape = draw(st.lists(SIZES, max_size=2))
    index = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 4, shape)
    dtype = draw(st.sampled_from([{}, {"dtype": None}, {"dtype": np.float64}, {"dtype": "bool"}]))
    return (np.asarray(index), {"classes": draw(st.integers(4, 9)), **dtype})


@st.composite
def segment_sum_calls(draw):
    n, segments = draw(SIZES), draw(SOME)
    index = np.random.default_rng(draw(st.integers(0, 99))).integers(0, segments, n)
    index = index.astype(draw(st.sampled_from([np.int64, np.uint8])))
    rest = draw(st.sampled_from([(), (0,), (3,), (2, 3)]))
    dtype = draw(st.sampled_from([np.float32, np.float64, np.int8]))
    return (draw(reals((n, *rest), dtype)), index, {"num_segments": segments})


@st.composite
def einsum_calls(draw):
    """Subscripts of up to three operands: letters may stand twice, and may be summed."""
    lengths = dict(zip("abcd", (draw(st.integers(0, 3)) for _ in range(4)), strict=True))
    terms = draw(st.lists(st.text("abcd", max_size=3), min_size=1, max_size=3))
    known = sorted({label for term in terms for label in term})
    output = draw(st.permutations(known))[: draw(st.integers(0, len(known)))]
    arrow = draw(st.sampled_from(["", "->" + "".join(output)]))
    dtypes = st.sampled_from([np.float32, np.float64, np.int32])
    arrays = [draw(reals([lengths[label] for label in term], draw(dtypes))) for term in terms if term]
    given_terms = iter(arrays)
    operands = [next(given_terms) if term else np.array(0.5, np.float32) for term in terms]
    return (",".join(terms) + arrow, *operands)


@st.composite
def activation_calls(draw):
    shape = draw(st.lists(SOME, min_size=1, max_size=3))
    shape[0] = draw(SIZES)
    axis = draw(st.integers(1, len(shape))) - len(shape) - 1 if all(shape) else -1
    return (draw(reals(shape)), *(({"axis": axis},) if shape[axis] else ({"axis": 0},)))


def soft_calls(**keywords):
    def shaped(call):
        x, given = call
        return (x, {**given, **keywords}) if x.shape[given["axis"]] else (x.reshape(0, 2), keywords)

    return activation_calls().map(shaped)


@st.composite
def relu_calls(draw):
    dtype = draw(st.sampled_from([np.float32, np.float64, np.int16]))
    return (draw(reals(draw(st.lists(SIZES, min_size=1, max_size=3)), dtype)),)


@st.composite
def prelu_calls(draw):
    shape = draw(st.lists(SIZES, min_size=1, max_size=3))
    slopes = [st.just(0.25), reals((1,)), reals((shape[-1],)), reals(tuple(shape)), reals((2, *shape))]
    return (draw(reals(shape)), draw(st.one_of(slopes)))


@st.composite
def layer_norm_calls(draw):
    shape = (*draw(st.lists(SIZES, max_size=2)), draw(SOME))
    vectors = [draw(st.one_of(st.none(), reals(shape[-1:]))) for _ in range(2)]
    eps = draw(st.sampled_from([{}, {"eps": 0.5}]))
    return (draw(reals(shape)), *vectors[: draw(st.integers(0, 2))], eps)


CALLS = {
    "einsum": einsum_calls(),
    "gather_matmul": gather_matmul_calls(),
    "layer_norm": layer_norm_calls(),
    "logsumexp": st.one_of(soft_calls(), soft_calls(keepdims=True)),
    "one_hot": one_hot_calls(),
    "prelu": prelu_calls(),
    "relu": relu_calls(),
    "segment_sum": segment_sum_calls(),
    "softmax": soft_calls(),
    "tree_route": tree_route_calls(),
    "hyperplane_hash": hyperplane_hash_calls(),
    "nearest_prototype": nearest_prototype_calls(),
    "grouped_linear": grouped_linear_calls(),
}


ROUNDED = ("layer_norm", "logsumexp", "softmax")  # their steps round, so the order of additions shows


def called(arguments):
    """Arguments by position and, where the last is a dictionary, by name."""
    return (arguments[:-1], arguments[-1]) if isinstance(arguments[-1], dict) else (arguments, {})


def put(meter, argument):
    return meter.put(argument) if isinstance(argument, np.ndarray) else argument


def agree(name, got, want):
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    tolerance = 3e-6 if name in ROUNDED else 0
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def test_every_derived_primitive_is_tried():
    assert set(CALLS) == {name for name, primitive in PRIMITIVES.items() if not primitive.base}


@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=60)
@given(data=st.data())
def test_price_is_the_price_of_the_reference(name, data):
    arguments, keywords = called(data.draw(CALLS[name]))
    primitive = PRIMITIVES[name]
    answers, charges = {}, {}
    for way in ("one call", "reference"):
        meter = Meter()
        meter.begin(np.zeros((1, 1)))
        held = [put(meter, argument) for argument in arguments]
        made = (primitive if way == "one call" else primitive.reference)(*held, **keywords)
        answers[way], charges[way] = unwrap(meter, made), meter.charges()
    assert charges["one call"] == charges["reference"]
    agree(name, answers["one call"], answers["reference"])


@pytest.mark.parametrize("name", CALLS)
@settings(max_examples=60)
@given(data=st.data())
def test_the_steady_face_does_what_the_reference_does(name, data):
    arguments, keywords = called(data.draw(CALLS[name]))
    primitive = PRIMITIVES[name]
    got, want = (
        primitive.on_numpy_steadily(*arguments, **keywords),
        primitive.reference(*arguments, **keywords),
    )
    agree(name, got, want)


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
