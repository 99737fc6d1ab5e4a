"""Every rule, executed once, with a price worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from meter.metered import Meter, unwrap
from sparsebench.meter.rules import RULES

X = np.array([[0.5, -1.5, 2.0], [3.0, 0.25, -0.75]], dtype=np.float32)
Y = np.array([[1.0, 2.0, 0.5], [0.5, 0.5, 4.0]], dtype=np.float32)
N = np.array([[3, 1, 2], [0, 7, 5]], dtype=np.int64)
B = np.array([[True, False, True], [False, False, True]])
UNIT = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], dtype=np.float32)
EDGES = np.array([-1.0, 0.0, 1.0, 2.0, 3.0], dtype=np.float32)
INDEX = np.array([1, 0, 1], dtype=np.int64)
TABLE = np.arange(12, dtype=np.float32).reshape(3, 4)
FREE = {}
F = "float32"


def unary(name, array, kind, each=1):
    return name, {}, (array,), {(kind, array.dtype.name): each * array.size}


def binary(name, array, other, kind):
    return name, {}, (array, other), {(kind, array.dtype.name): array.size}


SPECIAL = "asin acos atan asinh atanh cos cosh exp expm1 log log10 log1p log2 sin sinh tan tanh"
COMPARISONS = "equal not_equal less less_equal greater greater_equal maximum minimum"

# (rule, keywords, arguments, charges); arrays are put under the meter, all else is passed as it is
LINES = [
    *(unary(name, UNIT, "special") for name in SPECIAL.split()),
    unary("acosh", Y + 1, "special"),
    *(binary(name, X, Y, "cmp") for name in COMPARISONS.split()),
    *(binary(name, X, Y, "add") for name in ("add", "subtract")),
    *(binary(name, Y, X, "special") for name in ("atan2", "pow")),
    *(binary(f"bitwise_{name}", N, N, "logic") for name in ("and", "or", "xor", "left_shift", "right_shift")),
    *(binary(f"logical_{name}", B, B, "logic") for name in ("and", "or", "xor")),
    *(unary(name, X, "cmp") for name in ("abs", "isfinite", "isinf", "isnan")),
    unary("sign", X, "cmp", 2),
    unary("negative", X, "add"),
    unary("square", X, "mul"),
    unary("sqrt", Y, "sqrt"),
    unary("reciprocal", Y, "div"),
    unary("bitwise_invert", N, "logic"),
    unary("logical_not", B, "logic"),
    binary("multiply", X, Y, "mul"),
    binary("divide", X, Y, "div"),
    ("clip", {}, (X, 0.0, 1.0), {("cmp", F): 12}),
    ("where", {}, (B, X, Y), FREE),
    # along axes: 2 lanes of 3
    ("sum", {"axis": -1}, (X,), {("add", F): 4}),
    ("sum", {}, (X,), {("add", F): 5}),
    ("sum", {"axis": -1}, (B,), {("add", "int64"): 4}),
    ("prod", {"axis": 0}, (X,), {("mul", F): 3}),
    ("mean", {"axis": 1}, (X,), {("add", F): 4, ("div", F): 2}),
    ("mean", {"axis": 1}, (N,), {("add", "int64"): 4, ("div", "float64"): 2}),
    *((name, {"axis": 1}, (X,), {("cmp", F): 4}) for name in ("max", "min", "argmax", "argmin")),
    *((name, {"axis": 1}, (B,), {("logic", "bool"): 4}) for name in ("any", "all")),
    *((name, {"axis": 1}, (X,), {("logic", "bool"): 4, ("cmp", F): 6}) for name in ("any", "all")),
    ("cumulative_sum", {"axis": 1}, (X,), {("add", F): 4}),
    ("cumulative_sum", {"axis": 1}, (B,), {("add", "int64"): 4}),
    ("sort", {}, (X,), {("cmp", F): 12}),
    ("argsort", {"axis": 0}, (X,), {("cmp", F): 6}),
    ("searchsorted", {}, (EDGES, X), {("cmp", F): 18}),
    # products
    ("matmul", {}, (X, Y.T), {("mul", F): 12, ("add", F): 8, ("mac", F): 12}),
    ("matmul", {}, (X, Y[0]), {("mul", F): 6, ("add", F): 4, ("mac", F): 6}),
    ("vecdot", {}, (X, Y), {("mul", F): 6, ("add", F): 4, ("mac", F): 6}),
    # indexing and casting
    ("getitem", {}, (X, (slice(None), 0)), FREE),
    ("getitem", {}, (X, B), FREE),
    ("getitem", {}, (TABLE, INDEX), {("lookup", "int64"): 3, ("load", F): 12}),
    ("getitem", {}, (TABLE, (INDEX, slice(0, 2))), {("lookup", "int64"): 3, ("load", F): 6}),
    ("getitem", {}, (TABLE, (slice(None), INDEX)), {("lookup", "int64"): 3, ("load", F): 9}),
    ("getitem", {}, (TABLE, (None, ..., INDEX)), {("lookup", "int64"): 3, ("load", F): 9}),
    ("setitem", {}, (X, (0, slice(None)), 1.0), FREE),
    ("setitem", {}, (X, B, 0.0), FREE),
    ("setitem", {}, (X, INDEX, Y[0]), {("lookup", "int64"): 3, ("load", F): 9}),
    ("take", {"axis": 1}, (TABLE, INDEX), {("lookup", "int64"): 3, ("load", F): 9}),
    ("take_along_axis", {"axis": 1}, (X, N % 3), {("lookup", "int64"): 6, ("load", F): 6}),
    ("nonzero", {}, (B,), FREE),
    ("nonzero", {}, (X,), {("cmp", F): 6}),
    ("astype", {}, (X, "float64"), FREE),
    ("astype", {}, (N, "float32"), FREE),
    ("astype", {}, (B, "int8"), FREE),
    ("astype", {}, (X, "bool"), {("cmp", F): 6}),
    ("astype", {}, (N, "int8"), {("logic", "int64"): 6}),
    # shapes and constants
    ("broadcast_to", {}, (X, (4, 2, 3)), FREE),
    ("expand_dims", {"axis": 0}, (X,), FREE),
    ("flip", {"axis": 0}, (X,), FREE),
    ("flip", {}, (X,), FREE),
    ("matrix_transpose", {}, (X,), FREE),
    ("moveaxis", {}, (X, 0, -1), FREE),
    ("permute_dims", {}, (X, (1, 0)), FREE),
    ("positive", {}, (X,), FREE),
    ("reshape", {}, (X, (3, -1)), FREE),
    ("reshape", {"copy": True}, (X, 6), FREE),
    ("squeeze", {"axis": 0}, (X[:1],), FREE),
    ("copy", {}, (X,), FREE),
    ("roll", {}, (X, 1), FREE),
    ("roll", {"axis": (0, 1)}, (X, (1, 1)), FREE),
    ("repeat", {"axis": 0}, (X, 2), FREE),
    ("tile", {}, (X, (2, 1)), FREE),
    ("tile", {}, (X, 2), FREE),
    ("concat", {}, ((X, Y),), FREE),
    ("concat", {"axis": None}, ((X, Y[0]),), FREE),
    ("stack", {"axis": 1}, ((X, Y),), FREE),
    ("arange", {}, (8,), FREE),
    ("arange", {"dtype": "float32"}, (2, 8, 3), FREE),
    ("eye", {}, (3,), FREE),
    ("full", {}, ((2, 3), 1.5), FREE),
    ("full_like", {}, (X, 1.5), FREE),
    ("linspace", {}, (0.0, 1.0, 5), FREE),
    ("ones", {}, ((2, 3),), FREE),
    ("ones_like", {}, (X,), FREE),
    ("zeros", {"dtype": "int64"}, (3,), FREE),
    ("zeros_like", {"dtype": "bool"}, (X,), FREE),
    # primitives
    ("quantize", {"levels": 5}, (X,), {("cmp", F): 18}),
    ("quantize", {"levels": 1}, (X,), FREE),
    ("pack_bits", {}, (B, B), FREE),
    ("gather", {}, (INDEX, TABLE, TABLE), {("lookup", "int64"): 3, ("load", F): 24}),
    ("top_k", {}, (TABLE, 2), {("cmp", F): 3 * (3 + 2)}),
    ("tree_route", {}, (X, EDGES[:3]), {("lookup", "int64"): 12, ("load", F): 12, ("cmp", F): 12}),
    ("hyperplane_hash", {}, (X, Y), {("mul", F): 12, ("add", F): 8, ("mac", F): 12, ("cmp", F): 4}),
    ("nearest_prototype", {}, (X, Y), {("add", F): 2 * 2 * 5, ("mul", F): 12, ("cmp", F): 2}),
    (
        "grouped_linear",
        {},
        (X, INDEX[:2], np.ones((2, 4, 3), np.float32), np.ones((2, 4), np.float32)),
        {
            ("lookup", "int64"): 2,
            ("load", F): 2 * 12 + 2 * 4,
            ("mul", F): 24,
            ("add", F): 2 * 4 * 2 + 8,
            ("mac", F): 24,
        },
    ),
]


def held(meter, value):
    if isinstance(value, np.ndarray):
        return meter.put(value)
    return tuple(held(meter, item) for item in value) if isinstance(value, tuple) else value


@pytest.mark.parametrize(("name", "keywords", "arguments", "expected"), LINES)
def test_price(name, keywords, arguments, expected):
    meter = Meter()
    meter.begin(np.zeros((1, 1), np.float32))
    meter.xp.call(name, *(held(meter, argument) for argument in arguments), **keywords)
    assert meter.charges() == expected


def test_every_rule_has_a_line():
    assert {line[0] for line in LINES} == set(RULES)


NUMPY = {
    "acos": np.arccos, "acosh": np.arccosh, "asin": np.arcsin, "asinh": np.arcsinh, "atan": np.arctan,
    "atan2": np.arctan2, "atanh": np.arctanh, "concat": np.concatenate, "cumulative_sum": np.cumsum,
    "permute_dims": np.transpose, "pow": np.power,
}  # fmt: skip
ELSEWHERE = {
    "getitem",
    "setitem",
    "astype",
    "vecdot",
    "quantize",
    "pack_bits",
    "gather",
    "top_k",
    "tree_route",
}
ELSEWHERE |= {"hyperplane_hash", "nearest_prototype", "grouped_linear"}


@pytest.mark.parametrize(
    ("name", "keywords", "arguments"), [line[:3] for line in LINES if line[0] not in ELSEWHERE]
)
def test_result_is_numpys(name, keywords, arguments):
    meter = Meter()
    got = unwrap(meter, meter.xp.call(name, *(held(meter, argument) for argument in arguments), **keywords))
    with np.errstate(all="ignore"):
        want = (NUMPY.get(name) or getattr(np, name))(*arguments, **keywords)
    if name == "nonzero":
        assert all(np.array_equal(g, w) for g, w in zip(got, want, strict=True))
        return
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=1e-6)
