"""Descents of trees: how the steady backends go down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.core import steady

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["axis_descend", "descend", "oblique_descend", "project"]

_CHUNK = 1 << 20  # elements of gathered normals held at once


def descend(key: Any, thresholds: Any, depth: int) -> Iterator[Any]:
    """Yield every row's node at every level, and its leaf last, each in the same array."""
    node = np.zeros(key.shape, dtype=np.int64)
    for _ in range(depth):
        yield node
        right = key > thresholds[node]
        node *= 2
        node += 1
        node += right
    yield node


def axis_descend(x: Any, features: Any, thresholds: Any, depth: int) -> Iterator[tuple[Any, Any]]:
    """Yield every row's node and the feature that it compares, for every level, and the leaves last."""
    node, rows = np.zeros(x.shape[0], dtype=np.int64), np.arange(x.shape[0])
    for _ in range(depth):
        feature = features[node]
        yield node, feature
        right = x[rows, feature] > thresholds[node]
        node = 2 * node + 1 + right
    yield node - thresholds.shape[0], None


def oblique_descend(x: Any, normals: Any, thresholds: Any, depth: int, read: Any = None) -> Any:
    """Go down in chunks of rows, every row with products of its own; mark the nodes that are read."""
    leaf = np.zeros(x.shape[0], dtype=np.int64)
    rows = max(1, _CHUNK // max(1, x.shape[1]))
    for start in range(0, len(leaf), rows):
        part = slice(start, start + rows)
        node = leaf[part]
        for _ in range(depth):
            if read is not None:
                read[node] = True
            right = project(x[part], normals[node], steady.matmul) > thresholds[node]
            node = 2 * node + 1 + right
        leaf[part] = node - thresholds.shape[0]
    return leaf


def project(x: Any, normals: Any, matmul: Callable[..., Any]) -> Any:
    """Multiply every row by a normal of its own."""
    return matmul(normals[:, None, :], x[:, :, None])[:, 0, 0]
