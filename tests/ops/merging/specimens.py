"""Experts whose parameters are merged: what tests of all primitives know of them."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from cuda.case import case, layers
from meter.operands import NO_ROWS, NONE, SQUARES, F, X
from meter.scalars import common, inner
from meter.slow.arrays import Slow, filled
from meter.slow.primitives import joint_dtype, paired, through
from ops import strict
from ops.elementary.specimens import activate
from ops.specimen import Specimen


def _merged(gates, table):
    """The sum of a table's records, each times a gate."""
    if table is None:
        return None
    shape, dtype = table.shape[1:], common(gates, table)
    columns = [table.cells[(slice(None), *place)].tolist() for place in np.ndindex(shape)]
    return filled([inner(gates.flat(), column, dtype) for column in columns], shape, dtype)


def merged_mlp(x, gates, *layers, activation="relu", slope=0.25):
    cells = x.cells if x.ndim == 3 else x.cells[:, None, :]
    numbers = []
    for place in range(x.shape[0]):
        own = [_merged(Slow(gates.cells[place], gates.dtype), table) for table in layers]
        for row in cells[place].tolist():
            numbers += through(row, x.dtype, paired(own), activate(activation, slope))
    return filled(numbers, (*x.shape[:-1], paired(layers)[-1][0].shape[1]), joint_dtype(x, gates, *layers))


def merge_linear(x, gates, weights, bias=None):
    return merged_mlp(x, gates, weights, bias)


_NO_TERMS = "over no terms, nothing is computed"

SPECIMENS = (
    Specimen(
        name="merge_linear",
        strict=(
            ({}, (strict.X, strict.X[:, :2] / 4, strict.EXPERTS[:2], strict.EXPERTS[:2, :, 0])),
            ({}, (strict.CUBE, strict.X[:, :2] / 4, strict.EXPERTS[:2])),
        ),
        slow=merge_linear,
        prices=(
            (  # two examples of one position; two experts 3 -> 4
                {},
                (X, X[:, :2], np.ones((2, 4, 3), F), np.ones((2, 4), F)),
                {
                    ("mul", F): 2 * (2 * (12 + 4) + 12),
                    ("add", F): 2 * ((12 + 4) + 4 * 2 + 4),
                    ("mac", F): 2 * (2 * (12 + 4) + 12),
                },
            ),
        ),
        free=_NO_TERMS,
        hidden=(({}, (NO_ROWS, NONE[:0], NO_ROWS[:, None])),),
    ),
    Specimen(
        name="merged_mlp",
        strict=(
            (
                {"activation": "k_tanh"},
                (strict.CUBE, strict.X[:, :2], strict.EXPERTS[:2], None, strict.EXPERTS[2:4, :, 1:]),
            ),
        ),
        slow=merged_mlp,
        prices=(
            (  # one example of two positions: merged once, applied twice
                {},
                (X[None], X[:1, :2], np.ones((2, 4, 3), F), None, np.ones((2, 1, 4), F)),
                {
                    ("mul", F): 2 * (12 + 4) + 2 * (12 + 4),
                    ("add", F): (12 + 4) + 2 * (4 * 2 + 3),
                    ("mac", F): 2 * (12 + 4) + 2 * (12 + 4),
                    ("cmp", F): 2 * 4,
                },
            ),
        ),
        rounded=True,
        free=_NO_TERMS,
        numbers={
            "merged": lambda ops, s: ops.merged_mlp(
                s.x[:, None, :],
                s.before,
                s.params["experts"][:4],
                s.params["biases"][:4],
                s.params["experts"][4:],
            )[:, 0, :]
        },
        hidden=(({}, (NONE[None], NONE[:1], SQUARES[:, :1, :0], None, SQUARES[:, :2, :1])),),
    ),
)

# What backends must agree on ----------------------------------------------------------------------------

BF16 = ml_dtypes.bfloat16


def _case_of(widths, experts, positions, dtype=np.float32, bias=True):
    def make(rng, n):
        n = min(n, 40)
        shape = (n, widths[0]) if positions is None else (n, positions, widths[0])
        gates = rng.random((n, experts)) + 0.1
        gates /= gates.sum(axis=1, keepdims=True)
        x = rng.standard_normal(shape).astype(dtype)
        return x, gates.astype(dtype), *layers(rng, experts, widths, dtype, bias)

    return make


CASES = [
    case("merge_linear", _case_of((6, 5), 4, None), "vectors"),
    case("merge_linear", _case_of((70, 90), 6, None, BF16), "vectors in bfloat16"),
    case("merged_mlp", _case_of((33, 40, 12), 3, 2), "two positions"),
    case("merge_linear", _case_of((6, 5), 4, 7, bias=False), "positions"),
    case("merged_mlp", _case_of((64, 32, 16), 3, 20), "two layers"),
    case("merged_mlp", _case_of((9, 130, 4), 5, 3), "wide", activation="swish"),
    case("merged_mlp", _case_of((9, 12, 4), 5, 3, np.float64), "float64", activation="prelu", slope=-0.5),
    case("merged_mlp", _case_of((16, 16, 8), 2, 130, BF16), "bfloat16"),
]

BY_ROWS = {"merge_linear": ("x", "gates"), "merged_mlp": ("x", "gates")}
"""The arguments that have a row for every row of the results."""
