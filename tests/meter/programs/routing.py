"""Arguments of the routers, drawn."""

from __future__ import annotations

import numpy as np

from meter.programs.primitives import exact
from meter.slow.routing import TABLE


def _rows(p, kinds="fi"):
    n, d = p.integer(0, 3), p.integer(0, 4)
    return d, exact(p, (n, d), kinds)


def _pstable_hash(p):
    d, x = _rows(p)
    vectors = (*p.shape(0, 1), p.integer(1, 4))
    return (x, exact(p, (*vectors, d)), exact(p, vectors)), {"levels": p.choose([1, 2, 3, 4, 7, 16])}


def _nearest_in_tree(p):
    d, x = _rows(p)
    arity = p.integer(2, 4)
    points = sum(arity**level for level in range(1, 1 + p.integer(0, 2)))
    return (x, exact(p, (points, d))), {"arity": arity}


def _nodes(p):
    return 2 ** p.integer(0, 3) - 1


def _axis_tree_route(p):
    d, x = _rows(p, "fib")
    nodes = _nodes(p) if d else 0
    return (x, p.addresses((nodes,), d), p.array("fi", shape=(nodes,))), {}


def _oblique_tree_route(p):
    d, x = _rows(p)
    nodes = _nodes(p)
    return (x, exact(p, (nodes, d)), exact(p, (nodes,))), {}


def _is_sorted(x):
    return bool(np.all(x.array[1:] >= x.array[:-1]))


def _searchsorted_route(p):
    edges = p.array("fi", _is_sorted, shape=(p.integer(0, 1),))
    if p.flag():
        edges = p.put(np.sort(p.values((p.integer(0, 9),), p.kind("fi"))))
    return (p.array("fiu"), edges), {}


def _top_k_gate(p):
    d, x = _rows(p, "f")
    experts = p.integer(1, 5)
    weights = exact(p, (experts, d), "f")
    bias = p.choose([(), (None,), (exact(p, (experts,), "f"),)])
    return (x, weights, *bias), {"k": p.integer(1, experts)}


DRAWS = {
    "axis_tree_route": _axis_tree_route,
    "nearest_in_tree": _nearest_in_tree,
    "oblique_tree_route": _oblique_tree_route,
    "pstable_hash": _pstable_hash,
    "searchsorted_route": _searchsorted_route,
    "top_k_gate": _top_k_gate,
}
assert DRAWS.keys() == TABLE.keys(), "an operation with a slow count needs a way to draw its arguments"
