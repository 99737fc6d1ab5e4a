"""Descents of trees: what a definition takes, and how its CPU implementations go down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.core import steady
from sparsebench.ops.core.checks import INTEGER, NOT_COMPLEX, NUMBER, check_dtypes
from sparsebench.ops.lookup.definition import check_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "axis_depth",
    "axis_descend",
    "check_edges",
    "check_features",
    "descend",
    "oblique_depth",
    "oblique_descend",
    "project",
    "route_depth",
]

_CHUNK = 1 << 20  # elements of gathered normals held at once


def route_depth(key: Any, thresholds: Any) -> int:
    """Give the depth of a tree, or refuse what :func:`tree_route` does not take.

    Raises
    ------
    TypeError, ValueError
        As that tells.
    """
    check_dtypes("tree_route", NOT_COMPLEX, "real numbers", key, thresholds)
    return _depth("tree_route", thresholds)


def _depth(name: str, thresholds: Any) -> int:
    shape = tuple(thresholds.shape)
    nodes = int(shape[0]) if len(shape) == 1 else -2  # which no complete tree has
    depth = max(nodes + 1, 0).bit_length() - 1
    if nodes != 2**depth - 1:
        raise ValueError(f"{name}: expected thresholds of shape (2**depth - 1,), got {shape}")
    return depth


def descend(key: Any, thresholds: Any) -> Iterator[Any]:
    """Walk all rows down: give every row's node at every level, and its leaf last, each in the same array."""
    node = np.zeros(key.shape, dtype=np.int64)
    for _ in range(route_depth(key, thresholds)):
        yield node
        right = key > thresholds[node]
        node *= 2
        node += 1
        node += right
    yield node


def axis_depth(x: Any, features: Any, thresholds: Any) -> int:
    """Give the depth of a tree, or refuse shapes and dtypes that :func:`axis_tree_route` does not take.

    Raises
    ------
    TypeError, ValueError
        As that tells.
    """
    name = "axis_tree_route"
    check_dtypes(name, NOT_COMPLEX, "real numbers", x, thresholds)
    check_dtypes(name, INTEGER, "integer features", features)
    if x.ndim != 2 or tuple(features.shape) != tuple(thresholds.shape):  # noqa: PLR2004 - (n, d)
        got = [tuple(part.shape) for part in (x, features, thresholds)]
        raise ValueError(f"{name}: expected x (n, d), features and thresholds (2**depth - 1,), got {got}")
    return _depth(name, thresholds)


def check_features(x: Any, features: Any) -> None:
    """Refuse features that ``x`` does not have, also where no row comes by: :func:`axis_tree_route` tells.

    Handles of the meter tell no values; it runs the steady face, which looks again.

    Raises
    ------
    IndexError
        If one is outside ``[0, d)``.
    """
    if not hasattr(features, "__sparsebench_call__"):
        check_index("axis_tree_route", features, int(x.shape[1]))


def axis_descend(x: Any, features: Any, thresholds: Any) -> Iterator[tuple[Any, Any]]:
    """Give every row's node and the feature that it compares, for every level, and the leaves last."""
    depth = axis_depth(x, features, thresholds)
    check_features(x, features)
    node, rows = np.zeros(x.shape[0], dtype=np.int64), np.arange(x.shape[0])
    for _ in range(depth):
        feature = features[node]
        yield node, feature
        right = x[rows, feature] > thresholds[node]
        node = 2 * node + 1 + right
    yield node - thresholds.shape[0], None


def oblique_depth(x: Any, normals: Any, thresholds: Any) -> int:
    """Give the depth of a tree, or refuse what :func:`oblique_tree_route` does not take.

    Raises
    ------
    TypeError, ValueError
        As that tells.
    """
    name = "oblique_tree_route"
    check_dtypes(name, NUMBER, "numbers that are not complex", x, normals, thresholds)
    fits = x.ndim == normals.ndim == 2 and x.shape[1] == normals.shape[1]  # noqa: PLR2004 - (n, d), (nodes, d)
    if not fits or tuple(normals.shape[:1]) != tuple(thresholds.shape):
        got = [tuple(part.shape) for part in (x, normals, thresholds)]
        raise ValueError(
            f"{name}: expected x (n, d), normals (2**depth - 1, d) and thresholds (2**depth - 1,), got {got}"
        )
    return _depth(name, thresholds)


def oblique_descend(x: Any, normals: Any, thresholds: Any, read: Any = None) -> Any:
    """Go down in chunks of rows, every row with products of its own; mark the nodes that are read."""
    depth = oblique_depth(x, normals, thresholds)
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


def check_edges(x: Any, edges: Any) -> None:
    """Refuse what :func:`searchsorted_route` does not take.

    Raises
    ------
    TypeError, ValueError
        As that tells.
    """
    check_dtypes("searchsorted_route", NUMBER, "numbers that are not complex", x, edges)
    if edges.ndim != 1:
        raise ValueError(f"searchsorted_route: expected edges of shape (m,), got {tuple(edges.shape)}")
