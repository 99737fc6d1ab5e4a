"""Charges against a count by brute force: scalars that count what is done to them."""

from __future__ import annotations

import collections
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import broadcastable_shapes, mutually_broadcastable_shapes

from meter.metered import Meter, totals
from sparsebench import ops

SHAPES = mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=4, min_side=0)


COUNTS = collections.Counter()


class Counting(float):
    """A number that counts the operations on it."""


def _counted(kind, name):
    plain = getattr(float, name)

    def operate(self, *other):
        COUNTS[kind] += 1
        result = plain(self, *other)
        return Counting(result) if isinstance(result, float) else result

    return operate


KINDS = {"add": "add sub neg", "mul": "mul", "div": "truediv", "cmp": "lt gt le ge"}
for _kind, _names in KINDS.items():
    for _name in _names.split():
        setattr(Counting, f"__{_name}__", _counted(_kind, f"__{_name}__"))


def counting(array):
    flat = [Counting(value) for value in array.ravel()]
    made = np.empty(len(flat), dtype=object)
    made[:] = flat
    return made.reshape(array.shape)


def brute(function, *arrays):
    COUNTS.clear()
    function(*(counting(array) for array in arrays))
    return {kind: amount for kind, amount in COUNTS.items() if amount}


def fold_left(function, array, axis):
    """A reduction of k terms by k - 1 operations."""
    for lane in np.moveaxis(array, axis, -1).reshape(-1, array.shape[axis]):
        total = lane[0] if len(lane) else None
        for term in lane[1:]:
            total = function(total, term)


BINARY = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "less": lambda a, b: a < b,
    "greater_equal": lambda a, b: a >= b,
}


@pytest.mark.parametrize("name", BINARY)
@settings(max_examples=40)
@given(shapes=SHAPES, wide=st.booleans())
def test_binary_operations_on_broadcast_shapes(name, shapes, wide):
    dtype = np.float64 if wide else np.float32
    a, b = (np.ones(shape, dtype) for shape in shapes.input_shapes)
    meter = Meter()
    _, charges = meter.priced(lambda p, q: meter.xp.call(name, p, q), a, b)
    assert totals(charges) == brute(BINARY[name], a, b)
    assert {dtype for _, dtype in charges} <= {np.dtype(dtype).name}


REDUCTIONS = {
    "sum": lambda a, b: a + b,
    "prod": lambda a, b: a * b,
    "max": lambda a, b: max(b, a),
    "argmin": lambda a, b: min(b, a),
    "cumulative_sum": lambda a, b: a + b,
}


@pytest.mark.parametrize("name", REDUCTIONS)
@settings(max_examples=40)
@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=3), data=st.data())
def test_reductions(name, shape, data):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    array = np.ones(shape)
    meter = Meter()
    _, charges = meter.priced(lambda p: meter.xp.call(name, p, axis=axis), array)
    assert totals(charges) == brute(lambda a: fold_left(REDUCTIONS[name], a, axis), array)


@settings(max_examples=40)
@given(
    n=st.integers(0, 4),
    k=st.integers(1, 5),
    m=st.integers(0, 4),
    stack=st.lists(st.integers(1, 3), max_size=2),
)
def test_matrix_products(n, k, m, stack):
    def multiply(a, b):
        for row in a.reshape(-1, k):
            for column in range(m):
                total = row[0] * b[0, column]
                for term in range(1, k):
                    total = total + row[term] * b[term, column]

    a, b = np.ones((*stack, n, k)), np.ones((k, m))
    meter = Meter()
    _, charges = meter.priced(lambda p, q: p @ q, a, b)
    counted = totals(charges)
    assert counted.pop("mac", 0) == counted.get("mul", 0)
    assert counted == brute(multiply, a, b)


@settings(max_examples=30)
@given(array=broadcastable_shapes((3, 4), max_dims=2), step=st.sampled_from([1, -1, 2, -2]))
def test_views_change_no_count(array, step):
    base = np.ones((*array, 6))
    meter = Meter()
    _, charges = meter.priced(lambda p: p[..., ::step] + 1.0, base)
    assert totals(charges) == brute(lambda a: a[..., ::step] + 1.0, base)


@given(m=st.integers(1, 300))
def test_choosing_costs_its_logarithm(m):
    """Sort, top k, searchsorted and levels by the formulas of the cost model."""
    log = math.ceil(math.log2(m)) if m > 1 else 0
    meter = Meter()
    lane = np.zeros(m, np.float32)
    assert totals(meter.priced(meter.xp.sort, lane)[1]) == ({"cmp": m * log} if log else {})
    _, charges = meter.priced(lambda e: meter.xp.searchsorted(e, meter.put(np.zeros(3))), lane)
    depth = math.ceil(math.log2(m + 1))
    expected = {"cmp": 3 * depth, "lookup": 3 * depth, "load": 3 * depth, "address": 3 * (depth - 1)}
    assert totals(charges) == {kind: amount for kind, amount in expected.items() if amount}
    k = 1 + m // 3
    x = meter.put(lane)
    before = totals(meter.charges())["cmp"]
    ops.top_k(x, k), ops.quantize(x, levels=m)
    assert totals(meter.charges())["cmp"] - before == (m - 1) + (k - 1) * log + m * log


# Programs that treat every row by itself: (x (n, d), parameters) -> (n, ...)
D = 4
PARAMS = {"w": np.arange(D * 3.0).reshape(D, 3), "b": np.ones(3), "table": np.arange(10.0).reshape(5, 2)}
STEPS = {
    "scale": lambda m, x: x * 2.0 + 1.0,
    "affine": lambda m, x: m.xp.concat([x @ m.params["w"] + m.params["b"], x[:, :1]], axis=1),
    "tanh": lambda m, x: m.xp.tanh(x),
    "normalise": lambda m, x: x / m.xp.sum(x * x, axis=-1, keepdims=True),
    "centre": lambda m, x: x - m.xp.mean(x, axis=1)[:, None],
    "largest": lambda m, x: x + ops.top_k(x, 2)[0][:, :1],
    "look": lambda m, x: x + ops.gather(ops.quantize(x[:, 0], levels=5), m.params["table"])[:, :1],
    "sort": lambda m, x: m.xp.sort(x, axis=1),
    "clip": lambda m, x: m.xp.clip(x, -1.0, 1.0),
    "flip": lambda m, x: m.xp.flip(x, axis=1),
}


def select_positive(meter, x):
    """A step that works on the rows that a mask selects."""
    mask = x[:, 0] > 0.0
    out = x + 0.0
    out[mask] = meter.xp.exp(x[mask])
    return out


STEPS["branch"] = select_positive


@settings(max_examples=60)
@given(
    program=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=4),
    n=st.integers(1, 12),
    seed=st.integers(0, 99),
)
def test_batches_cost_what_their_rows_cost(program, n, seed):
    x = np.random.default_rng(seed).standard_normal((n, D)).astype(np.float32)
    meter = Meter(PARAMS)

    def run(rows):
        held = meter.begin(rows)
        for step in program:
            held = STEPS[step](meter, held)
        return meter.charges(), meter.get(held).copy()

    whole, together = run(x)
    for size in (1, 7):
        parts = [run(x[start : start + size]) for start in range(0, n, size)]
        summed = collections.Counter()
        for charges, _ in parts:
            summed.update(charges)
        assert summed == whole
        np.testing.assert_array_equal(np.concatenate([values for _, values in parts]), together)
