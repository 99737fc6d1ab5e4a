"""Descents of trees: what tests of all primitives know of them."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from cuda.case import case, quarters
from meter.operands import EDGES, INDEX, NONE, TABLE, F, X, model
from meter.scalars import common, inner, number, spend
from meter.slow.arrays import Slow, elementwise, filled
from meter.slow.indexing import look_up, part_of
from meter.slow.reductions import INDEX as WIDE
from meter.slow.reductions import searchsorted
from ops import strict
from ops.specimen import Specimen

# Slow counts ------------------------------------------------------------------------------------------


def tree_route(key, thresholds):
    def descend(one):
        node = 0
        while node < thresholds.size:
            threshold = thresholds.cells[node]
            spend("address", WIDE, int(node > 0))
            look_up(WIDE, part_of(thresholds, node))
            node = 2 * node + (2 if one > threshold else 1)
        return number(node - thresholds.size, WIDE)

    return elementwise(descend)(key)


def _descended(x, thresholds, projected, *records):
    """Go down with every row; ``projected`` gives the number that a row compares at a node."""
    numbers = []
    for row in x.cells.tolist():
        node = 0
        while node < thresholds.size:
            spend("address", WIDE, int(node > 0))
            look_up(WIDE, *(part_of(table, node) for table in (*records, thresholds)))
            node = 2 * node + (2 if projected(row, node) > thresholds.cells[node] else 1)
        numbers.append(number(node - thresholds.size, WIDE))
    return filled(numbers, (x.shape[0],), WIDE)


def axis_tree_route(x, features, thresholds):
    def projected(row, node):
        one = row[int(features.cells[node].value)]
        look_up(features.dtype, Slow(filled([one], (), x.dtype).cells, x.dtype, constant=x.constant))
        return one

    return _descended(x, thresholds, projected, features)


def oblique_tree_route(x, normals, thresholds):
    dtype = common(x, normals)
    return _descended(
        x, thresholds, lambda row, node: inner(normals.cells[node].tolist(), row, dtype), normals
    )


def searchsorted_route(x, edges):
    return searchsorted(edges, x)


# Records ----------------------------------------------------------------------------------------------

KEY, NODES = np.zeros(1 << 16), np.zeros((1 << 16) - 1)
_NO_NODES = "of a tree without nodes, a constant"

SPECIMENS = (
    Specimen(
        name="tree_route",
        strict=(({}, (strict.X, strict.W[:, 0][:3])),),
        slow=tree_route,
        prices=(
            (
                {},
                (X, EDGES[:3]),
                {("lookup", "int64"): 12, ("load", F): 12, ("cmp", F): 12, ("address", "int64"): 6},
            ),
        ),
        free=_NO_NODES,
        addresses={"tree": lambda ops, s: ops.tree_route(s.x[:, 3], s.params["tree"])},
        loads={
            "tree": (3, lambda ops, m, w: ops.tree_route(m.put([9.0]), m.params["t"])),
            "tree-both-ways": (5, lambda ops, m, w: ops.tree_route(m.put([-9.0, 9.0]), m.params["t"])),
            "tree-of-nothing": (0, lambda ops, m, w: ops.tree_route(m.put([9.0]), m.params["t"][:0])),
        },
        deep=(KEY, NODES),
    ),
    Specimen(
        name="axis_tree_route",
        strict=(
            ({}, (strict.X, strict.NODES, strict.W[0])),
            ({}, (strict.X, strict.NODES.astype(np.uint8), strict.W[0])),
            ({}, (strict.X, strict.NODES[:0], strict.W[0, :0])),
        ),
        slow=axis_tree_route,
        prices=(
            (
                {},
                (X, model(INDEX), model(EDGES[:3])),
                {
                    ("lookup", "int64"): 8,
                    ("load", "int64"): 4,
                    ("load", F): 8,
                    ("cmp", F): 4,
                    ("address", "int64"): 2,
                },
            ),
        ),
        free=_NO_NODES,
        addresses={
            "axis-tree": lambda ops, s: ops.axis_tree_route(s.x, s.params["features"], s.params["tree"])
        },
        loads={
            "tree-of-axes": (
                2 * 2,
                lambda ops, m, w: ops.axis_tree_route(m.x, m.params["t"][:3], m.params["v"][:3]),
            ),
            "tree-of-an-axis": (
                1 + 1,
                lambda ops, m, w: ops.axis_tree_route(w[:1, :], m.put([4]), m.params["v"][1:2]),
            ),
        },
        deep=(KEY[:, None], NODES.astype(np.int64), NODES),
    ),
    Specimen(
        name="oblique_tree_route",
        strict=(
            ({}, (strict.X, strict.W.T, strict.W[0])),
            ({}, (strict.X[:0], strict.W.T[:1], strict.W[0, :1])),
        ),
        slow=oblique_tree_route,
        prices=(
            (
                {},
                (X, model(TABLE[:, :3]), model(EDGES[:3])),
                {
                    ("lookup", "int64"): 4,
                    ("address", "int64"): 2,
                    ("load", F): 4 * 4,
                    ("mul", F): 12,
                    ("add", F): 8,
                    ("mac", F): 12,
                    ("cmp", F): 4,
                },
            ),
        ),
        free=_NO_NODES,
        addresses={
            "oblique-tree": lambda ops, s: ops.oblique_tree_route(
                s.x, s.params["points"][:7], s.params["tree"]
            )
        },
        hidden=(({}, (NONE, NONE[:3], np.zeros(3))),),
        deep=(KEY[:, None], NODES[:, None], NODES),
    ),
    Specimen(
        name="searchsorted_route",
        strict=(({}, (strict.X, strict.EDGES)), ({}, (strict.X[0], strict.EDGES[:0]))),
        slow=searchsorted_route,
        prices=(
            (
                {},
                (X, EDGES),
                {
                    ("cmp", F): 6 * 3,
                    ("lookup", "int64"): 6 * 3,
                    ("load", F): 6 * 3,
                    ("address", "int64"): 6 * 2,
                },
            ),
        ),
        free=_NO_NODES,
        addresses={"search-route": lambda ops, s: ops.searchsorted_route(s.x[:, 2], s.params["edges"])},
    ),
)

# What backends must agree on ----------------------------------------------------------------------------

BF16 = ml_dtypes.bfloat16


def _key(depth, dtype=np.float32):
    def make(rng, n):
        nodes = 2**depth - 1
        return (quarters(rng, n, np.float64, 4000) * 4).astype(dtype), (
            quarters(rng, nodes, np.float64, 4000) * 4
        ).astype(dtype)

    return make


def _axis(d, depth, index):
    def make(rng, n):
        nodes = 2**depth - 1
        return quarters(rng, (n, d)), rng.integers(0, d, size=nodes).astype(index), quarters(rng, nodes)

    return make


def _oblique(d, depth, dtype=np.float32):
    def make(rng, n):
        nodes = 2**depth - 1
        return quarters(rng, (n, d), dtype), quarters(rng, (nodes, d), dtype), quarters(rng, nodes, dtype)

    return make


def _edges(m, dtype=np.float32):
    def make(rng, n):
        x, edges = quarters(rng, n, np.float64, 4000), np.sort(quarters(rng, m, np.float64, 4000))
        return (4 * x).astype(dtype), (4 * edges).astype(dtype)

    return make


CASES = [
    *(
        case("tree_route", _key(15, dtype), np.dtype(dtype).name)
        for dtype in (np.float32, np.float64, np.int32, np.int64)
    ),
    case("tree_route", _key(0), "of one leaf"),
    *(
        case("axis_tree_route", _axis(9, 14, index), np.dtype(index).name)
        for index in (np.uint8, np.int32, np.int64)
    ),
    case("oblique_tree_route", _oblique(24, 8)),
    case("oblique_tree_route", _oblique(200, 4, np.float64), "long"),
    *(
        case("searchsorted_route", _edges(m, dtype), f"{m} {np.dtype(dtype).name}")
        for m, dtype in ((0, np.float32), (999, np.float64), (40_000, np.float32), (5_000, np.int64))
    ),
]

BY_ROWS = {
    "tree_route": ("key",),
    "axis_tree_route": ("x",),
    "oblique_tree_route": ("x",),
    "searchsorted_route": ("x",),
}
"""The arguments that have a row for every row of the results."""
