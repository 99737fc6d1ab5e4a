"""Every rule, executed once, with a price worked out by hand."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest

from meter.metered import Meter, unwrap
from meter.operands import EDGES, FREE, INDEX, TABLE, B, F, N, OfModel, X, Y, model
from ops.specimen import all_specimens, having
from sparsebench.meter.rules import RULES

UNIT = np.array([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], dtype=np.float32)
Z = (X + 1j * Y).astype(np.complex64)
W = (Y - 2j * X).astype(np.complex64)
SYMMETRIC = np.array([[4.0, 2.0], [2.0, 3.0]], dtype=np.float32)
ELIMINATED = {("cmp", F): 2 + 1, ("lookup", "int64"): 1, ("load", F): 2, ("div", F): 1}
ROOTS = {("div", F): 4, ("sqrt", F): 2, ("cmp", F): 2}


def unary(name, array, kind, each=1):
    return name, {}, (array,), {(kind, array.dtype.name): each * array.size}


def complex_unary(name, **counts):
    return name, {}, (Z,), {(kind, F): each * Z.size for kind, each in counts.items()}


def complex_binary(name, **counts):
    return name, {}, (Z, W), {(kind, F): each * Z.size for kind, each in counts.items()}


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
    ("where", {}, (B, X, Y), {("select", F): 6}),
    ("where", {}, (model(B), model(X), 0.0), {("select", F): 6}),
    *(("pow", {}, (X, n), {("mul", F): 6 * many}) for n, many in ((2, 1), (3, 2), (7, 4), (8, 3), (15, 6))),
    *(("pow", {}, (X, n), FREE) for n in (0, 1)),
    *(("pow", {}, (Y, n), {("special", F): 6}) for n in (2.0, -1, 0.5)),
    ("pow", {}, (Z, 2), {("mul", F): 24, ("add", F): 12}),
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
    (
        "searchsorted",
        {},
        (EDGES, X),
        {("cmp", F): 18, ("lookup", "int64"): 18, ("load", F): 18, ("address", "int64"): 12},
    ),
    # counted, element by element
    *(binary(name, X, Y, "logic") for name in ("copysign", "nextafter")),
    unary("signbit", X, "cmp"),
    ("hypot", {}, (X, Y), {("mul", F): 12, ("add", F): 6, ("sqrt", F): 6}),
    ("logaddexp", {}, (X, 0.5), {("cmp", F): 6, ("add", F): 12, ("special", F): 12}),
    # complex numbers
    *(complex_binary(name, add=2) for name in ("add", "subtract")),
    *(complex_binary(name, cmp=2, logic=1) for name in ("equal", "not_equal")),
    *(complex_unary(name, cmp=2, logic=1) for name in ("isfinite", "isinf", "isnan")),
    *(complex_unary(name, special=4, mul=2) for name in ("sin", "sinh", "cosh")),
    *(complex_unary(name, mul=5, add=1, special=2) for name in ("log2", "log10")),
    *(complex_unary(name, mul=2, add=1, special=4, div=2) for name in ("tan", "tanh")),
    complex_binary("multiply", mul=4, add=2),
    complex_binary("divide", mul=6, add=3, div=2),
    complex_binary("pow", mul=9, add=3, special=5),
    complex_unary("abs", mul=2, add=1, sqrt=1),
    complex_unary("acos", mul=10, add=14, sqrt=3, logic=1, special=2),
    complex_unary("acosh", mul=15, add=13, sqrt=6, logic=2, special=2),
    complex_unary("asin", mul=10, add=12, sqrt=3, logic=1, special=2),
    complex_unary("asinh", mul=10, add=9, sqrt=3, logic=1, special=2),
    complex_unary("atan", mul=8, add=9, special=4),
    complex_unary("atanh", mul=8, add=7, special=4),
    complex_unary("conj", add=1),
    complex_unary("cos", special=4, mul=2, add=1),
    complex_unary("exp", special=3, mul=2),
    complex_unary("expm1", special=3, mul=2, add=1),
    complex_unary("imag"),
    complex_unary("log", mul=3, add=1, special=2),
    complex_unary("log1p", mul=3, add=2, special=2),
    complex_unary("negative", add=2),
    complex_unary("real"),
    complex_unary("reciprocal", mul=2, add=2, div=2),
    complex_unary("sign", mul=2, add=1, sqrt=1, cmp=1, div=2),
    complex_unary("sqrt", mul=4, add=3, sqrt=3, logic=1),
    complex_unary("square", mul=3, add=2),
    ("conj", {}, (X,), FREE),
    ("real", {}, (N,), FREE),
    ("multiply", {}, (X, Z), {("mul", F): 24, ("add", F): 12}),
    ("multiply", {}, (1j, X), {("mul", F): 24, ("add", F): 12}),
    ("sum", {"axis": -1}, (Z,), {("add", F): 8}),
    ("prod", {"axis": -1}, (Z,), {("mul", F): 16, ("add", F): 8}),
    ("mean", {"axis": -1}, (Z,), {("add", F): 8, ("div", F): 4}),
    ("cumulative_sum", {"axis": 1}, (Z,), {("add", F): 8}),
    ("cumulative_prod", {"axis": 1}, (Z,), {("mul", F): 16, ("add", F): 8}),
    ("diff", {"axis": 1}, (Z,), {("add", F): 8}),
    ("any", {}, (Z,), {("cmp", F): 12, ("logic", F): 6, ("logic", "bool"): 5}),
    ("count_nonzero", {}, (Z,), {("cmp", F): 12, ("logic", F): 6, ("add", "int64"): 5}),
    ("nonzero", {}, (Z,), {("cmp", F): 12, ("logic", F): 6, ("select", "bool"): 6}),
    ("astype", {}, (Z, "bool"), {("cmp", F): 12, ("logic", F): 6}),
    ("astype", {}, (X, "complex128"), FREE),
    ("where", {}, (B, Z, X), {("select", "complex64"): 12}),
    ("take", {"axis": 1}, (Z, INDEX), {("lookup", "int64"): 12, ("load", "complex64"): 6}),
    ("take", {"axis": 1}, (model(Z), INDEX), {("lookup", "int64"): 6, ("load", "complex64"): 6}),
    # counted, along axes: 2 lanes of 3
    ("count_nonzero", {"axis": -1}, (B,), {("add", "int64"): 4}),
    ("count_nonzero", {}, (X,), {("cmp", F): 6, ("add", "int64"): 5}),
    ("cumulative_prod", {"axis": 0}, (X,), {("mul", F): 3}),
    ("cumulative_prod", {"axis": 1}, (N.astype(np.int8),), {("mul", "int64"): 4}),
    ("sum", {"dtype": "float64"}, (X,), {("add", "float64"): 5}),
    ("sum", {"dtype": "int16"}, (N,), {("logic", "int64"): 6, ("add", "int16"): 5}),
    ("sum", {"dtype": "uint8"}, (N,), {("logic", "int64"): 6, ("add", "uint8"): 5}),
    ("var", {"axis": 1}, (X,), {("add", F): 4 + 6 + 4, ("mul", F): 6, ("div", F): 4}),
    (
        "std",
        {"axis": 1, "correction": 1},
        (N,),
        {("add", "float64"): 14, ("mul", "float64"): 6, ("div", "float64"): 4, ("sqrt", "float64"): 2},
    ),
    ("diff", {"axis": 1}, (X,), {("add", F): 4}),
    ("diff", {"axis": 1, "n": 2}, (X,), {("add", F): 4 + 2}),
    ("diff", {"n": 0}, (X,), FREE),
    (
        "searchsorted",
        {"sorter": INDEX[[1, 0]]},
        (X[0, :2], Y),
        {
            ("cmp", F): 12,
            ("lookup", "int64"): 2 * 12,
            ("load", F): 12,
            ("load", "int64"): 12,
            ("address", "int64"): 6,
        },
    ),
    # sets: 6 elements, 3 comparisons per element, and 5 neighbours
    *((f"unique_{what}", {}, (X,), {("cmp", F): 23}) for what in ("all", "counts", "inverse", "values")),
    ("unique_values", {}, (Z,), {("cmp", F): 18 * 3 + 5 * 2, ("logic", F): 18 * 2 + 5}),
    # joints and triangles
    ("broadcast_arrays", {}, (X, Y[0]), FREE),
    ("meshgrid", {}, (X[0], X[1]), FREE),
    ("meshgrid", {"indexing": "ij"}, (X[0], X[1]), FREE),
    ("unstack", {"axis": 1}, (X,), FREE),
    ("tril", {}, (X,), FREE),
    ("triu", {"k": 1}, (X,), FREE),
    ("empty", {}, ((2, 3),), FREE),
    ("empty_like", {}, (X,), FREE),
    # products
    ("matmul", {}, (X, Y.T), {("mul", F): 12, ("add", F): 8, ("mac", F): 12}),
    ("matmul", {}, (X, Y[0]), {("mul", F): 6, ("add", F): 4, ("mac", F): 6}),
    ("vecdot", {}, (X, Y), {("mul", F): 6, ("add", F): 4, ("mac", F): 6}),
    ("tensordot", {}, (X, X), {("mul", F): 6, ("add", F): 5, ("mac", F): 6}),
    ("tensordot", {"axes": ((1,), (1,))}, (X, Y), {("mul", F): 12, ("add", F): 8, ("mac", F): 12}),
    ("tensordot", {"axes": 0}, (X, EDGES), {("mul", F): 30, ("mac", F): 30}),
    ("matmul", {}, (Z, W.T), {("mul", F): 48, ("add", F): 40, ("mac", F): 48}),
    ("vecdot", {}, (Z, W), {("mul", F): 24, ("add", F): 20 + 6, ("mac", F): 24}),
    # linear algebra: 2 equations; elimination of 1 column measures 2 numbers and compares them
    ("linalg.cholesky", {}, (SYMMETRIC,), {("mul", F): 1, ("add", F): 1, ("sqrt", F): 2, ("div", F): 1}),
    ("linalg.cholesky", {"upper": True}, (SYMMETRIC[:1, :1],), {("sqrt", F): 1}),
    ("linalg.cross", {}, (X, Y), {("mul", F): 12, ("add", F): 6}),
    ("linalg.det", {}, (SYMMETRIC,), ELIMINATED | {("cmp", F): 4, ("mul", F): 2, ("add", F): 2}),
    ("linalg.diagonal", {"offset": 1}, (X,), FREE),
    (
        "linalg.inv",
        {},
        (SYMMETRIC,),
        ELIMINATED | {("load", F): 4, ("mul", F): 5, ("add", F): 5, ("div", F): 5},
    ),
    ("linalg.inv", {}, (Z[:1, :1],), {("mul", F): 6, ("add", F): 3, ("div", F): 2}),
    ("linalg.matrix_norm", {}, (X,), {("mul", F): 6, ("add", F): 5, ("sqrt", F): 1}),
    ("linalg.matrix_norm", {"ord": 1}, (X,), {("cmp", F): 6 + 2, ("add", F): 3}),
    ("linalg.matrix_norm", {"ord": -math.inf}, (X,), {("cmp", F): 6 + 1, ("add", F): 4}),
    ("linalg.matrix_power", {}, (SYMMETRIC, 3), {("mul", F): 16, ("add", F): 8, ("mac", F): 16}),
    ("linalg.outer", {}, (X[0], Y[0]), {("mul", F): 9}),
    # reflections of 3 and 2 numbers; the first goes to 1 more column of R and of Q
    ("linalg.qr", {}, (X.T,), {("mul", F): 7 + 10 + 4, ("add", F): 17 + 6, **ROOTS}),
    (
        "linalg.slogdet",
        {},
        (SYMMETRIC,),
        ELIMINATED | {("cmp", F): 4 + 2 + 4, ("mul", F): 2, ("add", F): 3, ("special", F): 2},
    ),
    (
        "linalg.solve",
        {},
        (SYMMETRIC, X[0, :2]),
        ELIMINATED | {("load", F): 3, ("mul", F): 3, ("add", F): 3, ("div", F): 3},
    ),
    ("linalg.trace", {}, (X,), {("add", F): 1}),
    ("linalg.trace", {}, (N,), {("add", "int64"): 1}),
    ("linalg.vector_norm", {"axis": 1}, (X,), {("mul", F): 6, ("add", F): 4, ("sqrt", F): 2}),
    ("linalg.vector_norm", {"axis": 1, "ord": 0}, (X,), {("cmp", F): 6, ("add", F): 4}),
    ("linalg.vector_norm", {"axis": 1, "ord": 1}, (X,), {("cmp", F): 6, ("add", F): 4}),
    ("linalg.vector_norm", {"axis": 1, "ord": -1}, (X,), {("cmp", F): 6, ("add", F): 4, ("div", F): 6 + 2}),
    (
        "linalg.vector_norm",
        {"ord": -2},
        (X,),
        {("mul", F): 6, ("add", F): 5, ("div", F): 6 + 1, ("sqrt", F): 1},
    ),
    ("linalg.vector_norm", {"ord": 3}, (X,), {("cmp", F): 6, ("add", F): 5, ("special", F): 6 + 1}),
    ("linalg.vector_norm", {"ord": math.inf}, (X,), {("cmp", F): 6 + 5}),
    ("linalg.vector_norm", {"ord": 1}, (Z,), {("mul", F): 12, ("add", F): 6 + 5, ("sqrt", F): 6}),
    # Fourier transforms of 2 rows: of 3 numbers in 2 levels, to and from 2 complex numbers where real
    ("fft.fft", {}, (Z,), {("mul", F): 24, ("add", F): 36}),
    ("fft.ifft", {}, (Z,), {("mul", F): 24 + 12, ("add", F): 36}),
    ("fft.rfft", {}, (X,), {("mul", F): 12, ("add", F): 18}),
    ("fft.irfft", {}, (Z,), {("mul", F): 16 + 8, ("add", F): 24}),
    ("fft.hfft", {}, (Z,), {("mul", F): 16, ("add", F): 24}),
    ("fft.ihfft", {}, (X,), {("mul", F): 12 + 8, ("add", F): 18}),
    ("fft.fftn", {}, (Z,), {("mul", F): 24 + 12, ("add", F): 36 + 18}),
    ("fft.ifftn", {}, (Z,), {("mul", F): 24 + 12 + 12, ("add", F): 36 + 18}),
    ("fft.rfftn", {}, (X,), {("mul", F): 12 + 8, ("add", F): 18 + 12}),
    ("fft.irfftn", {}, (Z,), {("mul", F): 12 + 16 + 8, ("add", F): 18 + 24}),
    *((f"fft.{name}", {}, (8,), FREE) for name in ("fftfreq", "rfftfreq")),
    *((f"fft.{name}", {}, (X,), FREE) for name in ("fftshift", "ifftshift")),
    # indexing and casting
    ("getitem", {}, (X, (slice(None), 0)), FREE),
    ("getitem", {}, (X, B), {("select", F): 6}),
    ("getitem", {}, (X, model(B)), FREE),
    ("getitem", {}, (X, B[:, 0]), {("select", F): 6}),
    ("getitem", {}, (X, (slice(0, 1), B[0])), {("select", F): 3}),
    ("getitem", {}, (model(TABLE), INDEX), {("lookup", "int64"): 3, ("load", F): 12}),
    ("getitem", {}, (TABLE, INDEX), {("lookup", "int64"): 12, ("load", F): 12}),
    ("getitem", {}, (TABLE, model(INDEX)), FREE),
    ("getitem", {}, (model(TABLE), (INDEX, slice(0, 2))), {("lookup", "int64"): 3, ("load", F): 6}),
    ("getitem", {}, (TABLE, (INDEX, slice(0, 2))), {("lookup", "int64"): 6, ("load", F): 6}),
    ("getitem", {}, (model(TABLE), (slice(None), INDEX)), {("lookup", "int64"): 9, ("load", F): 9}),
    ("getitem", {}, (model(TABLE), (None, ..., INDEX)), {("lookup", "int64"): 9, ("load", F): 9}),
    (
        "getitem",
        {},
        (model(TABLE), (INDEX, INDEX)),
        {("lookup", "int64"): 3, ("load", F): 3, ("address", "int64"): 3},
    ),
    ("getitem", {}, (model(TABLE), (model(INDEX), INDEX)), {("lookup", "int64"): 3, ("load", F): 3}),
    ("setitem", {}, (X, (0, slice(None)), 1.0), FREE),
    ("setitem", {}, (X, B, 0.0), {("select", F): 6}),
    ("setitem", {}, (X, model(B), 0.0), FREE),
    ("setitem", {}, (X, INDEX, Y[0]), {("lookup", "int64"): 9, ("load", F): 9}),
    ("setitem", {}, (model(X), INDEX, Y[0]), {("lookup", "int64"): 9, ("load", F): 9}),
    ("setitem", {}, (X, model(INDEX), Y[0]), FREE),
    ("take", {"axis": 1}, (TABLE, INDEX), {("lookup", "int64"): 9, ("load", F): 9}),
    ("take", {"axis": 0}, (model(TABLE), INDEX), {("lookup", "int64"): 3, ("load", F): 12}),
    ("take_along_axis", {"axis": 1}, (X, model(N % 3)), FREE),
    ("take_along_axis", {"axis": 1}, (X, N % 3), {("lookup", "int64"): 6, ("load", F): 6}),
    ("nonzero", {}, (B,), {("select", "bool"): 6}),
    ("nonzero", {}, (model(B),), FREE),
    ("nonzero", {}, (X,), {("cmp", F): 6, ("select", "bool"): 6}),
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
    *((name, *line) for name, lines in having("prices").items() for line in lines),
]


def held(meter, value):
    if isinstance(value, OfModel):
        return meter.put_constant(np.asarray(value))
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
    "cumulative_prod": np.cumprod, "empty": np.zeros, "empty_like": np.zeros_like,
    "permute_dims": np.transpose, "pow": np.power,
    "reshape": lambda x, shape, copy=None: np.reshape(x, shape),  # NumPy 2.0 has no copy=
    "unstack": lambda x, axis=0: tuple(np.moveaxis(x, axis, 0)),  # nor this
}  # fmt: skip
NUMPY |= having("of_numpy")
ELSEWHERE = {"getitem", "setitem", "astype", "vecdot", "linalg.qr", "linalg.slogdet"}
ELSEWHERE |= {"unique_values"}  # NumPy's are in no order
ELSEWHERE |= all_specimens().keys() - NUMPY.keys()


@pytest.mark.parametrize(
    ("name", "keywords", "arguments"), [line[:3] for line in LINES if line[0] not in ELSEWHERE]
)
def test_result_is_numpys(name, keywords, arguments):
    meter = Meter()
    got = unwrap(meter, meter.xp.call(name, *(held(meter, argument) for argument in arguments), **keywords))
    with np.errstate(all="ignore"):
        want = (NUMPY.get(name) or operator.attrgetter(name)(np))(*arguments, **keywords)
        want = want if isinstance(want, tuple) else np.asarray(want)
    if isinstance(got, tuple):
        assert all(np.array_equal(g, w) for g, w in zip(got, want, strict=True))
        return
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=1e-6)
