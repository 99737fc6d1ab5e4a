"""Primitives on NumPy arrays: what they give, what they refuse, and how they are called."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsebench import ops
from sparsebench.ops import PRIMITIVES
from sparsebench.ops.charges import KINDS, bits_to_choose, inner_product
from sparsebench.ops.core.primitive import Primitive, primitive
from sparsebench.ops.families import FAMILIES
from sparsebench.ops.grouped import definition as grouped
from sparsebench.ops.prototype import definition as prototype

X = np.array([[1.0, -2.0], [0.5, 4.0], [-1.0, 0.0]], dtype=np.float32)


@given(bits=st.lists(st.booleans(), min_size=1, max_size=62))
def test_pack_bits(bits):
    arrays = [np.array([bit]) for bit in bits]
    assert ops.pack_bits(*arrays)[0] == int("".join(str(int(bit)) for bit in bits), 2)


@pytest.mark.parametrize("bits", [(), (np.array([1]),), (np.array([True]),) * 63])
def test_pack_bits_refuses(bits):
    with pytest.raises(TypeError, match="pack_bits"):
        PRIMITIVES["pack_bits"].steady(*bits)


def test_quantize():
    x = np.array([-np.inf, -0.5, 0.0, 0.99, 1.0, 7.3, 1e300, np.inf, np.nan])
    assert ops.quantize(x, levels=5).tolist() == [0, 0, 0, 0, 1, 4, 4, 4, 0]
    assert ops.quantize(x, levels=5).dtype == np.int64
    assert ops.quantize(np.float32(3.7), levels=9) == 3


@pytest.mark.parametrize("levels", [0, -1, 2**53 + 1])
def test_quantize_refuses(levels):
    with pytest.raises(ValueError, match="levels"):
        ops.quantize(X, levels=levels)


def test_gather():
    index = np.array([[2, 0]])
    assert ops.gather(index, X).tolist() == [[[-1.0, 0.0], [1.0, -2.0]]]
    one, two = ops.gather(index, X, X[:, 0])
    assert (one.shape, two.shape) == ((1, 2, 2), (1, 2))


@pytest.mark.parametrize(
    ("error", "index", "tables"),
    [
        (IndexError, np.array([3]), (X,)),
        (IndexError, np.array([-1]), (X,)),
        (TypeError, np.array([0.0]), (X,)),
        (TypeError, np.array([0]), ()),
        (ValueError, np.array([0]), (X, X[:2])),
        (ValueError, np.array([0]), (X[0, 0],)),
    ],
)
def test_gather_refuses(error, index, tables):
    with pytest.raises(error):
        ops.gather(index, *tables)


def test_an_index_of_the_cpu_path_is_checked_whoever_calls():
    with pytest.raises(TypeError, match="integer index"):
        ops.lookup.definition.check_index("somebody", np.array([0.5]), 3)


@given(
    values=st.lists(
        st.sampled_from([-2.0, -0.0, 0.0, 1.0, 3.0, np.inf, -np.inf, np.nan]), min_size=1, max_size=8
    ),
    data=st.data(),
)
def test_top_k_of_reals(values, data):
    k = data.draw(st.integers(1, len(values)))
    got, where = ops.top_k(np.array([values]), k)
    order = sorted(
        range(len(values)),
        key=lambda i: (np.isnan(values[i]), -values[i] if values[i] == values[i] else 0, i),
    )
    assert where[0].tolist() == order[:k]
    np.testing.assert_array_equal(got[0], np.array(values)[order[:k]])


@given(values=st.lists(st.integers(0, 255), min_size=1, max_size=8), data=st.data())
def test_top_k_of_unsigned_integers(values, data):
    k = data.draw(st.integers(1, len(values)))
    got, where = ops.top_k(np.array(values, dtype=np.uint8), k)
    order = sorted(range(len(values)), key=lambda i: (-values[i], i))
    assert where.tolist() == order[:k]
    assert got.tolist() == [values[i] for i in order[:k]]


def test_top_k_of_booleans():
    assert ops.top_k(np.array([False, True, False]), 2)[1].tolist() == [1, 0]


@pytest.mark.parametrize(("x", "k"), [(X, 0), (X, 3), (X[0, 0], 1)])
def test_top_k_refuses(x, k):
    with pytest.raises(ValueError, match="top_k"):
        ops.top_k(np.asarray(x), k)


@given(depth=st.integers(0, 7), data=st.data())
def test_tree_route_is_a_search(depth, data):
    edges = np.arange(2**depth - 1, dtype=np.float64)
    keys = np.array(data.draw(st.lists(st.floats(-2, 200), max_size=5)))
    order = []
    level = [(0, len(edges))]
    while any(low < high for low, high in level):
        middles = [(low + high) // 2 for low, high in level]
        order += [edges[middle] for middle in middles]
        pairs = zip(level, middles, strict=True)
        level = [part for (low, high), middle in pairs for part in ((low, middle), (middle + 1, high))]
    leaves = ops.tree_route(keys, np.array(order))
    assert leaves.tolist() == np.searchsorted(edges, keys, side="left").tolist()


def test_tree_route_refuses_a_ragged_tree():
    with pytest.raises(ValueError, match="2\\*\\*depth"):
        ops.tree_route(X[:, 0], np.zeros(4))


def test_hyperplane_hash():
    planes = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    assert ops.hyperplane_hash(X, planes).tolist() == [2, 3, 0]
    assert ops.hyperplane_hash(X, planes, np.array([0.75, -3.0])).tolist() == [3, 1, 1]
    assert ops.hyperplane_hash(X, np.stack([planes, -planes])).tolist() == [[2, 1], [3, 0], [0, 2]]


def test_nearest_prototype_takes_the_first_among_equals():
    prototypes = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    assert ops.nearest_prototype(np.array([[1.0, 0.0], [0.5, 0.0], [0.1, 0.0]]), prototypes).tolist() == [
        0,
        0,
        1,
    ]
    with pytest.raises(ValueError, match="nearest_prototype"):
        ops.nearest_prototype(X, prototypes[:0])
    with pytest.raises(TypeError, match="booleans twice"):  # NumPy does not subtract them
        ops.nearest_prototype(prototypes > 0, prototypes > 0)


@pytest.mark.parametrize("chunk", [1, 10, 1 << 20])
def test_chunks_change_nothing(monkeypatch, chunk):
    rng = np.random.default_rng(0)
    x, index = rng.standard_normal((9, 3)), rng.integers(0, 4, (9, 2))
    weights, points = rng.standard_normal((4, 5, 3)), rng.standard_normal((4, 3))
    want = ops.grouped_linear(x, index, weights), ops.nearest_prototype(x, points)
    monkeypatch.setattr(grouped, "_CHUNK", chunk)
    monkeypatch.setattr(prototype, "_CHUNK", chunk)
    np.testing.assert_array_equal(ops.grouped_linear(x, index, weights), want[0])
    np.testing.assert_array_equal(ops.nearest_prototype(x, points), want[1])


def test_grouped_linear():
    weights = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    index = np.array([0, 1, 1])
    assert ops.grouped_linear(X, index, weights)[:, 0].tolist() == [1.0, 4.0, 0.0]
    assert ops.grouped_linear(X, index, weights, np.array([[10.0], [20.0]]))[:, 0].tolist() == [
        11.0,
        24.0,
        20.0,
    ]
    with pytest.raises(IndexError):
        ops.grouped_linear(X, index + 1, weights)
    with pytest.raises(ValueError, match="grouped_linear"):
        ops.grouped_linear(X, index, weights, np.zeros((2, 2)))


ROWS = st.integers(0, 2**32 - 1)


@given(seed=ROWS, d=st.integers(1, 70), dtype=st.sampled_from([np.float32, np.float64]))
def test_rows_are_independent(seed, d, dtype):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((40, d)).astype(dtype)
    planes, points = (rng.standard_normal((9, d)).astype(dtype) for _ in range(2))
    weights, index = rng.standard_normal((9, 4, d)).astype(dtype), rng.integers(0, 9, (40, 2))
    order = rng.permutation(40)
    for layout in (np.ascontiguousarray, np.asfortranarray):
        for function in (
            lambda rows, _: PRIMITIVES["hyperplane_hash"].on_numpy_steadily(rows, planes),
            lambda rows, _: PRIMITIVES["nearest_prototype"].on_numpy_steadily(rows, points),
            lambda rows, own: PRIMITIVES["grouped_linear"].on_numpy_steadily(rows, own, weights),
            lambda rows, own: PRIMITIVES["grouped_linear"].on_numpy_steadily(rows, own[:, 0], weights),
        ):
            whole = function(x, index)
            np.testing.assert_array_equal(function(layout(x[order]), index[order]), whole[order])
            np.testing.assert_array_equal(function(layout(x[3:4]), index[3:4]), whole[3:4])


class Foreign:
    """An array of another library: primitives run their reference on it."""

    def __init__(self, array):
        self.array = array
        self.dtype = array.dtype
        self.shape = array.shape

    def __array_namespace__(self):
        return np


def test_a_primitive_runs_its_reference_on_other_arrays():
    def cost(x):
        return ()

    @primitive(cost=cost, elements=lambda x: 0, price="0", example="ops.probe(x)", steady=lambda x: "cpu")
    def probe(x):
        """Say who was called."""
        return "reference"

    assert probe(np.zeros(1)) == "cpu"
    assert probe(Foreign(np.zeros(1))) == "reference"
    assert probe.__doc__ == "Say who was called."


def test_every_primitive_is_in_the_table_of_families():
    """And only under the module that it is in, in the table that no module need be imported for."""
    found = {}
    for info in pkgutil.walk_packages(ops.__path__, "sparsebench.ops."):
        if info.name.count(".") == 3 and not info.name.startswith("sparsebench.ops.core."):
            module = importlib.import_module(info.name)
            for name, value in vars(module).items():
                if isinstance(value, Primitive) and value.reference.__module__ == info.name:
                    assert value.name == name
                    found.setdefault(info.name.removeprefix("sparsebench.ops."), set()).add(name)
    assert found == {family: set(names) for family, names in FAMILIES.items()}
    assert all(PRIMITIVES[name] is getattr(ops, name) for names in found.values() for name in names)
    assert set(dir(ops)) >= {"PRIMITIVES", "Primitive", *PRIMITIVES}
    with pytest.raises(AttributeError, match="no attribute 'gater'"):
        ops.gater  # noqa: B018 - the access is what is tested


def test_kinds_and_logarithms():
    assert [bits_to_choose(options) for options in (0, 1, 2, 3, 4, 5, 8, 9)] == [0, 0, 1, 2, 2, 3, 3, 4]
    assert inner_product(3, 0, np.dtype("float32")) == ()
    assert {charge.kind for charge in inner_product(3, 2, np.dtype("float32"))} <= set(KINDS)


@pytest.mark.parametrize(
    "call",
    [
        lambda z: ops.hyperplane_hash(z, np.ones((2, 3))),
        lambda z: ops.nearest_prototype(np.ones((2, 3)), z),
        lambda z: ops.tree_route(z[:, 0], np.ones(3)),
    ],
)
def test_complex_numbers_have_no_order(call):
    with pytest.raises(TypeError, match="expected real numbers, got complex"):
        call(np.ones((2, 3), dtype=np.complex64))
