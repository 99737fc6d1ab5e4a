"""Polynomials of experts: what tests of all primitives know of them."""

from __future__ import annotations

import itertools

import ml_dtypes
import numpy as np

from cuda.case import case, taken
from meter.operands import INDEX, MANY, NO_ROWS, NOWHERE, F, X, model
from meter.scalars import common, inner
from meter.slow.arrays import filled
from meter.slow.indexing import rows
from ops import strict
from ops.specimen import Specimen


def _monomials(row, degree):
    """The products of all sets of numbers with repetition, by their places."""
    made = {}
    for power in range(1, degree + 1):
        for places in itertools.combinations_with_replacement(range(len(row)), power):
            first, rest = places[0], places[1:]
            made[places] = row[first] * made[rest] if rest else row[first]
    return list(made.values())


def grouped_polynomial(x, index, coefficients, *, degree):
    dtype = common(x, coefficients)
    each = int(np.prod(index.shape[1:]))
    powers = [_monomials(row, degree) for row in x.cells.tolist()]
    numbers = []
    for address, (record,) in enumerate(rows(index, coefficients)):
        for constant, *others in record.cells.reshape(-1, record.shape[-1]).tolist():
            inside = inner(others, powers[address // each], dtype)
            numbers.append(inside + constant if others else constant.cast(dtype))
    return filled(numbers, (*index.shape, *coefficients.shape[1:-1]), dtype)


SPECIMENS = (
    Specimen(
        name="grouped_polynomial",
        strict=(
            ({"degree": 2}, (strict.X[:, :2], strict.PAIRS, strict.EXPERTS.reshape(6, 2, 6))),
            ({"degree": 0}, (strict.X, strict.INDEX, strict.EXPERTS[:, 0, :1])),
        ),
        slow=grouped_polynomial,
        prices=(
            (  # 1, three numbers, and six products of two
                {"degree": 2},
                (X, INDEX[:2], model(np.ones((2, 10), F))),
                {
                    ("lookup", "int64"): 2,
                    ("load", F): 20,
                    ("mul", F): 2 * (6 + 9),
                    ("add", F): 2 * (8 + 1),
                    ("mac", F): 2 * 9,
                },
            ),
        ),
        rounded=True,
        free="over no terms, nothing is computed",
        index=1,
        tables=slice(2, 3),  # without powers, constants are read
        numbers={
            "polynomials": lambda ops, s: (
                s.x
                * ops.grouped_polynomial(s.before[:, :2], s.index, s.params["table"][:, :3], degree=1)[
                    :, None
                ]
            )
        },
        loads={
            "grouped-polynomial": (
                2 * 3,
                lambda ops, m, w: ops.grouped_polynomial(
                    m.put(np.zeros((3, 2))), m.put([3, 1, 3]), w[:, :3], degree=1
                ),
            ),
        },
        hidden=(
            ({"degree": 1}, (NO_ROWS, NOWHERE, np.ones((1, MANY + 1)))),
            ({"degree": 2}, (np.ones((2, 2047)), np.zeros(2, int), np.ones((1, 0, 2_098_176)))),
        ),
    ),
)

# What backends must agree on ----------------------------------------------------------------------------

BF16 = ml_dtypes.bfloat16


def _polynomial(d, degree, h, k, dtype=np.float32):
    def make(rng, n):
        monomials = 1
        for step in range(1, degree + 1):
            monomials = monomials * (d + step) // step
        shape = (5, monomials) if h is None else (5, h, monomials)
        x = rng.uniform(-1, 1, (n, d)).astype(dtype)
        return x, taken(rng, n, 5, k, "even"), rng.standard_normal(shape).astype(dtype)

    return make


CASES = [
    case("grouped_polynomial", _polynomial(3, 2, None, None), "squares", degree=2),
    case("grouped_polynomial", _polynomial(4, 3, 2, 2, np.float64), "cubes", degree=3),
    case("grouped_polynomial", _polynomial(4, 0, None, None), "constants", degree=0),
]

BY_ROWS = {"grouped_polynomial": ("x", "index")}
"""The arguments that have a row for every row of the results."""

LEFT_TO_THE_STEADY = {"grouped_polynomial": lambda call: call["M"] == 1}
"""Calls that fast backends need not take: of a constant there is nothing to multiply."""
