"""The meter's rules give a row the same bits in every batch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meter.metered import Meter
from sparsebench import ops

N = 90
RULES_OF_ROWS = {
    "sum": lambda m, x: m.xp.sum(x, axis=-1),
    "sum-first-axis": lambda m, x: m.xp.sum(x.T, axis=0),
    "mean": lambda m, x: m.xp.mean(x, axis=1),
    "prod": lambda m, x: m.xp.prod(x, axis=1),
    "cumulative": lambda m, x: m.xp.cumulative_sum(x, axis=1),
    "cumulative-first-axis": lambda m, x: m.xp.cumulative_prod(x.T, axis=0).T,
    "var": lambda m, x: m.xp.var(x, axis=1, correction=1),
    "std-first-axis": lambda m, x: m.xp.std(x.T, axis=0),
    "diff": lambda m, x: m.xp.diff(x, n=3, prepend=x),
    "sort": lambda m, x: m.xp.sort(x * m.xp.where(x > 0.5, 0.0, 1.0), axis=1),
    "sort-first-axis": lambda m, x: m.xp.sort(m.xp.log(x.T), axis=0, descending=True).T,
    "argsort": lambda m, x: m.xp.argsort(x * m.xp.where(x > 0.5, 0.0, 1.0), axis=1),
    "hypot": lambda m, x: m.xp.hypot(x, x[:, :1]),
    "logaddexp": lambda m, x: m.xp.logaddexp(x, x[:, :1]),
    "exp": lambda m, x: m.xp.exp(x),
    "tanh": lambda m, x: m.xp.tanh(x),
    "tanh-flipped": lambda m, x: m.xp.tanh(m.xp.flip(x, axis=1)),
    "log": lambda m, x: m.xp.log(m.xp.abs(x)),
    "atan2": lambda m, x: m.xp.atan2(x, x[:, :1]),
    "pow": lambda m, x: m.xp.abs(x) ** m.xp.abs(x[:, :1]),
    "vecdot": lambda m, x: m.xp.vecdot(x, m.params["v"]),
    "matvec": lambda m, x: x @ m.params["v"],
    "matmul": lambda m, x: x @ m.params["w"],
    "matmul-turned": lambda m, x: x @ m.params["u"].T,
    "pairs": lambda m, x: m.xp.matmul(x[:, None, :], x[:, :, None])[:, 0, 0],
    "hash": lambda m, x: ops.hyperplane_hash(x, m.params["u"]),
    "nearest": lambda m, x: ops.nearest_prototype(x, m.params["u"]),
    "grouped": lambda m, x: ops.grouped_linear(x, ops.quantize(x[:, 0] + 2.0, levels=4), m.params["e"]),
}


@pytest.mark.parametrize("name", RULES_OF_ROWS)
@settings(max_examples=12)
@given(d=st.integers(1, 130), dtype=st.sampled_from([np.float32, np.float64]), seed=st.integers(0, 2**32 - 1))
def test_rows(name, d, dtype, seed):
    rng = np.random.default_rng(seed)
    shapes = {"v": (d,), "w": (d, 33), "u": (21, d), "e": (4, 5, d)}
    meter = Meter({name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()})
    x = rng.standard_normal((N, d)).astype(dtype)

    def run(rows):
        return meter.get(RULES_OF_ROWS[name](meter, meter.begin(rows))).copy()

    whole, order = run(x), rng.permutation(N)
    np.testing.assert_array_equal(run(x[order]), whole[order])
    for part in (slice(0, 1), slice(N - 1, N), slice(13, 20)):
        np.testing.assert_array_equal(run(x[part]), whole[part])
