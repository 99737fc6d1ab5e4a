"""Gates of the largest: what tests of all primitives know of them."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from cuda.case import case, quarters
from meter.operands import EDGES, TABLE, F
from meter.scalars import common, inner
from meter.slow.arrays import filled
from ops import strict
from ops.elementary.specimens import softmax
from ops.selection.specimens import top_k
from ops.specimen import Specimen


def top_k_gate(x, weights, bias=None, *, k):
    dtype = common(x, weights)
    logits = [[inner(row, one, dtype) for one in weights.cells.tolist()] for row in x.cells.tolist()]
    if bias is not None:
        dtype = common(x, weights, bias)
        logits = [[one + other for one, other in zip(row, bias.flat(), strict=True)] for row in logits]
    flat = [one for row in logits for one in row]
    values, experts = top_k(filled(flat, (x.shape[0], weights.shape[0]), dtype), k)
    return experts, softmax(values)


SPECIMENS = (
    Specimen(
        name="top_k_gate",
        strict=(
            ({"k": 6}, (strict.X, strict.EXPERTS[:, 0])),
            ({"k": 2}, (strict.X, strict.EXPERTS[:, 0], strict.EXPERTS[:, 0, 0])),
        ),
        slow=top_k_gate,
        prices=(
            (
                {"k": 2},
                (TABLE, np.ones((5, 4), np.float32), EDGES[:1].repeat(5)),
                {
                    ("mul", F): 60,
                    ("add", F): 45 + 15 + 3 * 3,
                    ("mac", F): 60,
                    ("cmp", F): 3 * (4 + 3) + 3 * 1,
                    ("special", F): 6,
                    ("div", F): 6,
                },
            ),
        ),
        rounded=True,
        numbers={
            "gate": lambda ops, s: (
                s.x + ops.top_k_gate(s.x, s.params["square"], s.params["vector"], k=2)[1][:, 1:]
            )
        },
    ),
)

# What backends must agree on ----------------------------------------------------------------------------

BF16 = ml_dtypes.bfloat16


def _gate(d, many, dtype=np.float32, *, biased=True):
    def make(rng, n):
        parts = quarters(rng, (n, d), dtype, 2), quarters(rng, (many, d), dtype, 2)
        return (*parts, quarters(rng, many, dtype)) if biased else parts

    return make


CASES = [
    case("top_k_gate", _gate(32, 200), k=4),
    case("top_k_gate", _gate(7, 33, np.float64, biased=False), "float64", k=32),
]

BY_ROWS = {"top_k_gate": ("x",)}
"""The arguments that have a row for every row of the results."""
