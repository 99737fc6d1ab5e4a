"""Weighted sums of records: what tests of all primitives know of them."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from cuda.case import case, quarters
from meter.operands import EDGES, MANY, NO_ROWS, NONE, NONE_AT_ALL, TABLE, F, model
from meter.scalars import common, inner, total
from meter.slow.arrays import elementwise, filled
from meter.slow.indexing import rows
from meter.slow.primitives import joint_dtype
from ops import strict
from ops.elementary.specimens import relu
from ops.selection.specimens import top_k
from ops.specimen import Specimen


def segment_combine(values, gates):
    dtype = common(values, gates)
    wide = values.cells[:, :, None] if values.ndim == 2 else values.cells
    numbers = []
    for row, own in zip(wide, gates.cells, strict=True):
        for place in range(wide.shape[2]):
            pairs = zip(row[:, place].tolist(), own.tolist(), strict=True)
            numbers.append(total([one * gate for one, gate in pairs], dtype))
    return filled(numbers, (values.shape[0], *values.shape[2:]), dtype)


def top_k_mask_linear(preactivations, readout, bias=None, *, k):
    kept, index = top_k(preactivations, k)
    dtype = common(preactivations, readout)
    units = elementwise(relu)(kept).cells.tolist()
    records = iter([record.cells.reshape(-1).tolist() for (record,) in rows(index, readout)])
    shifts = [] if bias is None else bias.flat()
    numbers = []
    for row in units:
        columns = list(zip(*(next(records) for _ in row), strict=True))
        made = [inner(row, column, dtype) for column in columns]
        numbers += [one + shift for one, shift in zip(made, shifts, strict=True)] if shifts else made
    return filled(numbers, (len(units), *readout.shape[1:]), joint_dtype(preactivations, readout, bias))


SPECIMENS = (
    Specimen(
        name="segment_combine",
        strict=(({}, (strict.CUBE, strict.X[:, :3])), ({}, (strict.X, strict.X))),
        slow=segment_combine,
        prices=(({}, (TABLE[:2, :, None], TABLE[:2]), {("mul", F): 8, ("add", F): 6}),),
        free="of no values, zeros",
        numbers={"combine": lambda ops, s: s.x + ops.segment_combine(s.before[:, :, None], s.x)[:, :1]},
        hidden=(({}, (NONE, NONE)), ({}, (NONE_AT_ALL, NONE))),
    ),
    Specimen(
        name="top_k_mask_linear",
        strict=(({"k": 2}, (strict.X, strict.W[:, 0])), ({"k": 4}, (strict.X, strict.W, strict.W[0]))),
        slow=top_k_mask_linear,
        prices=(
            (
                {"k": 2},
                (TABLE, model(TABLE.T.copy()), EDGES[:3]),
                {
                    ("cmp", F): 3 * ((3 + 2) + 2),
                    ("lookup", "int64"): 6,
                    ("load", F): 6 * 3,
                    ("mul", F): 3 * 3 * 2,
                    ("add", F): 3 * 3 * 1 + 9,
                    ("mac", F): 18,
                },
            ),
        ),
        numbers={"masked": lambda ops, s: s.x + ops.top_k_mask_linear(s.before, s.params["square"], k=2)},
        loads={
            "masked-units": (
                3 * 2,
                lambda ops, m, w: ops.top_k_mask_linear(
                    m.put([[1.0, 9.0, 8.0, 2.0], [9.0, 8.0, 1.0, 2.0]]), w[:, :2], k=2
                ),
            ),
        },
        hidden=(({"k": MANY // 2}, (NO_ROWS, NONE)),),
    ),
)

# What backends must agree on ----------------------------------------------------------------------------

BF16 = ml_dtypes.bfloat16


def _combined(k, h, dtype=np.float32):
    def make(rng, n):
        values = rng.standard_normal((n, k) if h is None else (n, k, h)).astype(dtype)
        return values, rng.random((n, k)).astype(dtype)

    return make


def _masked(t, o, bias, dtype=np.float32):
    def make(rng, n):
        readout = rng.standard_normal((t,) if o is None else (t, o)).astype(dtype)
        shift = rng.standard_normal(() if o is None else (o,)).astype(dtype)
        return quarters(rng, (n, t), dtype), readout, *((np.asarray(shift),) if bias else ())

    return make


CASES = [
    case("segment_combine", _combined(3, 5)),
    case("segment_combine", _combined(2, None, np.float64), "numbers"),
    case("segment_combine", _combined(2, 6, BF16), "bfloat16"),
    case("top_k_mask_linear", _masked(40, None, bias=True), "one output", k=5),
    case("top_k_mask_linear", _masked(100, 37, bias=False, dtype=np.float64), "float64", k=32),
    case("top_k_mask_linear", _masked(300, 5, bias=True), "many", k=64),
]

BY_ROWS = {"segment_combine": ("values", "gates"), "top_k_mask_linear": ("preactivations",)}
"""The arguments that have a row for every row of the results."""
