"""Nearest prototypes: what tests of all primitives know of them."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from cuda.case import case, quarters
from meter.operands import NONE, F, X, Y, model
from meter.scalars import common, number, spend, total
from meter.slow.arrays import filled
from meter.slow.indexing import look_up, part_of
from meter.slow.reductions import INDEX, place_of_best, widened
from ops import strict
from ops.specimen import Specimen


def _distance(row, other, dtype):
    difference = [a - b for a, b in zip(row, other, strict=True)]
    return total([(one * one).cast(dtype) for one in difference], dtype)


def nearest_prototype(x, prototypes):
    numbers, dtype = [], widened(common(x, prototypes))
    for row in x.cells.tolist():
        distances = [_distance(row, other, dtype) for other in prototypes.cells.tolist()]
        numbers.append(place_of_best(distances, lambda a, b: a < b))
    return filled(numbers, (x.shape[0],), INDEX)


def nearest_in_tree(x, prototypes, *, arity):
    """The children of node i of a level are the i-th v of the next one."""
    dtype, numbers = widened(common(x, prototypes)), []
    for row in x.cells.tolist():
        node, first, nodes = 0, 0, arity
        while first < prototypes.shape[0]:
            start = first + arity * node
            children = part_of(prototypes, slice(start, start + arity))
            spend("address", INDEX, int(first > 0))
            look_up(INDEX, children)
            distances = [_distance(row, other, dtype) for other in children.cells.tolist()]
            node = node * arity + int(place_of_best(distances, lambda a, b: a < b).value)
            first, nodes = first + nodes, nodes * arity
        numbers.append(number(node, INDEX))
    return filled(numbers, (x.shape[0],), INDEX)


SPECIMENS = (
    Specimen(
        name="nearest_prototype",
        strict=(({}, (strict.X, strict.X[:3])),),
        slow=nearest_prototype,
        prices=(
            ({}, (X, Y), {("add", F): 2 * 2 * 5, ("mul", F): 12, ("cmp", F): 2}),
            (  # the sums of small integers are wide, as those of xp.sum
                {},
                (X.astype("int32"), Y.astype("int32")),
                {("add", "int32"): 12, ("mul", "int32"): 12, ("add", "int64"): 8, ("cmp", "int64"): 2},
            ),
        ),
        free="of one, a constant or a copy",
        addresses={"nearest": lambda ops, s: ops.nearest_prototype(s.x, s.params["planes"])},
        hidden=(({}, (NONE[:256], NONE[: 1 << 17])),),
    ),
    Specimen(
        name="nearest_in_tree",
        strict=(
            ({"arity": 2}, (strict.X, strict.EXPERTS.reshape(18, 4)[:14])),
            ({"arity": 6}, (strict.X, strict.EXPERTS[:, 0])),
            ({"arity": 3}, (strict.X, strict.X[:0])),
        ),
        slow=nearest_in_tree,
        prices=(
            (
                {"arity": 2},
                (X, model(np.ones((6, 3), np.float32))),
                {
                    ("lookup", "int64"): 4,
                    ("load", F): 4 * 6,
                    ("add", F): 4 * 2 * 5,
                    ("mul", F): 4 * 6,
                    ("cmp", F): 4,
                    ("address", "int64"): 2,
                },
            ),
        ),
        free="of a tree without nodes, a constant",
        addresses={"nearest-in-tree": lambda ops, s: ops.nearest_in_tree(s.x, s.params["points"], arity=2)},
        loads={
            "tree-of-points": (
                2 * 2 * 6,
                lambda ops, m, w: ops.nearest_in_tree(
                    m.put(np.full((1, 6), -9.0)), m.xp.concat([w, w[:2]]), arity=2
                ),
            ),
        },
        hidden=(({"arity": 1 << 16}, (NONE[:256], NONE[: 1 << 16])),),
    ),
)

# What backends must agree on ----------------------------------------------------------------------------

BF16 = ml_dtypes.bfloat16


def _rows(d, many, dtype=np.float32):
    return lambda rng, n: (quarters(rng, (n, d), dtype, 3), quarters(rng, (many, d), dtype, 3))


CASES = [
    case("nearest_prototype", _rows(20, 300)),
    case("nearest_prototype", _rows(3, 5, np.float64), "float64"),
    case("nearest_in_tree", _rows(64, 7 + 49 + 343), "of 7", arity=7),
    case("nearest_in_tree", _rows(5, 2046, np.float64), "float64", arity=2),
    case("nearest_in_tree", _rows(200, 20), "long", arity=4),
]

BY_ROWS = {"nearest_prototype": ("x",), "nearest_in_tree": ("x",)}
"""The arguments that have a row for every row of the results."""
