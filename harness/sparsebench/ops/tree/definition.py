"""Tree descent."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np

from sparsebench.ops.charges import Charge, bits_to_choose, descent, inner_product, lookups, name_of
from sparsebench.ops.core.primitive import CONVENTION, primitive
from sparsebench.ops.elementary.bits import pack_bits
from sparsebench.ops.lookup.definition import gather
from sparsebench.ops.tree.descent import (
    axis_depth,
    axis_descend,
    check_edges,
    check_features,
    descend,
    oblique_depth,
    oblique_descend,
    project,
    route_depth,
)

__all__ = [
    "axis_depth",
    "axis_tree_route",
    "check_edges",
    "check_features",
    "oblique_depth",
    "oblique_tree_route",
    "route_depth",
    "searchsorted_route",
    "tree_route",
]


def _cost(key: Any, thresholds: Any) -> tuple[Charge, ...]:
    common = np.result_type(key.dtype, thresholds.dtype)
    return descent(int(key.size), route_depth(key, thresholds), [(thresholds, 1)], common)


def _elements(key: Any, thresholds: Any) -> int:  # noqa: ARG001 - the signature of the primitive
    return int(key.size)


def _steady(key: Any, thresholds: Any) -> Any:
    *_, leaf = descend(key, thresholds)
    return leaf - thresholds.shape[0]


def _touched(key: Any, thresholds: Any) -> list[tuple[Any, Any]]:
    read = np.zeros(2 * thresholds.shape[0] + 1, dtype=np.bool_)
    for node in descend(key, thresholds):
        read[node] = True
    return [(thresholds, read[: thresholds.shape[0]])]


@primitive(
    cost=_cost,
    elements=_elements,
    touched=_touched,
    steady=_steady,
    price="per level 1 look-up (a node's record), 1 comparison and, after the first, 1 address operation",
    example="leaf = ops.tree_route(key, thresholds)",
    source=CONVENTION,
    base=True,
)
def tree_route(key: Any, thresholds: Any) -> Any:
    """Descend a complete binary tree; right where ``key > threshold``.

    Parameters
    ----------
    key
        Real array ``(...)``: the number that every node compares.
    thresholds
        Real array ``(2**depth - 1,)`` in breadth-first order: the root, its two children, their four, ...

    Returns
    -------
    array of int64, shape (...)
        The leaf, in ``[0, 2**depth)``, counted from the left.

    Raises
    ------
    TypeError
        If the numbers are complex.
    ValueError
        If the number of thresholds is not one less than a power of two.
    """
    xp = key.__array_namespace__()
    bits: list[Any] = []
    address = xp.zeros(key.shape, dtype=xp.int64)
    for level in range(route_depth(key, thresholds)):
        first = 2**level - 1
        node = gather(address, thresholds[first : 2 * first + 1])
        bits.append(key > node)
        address = pack_bits(*bits)
    return address


def _axis_cost(x: Any, features: Any, thresholds: Any) -> tuple[Charge, ...]:
    rows, depth = int(x.shape[0]), axis_depth(x, features, thresholds)
    common = np.result_type(x.dtype, thresholds.dtype)
    return (
        *descent(rows, depth, [(features, 1), (thresholds, 1)], common),
        *lookups(name_of(features.dtype), rows * depth, [(x, 1)]),
    )


def _axis_elements(x: Any, features: Any, thresholds: Any) -> int:  # noqa: ARG001 - the signature of the primitive
    # Nodes, rows, features and numbers; and a truth for every element of x tells whether it was read.
    return 4 * int(x.shape[0]) + int(x.size) // 8


def _axis_steady(x: Any, features: Any, thresholds: Any) -> Any:
    [(leaf, _)] = collections.deque(axis_descend(x, features, thresholds), maxlen=1)  # holds one level
    return leaf


def _axis_touched(x: Any, features: Any, thresholds: Any) -> list[tuple[Any, Any]]:
    nodes, elements = np.zeros(thresholds.shape, dtype=np.bool_), np.zeros(x.shape, dtype=np.bool_)
    for node, feature in axis_descend(x, features, thresholds):
        if feature is not None:
            nodes[node] = True
            elements[np.arange(x.shape[0]), feature] = True
    return [(x, elements), (features, nodes), (thresholds, nodes)]


@primitive(
    cost=_axis_cost,
    elements=_axis_elements,
    touched=_axis_touched,
    steady=_axis_steady,
    price="per level 2 look-ups (a node's record, the row's feature), 1 comparison and, after the first, 1 "
    "address operation",
    example="leaf = ops.axis_tree_route(x, features, thresholds)",
    source=CONVENTION,
    base=True,
)
def axis_tree_route(x: Any, features: Any, thresholds: Any) -> Any:
    """Descend a complete binary tree whose nodes compare one feature; right where ``x[feature] > threshold``.

    Parameters
    ----------
    x
        Real array ``(n, d)``.
    features
        Integer array ``(2**depth - 1,)`` in breadth-first order: what every node compares, in ``[0, d)``.
    thresholds
        Real array ``(2**depth - 1,)`` in the same order.

    Returns
    -------
    array of int64, shape (n,)
        The leaf, in ``[0, 2**depth)``, counted from the left. NaN goes left.

    Raises
    ------
    TypeError
        If ``x`` or the thresholds are complex, or the features are not integers.
    ValueError
        If the shapes do not fit, or the number of nodes is not one less than a power of two.
    IndexError
        If a feature is out of range.
    """
    depth = axis_depth(x, features, thresholds)
    check_features(x, features)
    xp = x.__array_namespace__()
    bits: list[Any] = []
    address = xp.zeros(x.shape[:1], dtype=xp.int64)
    for level in range(depth):
        nodes = slice(2**level - 1, 2 ** (level + 1) - 1)
        feature, threshold = gather(address, features[nodes], thresholds[nodes])
        value = xp.take_along_axis(x, feature[:, None], axis=1)[:, 0]
        bits.append(value > threshold)
        address = pack_bits(*bits)
    return address


def _oblique_cost(x: Any, normals: Any, thresholds: Any) -> tuple[Charge, ...]:
    rows, depth = int(x.shape[0]), oblique_depth(x, normals, thresholds)
    common, d = np.result_type(x.dtype, normals.dtype), int(x.shape[1])
    compared = np.result_type(common, thresholds.dtype)
    return (
        *descent(rows, depth, [(normals, d), (thresholds, 1)], compared),
        *inner_product(rows * depth, d, common),
    )


def _oblique_elements(x: Any, normals: Any, thresholds: Any) -> int:  # noqa: ARG001 - the signature of the primitive
    return 3 * int(x.shape[0])  # nodes, thresholds and products


def _oblique_steady(x: Any, normals: Any, thresholds: Any) -> Any:
    return oblique_descend(x, normals, thresholds)


def _oblique_touched(x: Any, normals: Any, thresholds: Any) -> list[tuple[Any, Any]]:
    read = np.zeros(thresholds.shape, dtype=np.bool_)
    oblique_descend(x, normals, thresholds, read)
    return [(normals, read), (thresholds, read)]


@primitive(
    cost=_oblique_cost,
    elements=_oblique_elements,
    touched=_oblique_touched,
    steady=_oblique_steady,
    price="R^d, per level: 1 look-up (a node's record), 2d - 1 for the product, 1 comparison and, after the "
    "first, 1 address operation",
    example="leaf = ops.oblique_tree_route(x, normals, thresholds)",
    source=CONVENTION,
    base=True,
)
def oblique_tree_route(x: Any, normals: Any, thresholds: Any) -> Any:
    """Descend a complete binary tree whose nodes are hyperplanes; right where ``normal @ x > threshold``.

    Parameters
    ----------
    x
        Array of integers or real numbers ``(n, d)``.
    normals
        Array of integers or real numbers ``(2**depth - 1, d)`` in breadth-first order.
    thresholds
        Array of integers or real numbers ``(2**depth - 1,)`` in the same order.

    Returns
    -------
    array of int64, shape (n,)
        The leaf, in ``[0, 2**depth)``, counted from the left. NaN goes left.

    Raises
    ------
    TypeError
        If an array is boolean or complex.
    ValueError
        If the shapes do not fit, or the number of nodes is not one less than a power of two.
    """
    depth = oblique_depth(x, normals, thresholds)
    xp = x.__array_namespace__()
    bits: list[Any] = []
    address = xp.zeros(x.shape[:1], dtype=xp.int64)
    for level in range(depth):
        nodes = slice(2**level - 1, 2 ** (level + 1) - 1)
        normal, threshold = gather(address, normals[nodes, :], thresholds[nodes])
        bits.append(project(x, normal, xp.matmul) > threshold)
        address = pack_bits(*bits)
    return address


def _search_cost(x: Any, edges: Any) -> tuple[Charge, ...]:
    check_edges(x, edges)
    levels = bits_to_choose(int(edges.shape[0]) + 1)
    return descent(int(x.size), levels, [(edges, 1)], np.result_type(x.dtype, edges.dtype))


def _search_elements(x: Any, edges: Any) -> int:
    return 2 * int(x.size) + int(edges.size)  # both are cast


@primitive(
    cost=_search_cost,
    elements=_search_elements,
    price="m edges, per level of ⌈log2(m + 1)⌉: 1 look-up (an edge), 1 comparison and, after the first, 1 "
    "address operation",
    example="cell = ops.searchsorted_route(x[:, 0], edges)",
)
def searchsorted_route(x: Any, edges: Any) -> Any:
    """Count the edges below a number, which is the leaf of a search tree over them; right where ``x > edge``.

    Parameters
    ----------
    x
        Array of integers or real numbers ``(...)``.
    edges
        Array of integers or real numbers ``(m,)``, ascending.

    Returns
    -------
    array of int64, shape (...)
        The cell, in ``[0, m]``; m for NaN, which is sorted behind all numbers.

    Raises
    ------
    TypeError
        If an array is boolean or complex.
    ValueError
        If the edges have not one axis.
    """
    check_edges(x, edges)
    xp = x.__array_namespace__()
    return xp.searchsorted(edges, x, side="left")
