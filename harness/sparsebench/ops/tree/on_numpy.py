"""Descents of trees, level by level, in chunks of rows that stay in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.cpu.twins import Columns
from sparsebench.ops.tree import definition

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["axis_tree_route", "oblique_tree_route", "searchsorted_route", "tree_route"]

_ROWS = 1 << 14  # rows of a chunk: their nodes stay in the second cache
_ELEMENTS = 1 << 17  # elements of a chunk's rows, where all of them are read
_TOP = 4  # levels of which all products are made at once, which is faster than to read normals row by row


@definition.tree_route.on("numpy")
def tree_route(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.tree_route`."""
    key, thresholds, depth = call.key, call.thresholds, call["depth"]
    flat = key.reshape(-1)
    out = np.empty(flat.shape, dtype=np.int64)

    def descend(start: int, stop: int) -> None:
        node, own = out[start:stop], flat[start:stop]
        node[:] = 0
        for _ in range(depth):
            _step(node, own > thresholds.take(node, mode="clip"))
        node -= thresholds.shape[0]

    pool.run(descend, pool.chunks(len(flat), _ROWS))
    return out.reshape(key.shape)


def _step(node: Any, right: Any) -> None:
    """Go to the children."""
    node *= 2
    node += 1
    node += right


@definition.axis_tree_route.on("numpy")
def axis_tree_route(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.axis_tree_route`."""
    x, thresholds = call.x, call.thresholds
    n, d, depth = call["n"], call["d"], call["depth"]
    features = call.features.astype(np.int64, copy=False)
    out = np.empty(n, dtype=np.int64)

    def descend(start: int, stop: int) -> None:
        node, own = out[start:stop], np.ascontiguousarray(x[start:stop]).reshape(-1)
        first = np.arange(0, own.size, d, dtype=np.int64) if d else np.zeros(0, dtype=np.int64)
        node[:] = 0
        for _ in range(depth):
            place = features.take(node, mode="clip")
            place += first
            _step(node, own.take(place, mode="clip") > thresholds.take(node, mode="clip"))
        node -= thresholds.shape[0]

    # All of a chunk's elements may be read, but hardly are: more rows than would fill the cache pay.
    pool.run(descend, pool.chunks(n, max(min(_ROWS, 8 * _ELEMENTS // max(d, 1)), 1)))
    return out


@definition.oblique_tree_route.on("numpy")
def oblique_tree_route(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.oblique_tree_route`."""
    x, normals, thresholds, depth = call.x, call.normals, call.thresholds, call["depth"]
    out = np.empty(x.shape[0], dtype=np.int64)
    top = min(depth, _TOP)
    above = Columns(normals[: 2**top - 1])

    def descend(start: int, stop: int) -> None:
        node, own = out[start:stop], x[start:stop]
        node[:] = 0
        products, rows = above.products(own), np.arange(stop - start)
        for level in range(depth):
            product = products[rows, node] if level < top else np.einsum("ij,ij->i", own, normals[node])
            _step(node, product > thresholds.take(node))
        node -= thresholds.shape[0]

    pool.run(descend, pool.chunks(x.shape[0], max(_ELEMENTS // max(x.shape[1], 1), 1)))
    return out


@definition.searchsorted_route.on("numpy")
def searchsorted_route(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.searchsorted_route`."""
    x = call.x
    edges = np.ascontiguousarray(call.edges, dtype=call.promoted("x", "edges"))  # once, not per chunk
    flat = x.reshape(-1)
    out = np.empty(flat.shape, dtype=np.int64)

    def search(start: int, stop: int) -> None:
        out[start:stop] = np.searchsorted(edges, flat[start:stop], side="left")

    pool.run(search, pool.chunks(len(flat), _ROWS))
    return out.reshape(x.shape)
