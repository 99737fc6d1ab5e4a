"""Look-ups of records and constants: what tests of all primitives know of them."""

from __future__ import annotations

import itertools

import ml_dtypes
import numpy as np

from cuda.case import case, taken
from meter.operands import FREE, INDEX, MANY, NO_ADDRESSES, NONE, NOWHERE, TABLE, F, N, X, model
from meter.scalars import number, total
from meter.slow.arrays import filled
from meter.slow.indexing import look_up, rows
from ops import strict
from ops.combining.specimens import segment_combine
from ops.specimen import Specimen

# Slow counts ------------------------------------------------------------------------------------------


def gather(index, *tables):
    read = list(rows(index, *tables))
    made = [
        filled(
            list(itertools.chain.from_iterable(records[place].flat() for records in read)),
            (*index.shape, *table.shape[1:]),
            table.dtype,
        )
        for place, table in enumerate(tables)
    ]
    return made[0] if len(made) == 1 else tuple(made)


def one_hot(index, *, classes, dtype=None):
    target = np.dtype(np.float32 if dtype is None else dtype)
    numbers = []
    for one in index.flat():
        row = filled([number(place == one.value, target) for place in range(classes)], (classes,), target)
        row.constant = True
        if not index.constant:
            look_up(index.dtype, row)
        numbers += row.flat()
    return filled(numbers, (*index.shape, classes), target)


def gather_constant(index, constants, gates=None):
    (read,) = [[record for (record,) in rows(index, constants)]]
    numbers = list(itertools.chain.from_iterable(record.flat() for record in read))
    values = filled(numbers, (*index.shape, *constants.shape[1:]), constants.dtype)
    if index.ndim == 1:
        return values
    if gates is not None:
        return segment_combine(values, gates)
    summed = np.moveaxis(values.cells, 1, -1)
    lanes = [total(summed[place].tolist(), constants.dtype) for place in np.ndindex(summed.shape[:-1])]
    return filled(lanes, summed.shape[:-1], constants.dtype)


# Draws ------------------------------------------------------------------------------------------------


def _gather_calls(p):
    """Tables of any dtypes, and often none of their rows."""
    rows = p.integer(0, 4)
    index = p.addresses(p.shape(0, 2), rows)
    return (index, *(p.array(shape=(rows, *p.shape(0, 1))) for _ in range(p.integer(1, 2)))), {}


# Records ----------------------------------------------------------------------------------------------

_KNOWN = "where no input decides the index or the mask, it is a slice; otherwise it is charged"

SPECIMENS = (
    Specimen(
        name="gather",
        strict=(
            ({}, (strict.INDEX, strict.EXPERTS)),
            ({}, (strict.PAIRS, strict.EXPERTS, strict.EXPERTS[:, 0, 0])),
            ({}, (np.array(3, dtype=np.uint64), strict.EXPERTS)),
            ({}, (strict.INDEX[:0].reshape(0, 2), strict.EXPERTS)),
        ),
        slow=gather,
        prices=(
            ({}, (INDEX, model(TABLE), model(TABLE)), {("lookup", "int64"): 3, ("load", F): 24}),
            ({}, (INDEX, model(TABLE), TABLE), {("lookup", "int64"): 3 + 12, ("load", F): 24}),
            ({}, (INDEX, TABLE, TABLE), {("lookup", "int64"): 24, ("load", F): 24}),
            ({}, (model(INDEX), TABLE), FREE),
        ),
        draw=_gather_calls,
        free=_KNOWN,
        index=0,
        tables=slice(1, None),
        numbers={"gather": lambda ops, s: s.x + ops.gather(s.index, s.params["table"])},
        loads={
            "gather": (12, lambda ops, m, w: ops.gather(m.put([1, 3, 1]), w)),
            "gather-from-a-view": (4, lambda ops, m, w: ops.gather(m.put([1, 3, 1]), w[:, ::3])),
            "gather-scalar-index": (6, lambda ops, m, w: ops.gather(m.put(2), w)),
            "gather-by-itself": (
                7,
                lambda ops, m, w: ops.gather(m.params["t"][:1], m.params["t"][1:]) + m.params["t"],
            ),
        },
    ),
    Specimen(
        name="one_hot",
        strict=(({"classes": 300}, (strict.PAIRS,)), ({"classes": 6, "dtype": "bool"}, (strict.INDEX,))),
        slow=one_hot,
        prices=(
            ({"classes": 8}, (N,), {("lookup", "int64"): 6, ("load", F): 48}),
            ({"classes": 8}, (model(N),), FREE),
        ),
        free=_KNOWN,
        index=0,
        numbers={"one-hot": lambda ops, s: s.x + ops.one_hot(s.index, classes=8)[:, :4]},
        hidden=(({"classes": MANY}, (NOWHERE,)),),
    ),
    Specimen(
        name="gather_constant",
        strict=(
            ({}, (strict.INDEX, strict.EXPERTS[:, 0, 0])),
            ({}, (strict.PAIRS, strict.EXPERTS[:, 0])),
            ({}, (strict.PAIRS, strict.EXPERTS[:, 0, 0], strict.X[:, :2])),
        ),
        slow=gather_constant,
        prices=(
            (
                {},
                (N[:, :2] % 3, model(TABLE), X[:, :2]),
                {("lookup", "int64"): 4, ("load", F): 16, ("mul", F): 16, ("add", F): 8},
            ),
        ),
        free=_KNOWN,
        index=0,
        tables=slice(1, 2),
        numbers={
            "constants": lambda ops, s: (
                s.x
                + ops.gather_constant(
                    s.xp.stack([s.index, 7 - s.index], axis=1), s.params["table"], s.before[:, :2]
                )
            )
        },
        loads={
            "constants": (
                3 * 6,
                lambda ops, m, w: ops.gather_constant(m.put([[0, 1], [1, 3]]), w, m.put(np.ones((2, 2)))),
            ),
        },
        hidden=(({}, (NO_ADDRESSES, np.ones(3), NONE)),),
    ),
)

# What backends must agree on ----------------------------------------------------------------------------

BF16 = ml_dtypes.bfloat16


def _constants(experts, h, k, gates, dtype=np.float32, index=np.int64):
    def make(rng, n):
        constants = rng.standard_normal((experts,) if h is None else (experts, h)).astype(dtype)
        where = taken(rng, n, experts, k, "skewed", index)
        return (where, constants, rng.random((n, k)).astype(dtype)) if gates else (where, constants)

    return make


CASES = [
    case("gather_constant", _constants(9, None, None, gates=False), "numbers"),
    case("gather_constant", _constants(9, 4, 3, gates=True, index=np.uint8), "gates"),
    case("gather_constant", _constants(9, 4, 2, gates=False, dtype=np.float64, index=np.int32), "float64"),
]

BY_ROWS = {"gather_constant": ("index", "gates")}
"""The arguments that have a row for every row of the results."""
