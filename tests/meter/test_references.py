"""A primitive's price is the price of its reference, and its answers are its reference's."""

from __future__ import annotations

import math

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
def gelu_calls(draw):
    how = draw(st.sampled_from([{}, {"approximate": "none"}, {"approximate": "tanh"}]))
    return (draw(activation_calls())[0], how)


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


@st.composite
def axis_tree_route_calls(draw):
    n, d, nodes = draw(SIZES), draw(SOME), 2 ** draw(st.integers(0, 3)) - 1
    features = np.random.default_rng(draw(st.integers(0, 99))).integers(0, d, nodes)
    features = features.astype(draw(st.sampled_from([np.int64, np.int32, np.uint8])))
    return draw(reals((n, d))), features, draw(reals((nodes,)))


@st.composite
def oblique_tree_route_calls(draw):
    n, d, nodes = draw(SIZES), draw(SIZES), 2 ** draw(st.integers(0, 3)) - 1
    return draw(reals((n, d))), draw(reals((nodes, d))), draw(reals((nodes,)))


@st.composite
def searchsorted_route_calls(draw):
    return draw(reals(draw(st.lists(SIZES, min_size=1, max_size=3)))), np.sort(draw(reals((draw(SIZES),))))


@st.composite
def nearest_in_tree_calls(draw):
    n, d, arity = draw(SIZES), draw(SIZES), draw(st.integers(2, 4))
    points = sum(arity**level for level in range(1, 1 + draw(st.integers(0, 3))))
    dtypes = st.sampled_from([np.float32, np.float64, np.int16])
    return draw(reals((n, d))), draw(reals((points, d), draw(dtypes))), {"arity": arity}


@st.composite
def pstable_hash_calls(draw):
    n, d, k = draw(SIZES), draw(SIZES), draw(SOME)
    shape = (k,) if draw(st.booleans()) else (draw(SIZES), k)
    arrays = draw(reals((n, d))), draw(reals((*shape, d))), draw(reals(shape))
    return (*arrays, {"levels": draw(st.integers(1, 9))})


@st.composite
def top_k_gate_calls(draw):
    n, d, experts = draw(SIZES), draw(SIZES), draw(SOME)
    bias = (draw(reals((experts,))),) if draw(st.booleans()) else ()
    return (
        draw(reals((n, d))),
        draw(reals((experts, d))),
        *bias,
        {"k": draw(st.integers(1, experts))},
    )


ACTIVATIONS = st.sampled_from(
    [{}, {"activation": "prelu", "slope": 0.5}, {"activation": "swish"}, {"activation": "k_tanh"}]
)


@st.composite
def layers_of(draw, experts, width, most=3):
    """Weights and biases in turns."""
    made = []
    for _ in range(draw(st.integers(1, most))):
        outputs = draw(SIZES)
        made += [draw(reals((experts, outputs, width))), draw(st.none() | reals((experts, outputs)))]
        width = outputs
    return made[:-1] if made[-1] is None and draw(st.booleans()) else made


@st.composite
def grouped_mlp_calls(draw):
    x, index, weights = draw(grouped_linear_calls())[:3]
    return (x, index, *draw(layers_of(weights.shape[0], x.shape[1])), draw(ACTIVATIONS))


@st.composite
def merged_calls(draw, most=3):
    n, d, experts = draw(SIZES), draw(SIZES), draw(SIZES)
    x = draw(reals((n, *draw(st.sampled_from([(), (1,), (3,)])), d)))
    how = draw(ACTIVATIONS) if most > 1 else {}
    return (x, draw(reals((n, experts))), *draw(layers_of(experts, d, most)), how)


@st.composite
def grouped_polynomial_calls(draw):
    x, index, weights = draw(grouped_linear_calls())[:3]
    degree = draw(st.integers(0, 3))
    experts, outputs = weights.shape[:2]
    shape = draw(st.sampled_from([(experts,), (experts, outputs)]))
    return (x, index, draw(reals((*shape, math.comb(x.shape[1] + degree, degree)))), {"degree": degree})


@st.composite
def gather_constant_calls(draw):
    _, index, weights = draw(grouped_linear_calls())[:3]
    experts, outputs = weights.shape[:2]
    constants = draw(reals(draw(st.sampled_from([(experts,), (experts, outputs)]))))
    return (index, constants, *([draw(reals(index.shape))] if index.ndim > 1 and draw(st.booleans()) else []))


@st.composite
def segment_combine_calls(draw):
    shape = draw(SIZES), draw(SIZES)
    return draw(reals((*shape, *draw(st.sampled_from([(), (0,), (1,), (4,)]))))), draw(reals(shape))


@st.composite
def top_k_mask_linear_calls(draw):
    t, outputs = draw(SOME), draw(st.sampled_from([(), (0,), (1,), (4,)]))
    bias = [draw(reals(outputs))] if outputs and draw(st.booleans()) else []
    return (
        draw(reals((draw(SIZES), t))),
        draw(reals((t, *outputs))),
        *bias,
        {"k": draw(st.integers(1, t))},
    )


@st.composite
def convac_layer_calls(draw):
    positions, channels = draw(SOME), draw(SOME)
    weights = draw(reals((draw(st.integers(1, min(positions, 3))), draw(SIZES), channels)))
    x = draw(reals((draw(SIZES), positions, channels)))
    return (x, weights, draw(st.sampled_from([{}, {"stride": 1}, {"stride": 2}, {"stride": 7}])))


CALLS = {
    "convac_layer": convac_layer_calls(),
    "gather_constant": gather_constant_calls(),
    "grouped_mlp": grouped_mlp_calls(),
    "grouped_polynomial": grouped_polynomial_calls(),
    "k_tanh": activation_calls().map(lambda call: call[:1]),
    "merge_linear": merged_calls(1),
    "merged_mlp": merged_calls(),
    "segment_combine": segment_combine_calls(),
    "swish": activation_calls().map(lambda call: call[:1]),
    "top_k_mask_linear": top_k_mask_linear_calls(),
    "axis_tree_route": axis_tree_route_calls(),
    "einsum": einsum_calls(),
    "gather_matmul": gather_matmul_calls(),
    "gelu": gelu_calls(),
    "layer_norm": layer_norm_calls(),
    "logsumexp": st.one_of(soft_calls(), soft_calls(keepdims=True)),
    "nearest_in_tree": nearest_in_tree_calls(),
    "oblique_tree_route": oblique_tree_route_calls(),
    "one_hot": one_hot_calls(),
    "prelu": prelu_calls(),
    "pstable_hash": pstable_hash_calls(),
    "relu": relu_calls(),
    "searchsorted_route": searchsorted_route_calls(),
    "segment_sum": segment_sum_calls(),
    "sigmoid": activation_calls().map(lambda call: call[:1]),
    "softmax": soft_calls(),
    "top_k_gate": top_k_gate_calls(),
    "tree_route": tree_route_calls(),
    "hyperplane_hash": hyperplane_hash_calls(),
    "nearest_prototype": nearest_prototype_calls(),
    "grouped_linear": grouped_linear_calls(),
}


ROUNDED = (
    "gelu",
    "layer_norm",
    "logsumexp",
    "sigmoid",
    "softmax",
    "swish",
    "top_k_gate",
    *("convac_layer", "grouped_mlp", "grouped_polynomial", "merged_mlp"),
)  # their steps round, so the order of additions shows


def called(arguments):
    """Arguments by position and, where the last is a dictionary, by name."""
    return (arguments[:-1], arguments[-1]) if isinstance(arguments[-1], dict) else (arguments, {})


def put(meter, argument, of_model):
    if not isinstance(argument, np.ndarray):
        return argument
    return meter.put_constant(argument) if of_model else meter.put(argument)


def agree(name, got, want):
    several = isinstance(want, tuple)
    for one, other in zip(got, want, strict=True) if several else [(got, want)]:
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        tolerance = 3e-6 if name in ROUNDED else 0
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


DERIVED = [name for name in CALLS if not PRIMITIVES[name].base]


def test_every_derived_primitive_is_tried():
    assert set(DERIVED) == {name for name, primitive in PRIMITIVES.items() if not primitive.base}


@pytest.mark.no_cover
@pytest.mark.parametrize("name", DERIVED)
@settings(max_examples=60)
@given(data=st.data())
def test_price_is_the_price_of_the_reference(name, data):
    arguments, keywords = called(data.draw(CALLS[name]))
    primitive = PRIMITIVES[name]
    answers, charges = {}, {}
    of_model = data.draw(st.sets(st.integers(0, len(arguments))), label="arguments of the model's")
    for way in ("one call", "reference"):
        meter = Meter()
        meter.begin(np.zeros((1, 1)))
        held = [put(meter, argument, place in of_model) for place, argument in enumerate(arguments)]
        made = (primitive if way == "one call" else primitive.reference)(*held, **keywords)
        answers[way], charges[way] = unwrap(meter, made), meter.charges()
    assert charges["one call"] == charges["reference"]
    agree(name, answers["one call"], answers["reference"])


@pytest.mark.no_cover
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
    assert (tree["lookup"], tree["cmp"], tree["address"]) == (6, 6, 5)
    x, planes = meter.put(np.zeros((1, d), f)), meter.put(np.zeros((k, d), f))
    hashed = kinds(ops.hyperplane_hash(x, planes))
    assert hashed["mul"] + hashed["add"] + hashed["cmp"] == k * (2 * d - 1) + k
    assert hashed["address"] == k - 1
    x, index = meter.put(np.zeros((1, d), f)), meter.put(np.zeros(1, np.int64))
    weights, bias = meter.put_constant(np.zeros((9, h, d), f)), meter.put_constant(np.zeros((9, h), f))
    layer = kinds(ops.grouped_linear(x, index, weights, bias))
    assert (layer["lookup"], layer["mul"] + layer["add"]) == (1, h * (2 * d - 1) + h)
