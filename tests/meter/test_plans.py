"""What a plan says before a call: an upper bound of its memory, and not far above it."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from meter.metered import Meter, furnished
from sparsebench.errors import MemoryLimitError
from sparsebench.meter.rules import RULES

SLACK = 1 << 18  # NumPy's buffers, and Python's own objects
RNG = np.random.default_rng(0)
X = RNG.standard_normal((700, 300)).astype(np.float32)
T = X.T  # not contiguous
Z = (X + 1j * X[::-1]).astype(np.complex64)
N = RNG.integers(0, 100, (700, 300)).astype(np.int8)
B = X > 0.0
COLUMN = X[:, :1]
WIDE = np.broadcast_to(X[:1], (700, 300))
UNARY = "abs acosh exp sqrt negative square reciprocal sign signbit isnan log1p conj real"
BINARY = "add multiply divide equal pow hypot logaddexp copysign nextafter"
FOLDS = "sum prod mean max argmin any all count_nonzero var std"
AXES = (0, 1)

CALLS = [
    *((name, {}, (x,)) for name in UNARY.split() for x in (X, T, WIDE, X[:1, :1])),
    *((name, {}, (X, y)) for name in BINARY.split() for y in (COLUMN, T.T, 2.0)),
    *((name, {}, (Z,)) for name in ("abs", "imag", "exp", "expm1", "tan")),
    ("tanh", {}, (np.full((300, 300), complex(np.inf, 1.0)),)),
    ("expm1", {}, (np.full((300, 300), complex(-0.0, 0.0)),)),
    *((name, {}, (Z, y)) for name in ("multiply", "divide", "equal") for y in (X, COLUMN, 1j)),
    *((name, {"axis": axis}, (x,)) for name in FOLDS.split() for axis in (None, 0, 1) for x in (X, T)),
    *((name, {"axis": 0}, (N,)) for name in FOLDS.split()),
    *((name, {"axis": 0}, (X.reshape(-1, 1),)) for name in FOLDS.split()),
    *((name, {"axis": (0, 2)}, (X.reshape(70, 300, 10),)) for name in FOLDS.split() if name != "argmin"),
    *((name, {"axis": 1}, (Z,)) for name in ("sum", "prod", "mean")),
    *(
        (name, {"axis": axis, "dtype": "float64"}, (T,))
        for name in ("sum", "cumulative_sum")
        for axis in AXES
    ),
    *(
        (f"cumulative_{name}", {"axis": axis, "include_initial": initial}, (x,))
        for name in ("sum", "prod")
        for axis in AXES
        for initial in (False, True)
        for x in (X, T, N)
    ),
    *(
        (name, {"axis": axis, "descending": down}, (X,))
        for name in ("sort", "argsort")
        for axis in AXES
        for down in (False, True)
    ),
    *(
        ("diff", {"axis": axis, "n": n, "append": y}, (X,))
        for axis in AXES
        for n in (0, 1, 3)
        for y in (None, X)
    ),
    ("diff", {"n": 2**62}, (X,)),
    ("searchsorted", {}, (X[0], T)),
    ("searchsorted", {"sorter": np.arange(300, dtype=np.int8) % 100}, (N[0], X)),
    *((f"unique_{what}", {}, (x,)) for what in ("all", "counts", "inverse", "values") for x in (X, T, Z, N)),
    ("clip", {}, (X, 0.0, COLUMN)),
    ("where", {}, (B, X, 0.0)),
    ("astype", {}, (X, "complex128")),
    ("astype", {"copy": False}, (X, "float32")),
    ("nonzero", {}, (X,)),
    ("getitem", {}, (X, B)),
    ("getitem", {}, (X, B[:, 0])),
    ("getitem", {}, (X, (slice(None), B[0]))),
    ("getitem", {}, (X, N)),
    ("getitem", {}, (X, (N, N))),
    ("take", {"axis": 1}, (X, N[0])),
    ("take_along_axis", {"axis": 1}, (X, N)),
    ("tile", {}, (X, (3, 1))),
    ("tile", {}, (X, (2, 2, 2))),
    ("tile", {}, (X, (1000, 0))),
    ("tile", {}, (X, 2)),
    ("repeat", {"axis": 1}, (X, 3)),
    ("roll", {}, (T, 5)),
    ("repeat", {}, (T, 2)),
    ("roll", {"axis": 0}, (X, 5)),
    ("roll", {"axis": (0, 1)}, (T, (5, 6))),
    ("fft.fftshift", {}, (X,)),
    ("concat", {}, ((X, Z),)),
    ("concat", {"axis": None}, ((T, X),)),
    ("stack", {}, ((X, WIDE),)),
    ("unstack", {}, (X,)),
    ("meshgrid", {}, (X[0], X[1], X[0, :3])),
    ("broadcast_arrays", {}, (X, COLUMN)),
    ("tril", {"k": -(2**62)}, (X,)),
    ("triu", {"k": 2**62}, (T,)),
    ("arange", {"dtype": "float32"}, (200_000,)),
    ("arange", {}, (0, 1.0, 1e-5)),
    ("eye", {"k": -(2**62)}, (400, 500)),
    ("empty", {}, ((300, 400),)),
    ("full", {}, ((300, 400), 1j)),
    ("full", {"dtype": "int8"}, ((300, 400), 1)),
    ("full_like", {}, (X, 1)),
    ("zeros_like", {"dtype": "bool"}, (X,)),
    *(("linspace", {"dtype": to}, (0.0, 1.0, 200_000)) for to in (None, "float32", "int8", "complex64")),
    ("linspace", {}, (0.0, 1j, 200_000)),
]


@pytest.mark.parametrize(("name", "keywords", "arguments"), CALLS)
def test_the_plan_bounds_the_memory(name, keywords, arguments):
    rule = RULES[name]
    arguments, keywords = rule.bound(arguments, keywords)
    planned = rule.plan(*arguments, **keywords).nbytes
    tracemalloc.start()
    with np.errstate(all="ignore"):
        result = rule.run(*arguments, **keywords)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= planned + SLACK
    assert planned <= 8 * peak + SLACK or name.startswith(("broadcast", "unique"))
    assert result is not None


def test_a_wider_copy_is_planned_for():
    """NumPy says that float64 equals None."""
    assert RULES["matmul"].plan(X, np.ones((300, 2))).nbytes >= 2 * X.nbytes


def test_handles_are_planned_for():
    meter = Meter(memory_limit=1 << 20)
    x = meter.begin(np.zeros((4000, 1), np.int8))
    with pytest.raises(MemoryLimitError):
        meter.xp.unstack(x)


NARROW = {
    "zeros": lambda m: m.xp.zeros(1 << 19, dtype="bool"),
    "full": lambda m: m.xp.full((1 << 16,), 1, dtype="int8"),
    "abs": lambda m: abs(m.put(np.zeros(1 << 18, np.int8))),
}


@pytest.mark.parametrize("make", NARROW.values(), ids=NARROW.keys())
def test_narrow_results_are_not_taken_for_wide_ones(make):
    assert make(Meter(memory_limit=1 << 20)) is not None


ODD = {
    "stack-of-nothing": lambda m: (m.xp.stack([m.x[:0], m.x[:0]]), (2, 0)),
    "sum": lambda m: (m.xp.sum(m.x[:0]), ()),
    "var": lambda m: (m.xp.var(m.x[:0]), ()),
    "var-of-one": lambda m: (m.xp.var(m.x[:1], correction=3), ()),
    "no-axis": lambda m: (m.xp.sum(m.params["w"], axis=()), (2, 3)),
    "no-axis-count": lambda m: (m.xp.count_nonzero(m.params["w"], axis=()), (2, 3)),
    "keepdims": lambda m: (m.xp.count_nonzero(m.params["w"], axis=0, keepdims=True), (1, 3)),
    "0d": lambda m: (m.xp.mean(m.x[0], keepdims=True), ()),
    "all-of-nothing": lambda m: (m.xp.all(m.x[:0]), ()),
    "cumulative": lambda m: (m.xp.cumulative_sum(m.x[:0], include_initial=True), (1,)),
    "diff": lambda m: (m.xp.diff(m.x, n=9), (0,)),
    "diff-of-nothing": lambda m: (m.xp.diff(m.x[:0]), (0,)),
    "negative-step": lambda m: (m.x[::-2], (2,)),
    "flip-0d": lambda m: (m.xp.flip(m.x[0]), ()),
    "mask-of-nothing": lambda m: (m.x[:0][m.b[:0]], (0,)),
    "0d-mask": lambda m: (m.x[0][m.b[0]], (1,)),
    "sort": lambda m: (m.xp.sort(m.x[:0]), (0,)),
    "argsort-backwards": lambda m: (m.xp.argsort(m.x[::-1], descending=True), (4,)),
    "searchsorted": lambda m: (m.xp.searchsorted(m.x[:0], m.x), (4,)),
    "searchsorted-0d": lambda m: (m.xp.searchsorted(m.x, m.x[0]), ()),
    "take-nothing": lambda m: (m.xp.take(m.x, m.n[:0]), (0,)),
    "tril": lambda m: (m.xp.tril(m.params["w"][:0, :]), (0, 3)),
    "tile-nothing": lambda m: (m.xp.tile(m.x, (0, 2)), (0, 8)),
    "tile-short": lambda m: (m.xp.tile(m.params["w"], (0,)), (2, 0)),
    "reshape": lambda m: (m.xp.reshape(m.x[:0], (-1, 5)), (0, 5)),
    "exp-0d": lambda m: (m.xp.exp(m.x[0]), ()),
    "hypot-of-nothing": lambda m: (m.xp.hypot(m.x[:0], 1.0), (0,)),
    "complex-of-nothing": lambda m: (m.x[:0] * 1j, (0,)),
    "arange-backwards": lambda m: (m.xp.arange(5, 0, -2), (3,)),
    "arange-none": lambda m: (m.xp.arange(5, 0), (0,)),
    "eye": lambda m: (m.xp.eye(0, 3), (0, 3)),
    "linspace": lambda m: (m.xp.linspace(0.0, 1.0, 0), (0,)),
    "device": lambda m: (m.xp.empty((2, 0), device="meter"), (2, 0)),
    "roll": lambda m: (m.xp.roll(m.params["w"], 2**60, axis=(0, 1)), (2, 3)),
    "repeat": lambda m: (m.xp.repeat(m.x, 0), (0,)),
    "scalar-left": lambda m: (m.xp.maximum(0.0, m.x), (4,)),
    "where-numbers": lambda m: (m.xp.where(m.b, 1.0, m.x), (4,)),
}


@pytest.mark.parametrize("call", ODD.values(), ids=ODD.keys())
def test_odd_shapes(call):
    result, shape = call(furnished())
    assert result.shape == shape


def test_empty_memory_shows_nothing():
    meter = furnished()
    for made in (meter.xp.empty((300,)), meter.xp.empty_like(meter.x)):
        assert not meter.get(made).any()


def test_several_results():
    meter = furnished()
    w = meter.params["w"]
    assert [part.shape for part in meter.xp.unstack(w, axis=1)] == [(2,)] * 3
    assert meter.xp.unstack(w[:0, :]) == ()
    assert meter.xp.broadcast_arrays() == meter.xp.meshgrid() == []
    grid = meter.xp.meshgrid(meter.x, w[0, :])
    assert [part.shape for part in grid] == [(3, 4), (3, 4)]
    assert [part.shape for part in meter.xp.broadcast_arrays(w, w[:, :1], w[0, 0])] == [(2, 3)] * 3


def test_views_read_nothing():
    meter = furnished()
    meter.engine.loads.active = True
    first = meter.xp.unstack(meter.params["w"])[0]
    meter.xp.broadcast_arrays(meter.params["w"], meter.x[0])
    assert meter.engine.loads.elements() == 0
    first + 1.0
    assert meter.engine.loads.elements() == 3
