"""Descents of trees, level by level, in chunks of rows that stay in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.ops.cpu import pool
from sparsebench.ops.cpu.twins import Columns
from sparsebench.ops.tree import definition as tree

__all__ = ["axis_tree_route", "oblique_tree_route", "searchsorted_route", "tree_route"]

_ROWS = 1 << 14  # rows of a chunk: their nodes stay in the second cache
_ELEMENTS = 1 << 17  # elements of a chunk's rows, where all of them are read
_TOP = 4  # levels of which all products are made at once, which is faster than to read normals row by row


def tree_route(key: Any, thresholds: Any) -> Any:
    """Fast face of :func:`sparsebench.ops.tree_route`."""
    depth = tree.route_depth(key, thresholds)
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


def axis_tree_route(x: Any, features: Any, thresholds: Any) -> Any:
    """Fast face of :func:`sparsebench.ops.axis_tree_route`."""
    depth = tree.axis_depth(x, features, thresholds)
    tree.check_features(x, features)
    n, d = x.shape
    features = features.astype(np.int64, copy=False)
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


def oblique_tree_route(x: Any, normals: Any, thresholds: Any) -> Any:
    """Fast face of :func:`sparsebench.ops.oblique_tree_route`."""
    depth = tree.oblique_depth(x, normals, thresholds)
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


def searchsorted_route(x: Any, edges: Any) -> Any:
    """Fast face of :func:`sparsebench.ops.searchsorted_route`."""
    tree.check_edges(x, edges)
    edges = np.ascontiguousarray(edges, dtype=np.promote_types(x.dtype, edges.dtype))  # once, not per chunk
    flat = x.reshape(-1)
    out = np.empty(flat.shape, dtype=np.int64)

    def search(start: int, stop: int) -> None:
        out[start:stop] = np.searchsorted(edges, flat[start:stop], side="left")

    pool.run(search, pool.chunks(len(flat), _ROWS))
    return out.reshape(x.shape)
