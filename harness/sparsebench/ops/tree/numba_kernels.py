"""Compiled loops of :mod:`sparsebench.ops.tree.on_numba`.

Rows go down in groups, all of a group to the next level before any goes further: the next node of a row
depends on its last one, but rows do not wait for each other, so that many loads are under way at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.ops.jit.runtime import compiled

__all__ = ["by_feature", "by_key", "by_plane", "by_search"]

_GROUP = 64


@compiled
def by_key(key: Any, thresholds: Any, depth: int, out: Any, start: int, stop: int) -> None:
    """Descend by one number: ``key`` and ``out`` (int64) are ``(n,)``."""
    nodes = np.empty(_GROUP, dtype=np.uint64)
    first = np.int64(thresholds.shape[0])
    for row in range(start, stop, _GROUP):
        rows = min(_GROUP, stop - row)
        nodes[:] = np.uint64(0)
        for _ in range(depth):
            for i in range(rows):
                node = nodes[i]
                right = np.uint64(key[row + i] > thresholds[node])
                nodes[i] = (node << np.uint64(1)) + np.uint64(1) + right
        for i in range(rows):
            out[row + i] = np.int64(nodes[i]) - first


@compiled
def by_feature(x: Any, tree: Any, depth: int, out: Any, start: int, stop: int) -> None:
    """Descend by features: ``tree`` holds records of ``feature`` and ``threshold``, ``x`` is ``(n, d)``."""
    nodes = np.empty(_GROUP, dtype=np.uint64)
    first = np.int64(tree.shape[0])
    for row in range(start, stop, _GROUP):
        rows = min(_GROUP, stop - row)
        nodes[:] = np.uint64(0)
        for _ in range(depth):
            for i in range(rows):
                node = nodes[i]
                record = tree[node]
                right = np.uint64(x[row + i, record.feature] > record.threshold)
                nodes[i] = (node << np.uint64(1)) + np.uint64(1) + right
        for i in range(rows):
            out[row + i] = np.int64(nodes[i]) - first


@compiled
def by_plane(x: Any, normals: Any, thresholds: Any, depth: int, out: Any, start: int, stop: int) -> None:
    """Descend by hyperplanes: ``x`` is ``(n, d)`` and ``normals`` ``(nodes, d)``."""
    nodes = np.empty(_GROUP, dtype=np.uint64)
    first = np.int64(thresholds.shape[0])
    for row in range(start, stop, _GROUP):
        rows = min(_GROUP, stop - row)
        nodes[:] = np.uint64(0)
        for _ in range(depth):
            for i in range(rows):
                node = nodes[i]
                total = x.dtype.type(0.0)
                for j in range(x.shape[1]):
                    total += x[row + i, j] * normals[node, j]
                right = np.uint64(total > thresholds[node])
                nodes[i] = (node << np.uint64(1)) + np.uint64(1) + right
        for i in range(rows):
            out[row + i] = np.int64(nodes[i]) - first


@compiled
def by_search(x: Any, edges: Any, numbers: int, out: Any, start: int, stop: int) -> None:
    """Count the edges below: ``x`` and ``out`` (int64) are ``(n,)``; ``numbers`` of the edges are not NaN."""
    below = np.empty(_GROUP, dtype=np.uint64)
    step = 1
    while 2 * step <= numbers:
        step *= 2
    for row in range(start, stop, _GROUP):
        rows = min(_GROUP, stop - row)
        below[:] = np.uint64(0)
        size = step if numbers else 0
        while size:
            for i in range(rows):
                tried = below[i] + np.uint64(size)
                at = min(tried, np.uint64(numbers)) - np.uint64(1)
                fits = (tried <= np.uint64(numbers)) & (edges[at] < x[row + i])
                below[i] = tried if fits else below[i]
            size //= 2
        for i in range(rows):
            known = not np.isnan(x[row + i])  # NaN is sorted behind all numbers
            out[row + i] = np.int64(below[i]) if known else numbers
