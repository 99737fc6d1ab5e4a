"""Tree descent."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sparsebench.ops.charges import Charge, bits_to_choose, descent, inner_product, lookups, name_of
from sparsebench.ops.core.arguments import Length, ascending, integer, number, ordered
from sparsebench.ops.core.primitive import CONVENTION, primitive
from sparsebench.ops.elementary.bits import pack_bits
from sparsebench.ops.lookup.definition import gather
from sparsebench.ops.tree.descent import axis_descend, descend, oblique_descend, project

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["axis_tree_route", "oblique_tree_route", "searchsorted_route", "tree_route"]

_NODES = {"nodes": Length("2**depth - 1", lambda depth: 2**depth - 1)}
"""A complete tree, without its leaves."""


def _levels(thresholds: Any) -> int:
    """Count the levels of a complete tree."""
    return int(thresholds.shape[0]).bit_length()


def _cost(call: Call) -> tuple[Charge, ...]:
    return descent(call["..."], call["depth"], [(call.thresholds, 1)], call.promoted("key", "thresholds"))


def _elements(call: Call) -> int:
    return call["..."]


def _steady(call: Call) -> Any:
    *_, leaf = descend(call.key, call.thresholds, call["depth"])
    return leaf - call["nodes"]


def _read(call: Call) -> list[tuple[Any, Any]]:
    read = np.zeros(2 * call["nodes"] + 1, dtype=np.bool_)
    for node in descend(call.key, call.thresholds, call["depth"]):
        read[node] = True
    return [(call.thresholds, read[: call["nodes"]])]


@primitive(
    cost=_cost,
    elements=_elements,
    read=_read,
    steady=_steady,
    price="per level 1 look-up (a node's record), 1 comparison and, after the first, 1 address operation",
    example="leaf = ops.tree_route(key, thresholds)",
    source=CONVENTION,
    base=True,
    lengths=_NODES,
)
def tree_route(
    key: Annotated[Any, ordered("...")], thresholds: Annotated[Any, ordered("nodes")]
) -> Annotated[Any, integer("...")]:
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
    for level in range(_levels(thresholds)):
        first = 2**level - 1
        node = gather(address, thresholds[first : 2 * first + 1])
        bits.append(key > node)
        address = pack_bits(*bits)
    return address


def _axis_cost(call: Call) -> tuple[Charge, ...]:
    rows, depth, features = call["n"], call["depth"], call.features
    return (
        *descent(rows, depth, [(features, 1), (call.thresholds, 1)], call.promoted("x", "thresholds")),
        *lookups(name_of(features.dtype), rows * depth, [(call.x, 1)]),
    )


def _axis_elements(call: Call) -> int:
    # Nodes, rows, features and numbers; and a truth for every element of x tells whether it was read.
    return 4 * call["n"] + call["n"] * call["d"] // 8


def _axis_steady(call: Call) -> Any:
    steps = axis_descend(call.x, call.features, call.thresholds, call["depth"])
    [(leaf, _)] = collections.deque(steps, maxlen=1)  # holds one level
    return leaf


def _axis_read(call: Call) -> list[tuple[Any, Any]]:
    x, features, thresholds = call.x, call.features, call.thresholds
    nodes, elements = np.zeros(thresholds.shape, dtype=np.bool_), np.zeros(x.shape, dtype=np.bool_)
    for node, feature in axis_descend(x, features, thresholds, call["depth"]):
        if feature is not None:
            nodes[node] = True
            elements[np.arange(x.shape[0]), feature] = True
    return [(x, elements), (features, nodes), (thresholds, nodes)]


@primitive(
    cost=_axis_cost,
    elements=_axis_elements,
    read=_axis_read,
    steady=_axis_steady,
    price="per level 2 look-ups (a node's record, the row's feature), 1 comparison and, after the first, 1 "
    "address operation",
    example="leaf = ops.axis_tree_route(x, features, thresholds)",
    source=CONVENTION,
    base=True,
    lengths=_NODES,
)
def axis_tree_route(
    x: Annotated[Any, ordered("n, d")],
    features: Annotated[Any, integer("nodes", below="d")],
    thresholds: Annotated[Any, ordered("nodes")],
) -> Annotated[Any, integer("n")]:
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
    xp = x.__array_namespace__()
    bits: list[Any] = []
    address = xp.zeros(x.shape[:1], dtype=xp.int64)
    for level in range(_levels(thresholds)):
        nodes = slice(2**level - 1, 2 ** (level + 1) - 1)
        feature, threshold = gather(address, features[nodes], thresholds[nodes])
        value = xp.take_along_axis(x, feature[:, None], axis=1)[:, 0]
        bits.append(value > threshold)
        address = pack_bits(*bits)
    return address


def _oblique_cost(call: Call) -> tuple[Charge, ...]:
    rows, depth, d = call["n"], call["depth"], call["d"]
    common = call.promoted("x", "normals")
    compared = np.result_type(common, call.thresholds.dtype)
    return (
        *descent(rows, depth, [(call.normals, d), (call.thresholds, 1)], compared),
        *inner_product(rows * depth, d, common),
    )


def _oblique_elements(call: Call) -> int:
    return 3 * call["n"]  # nodes, thresholds and products


def _oblique_steady(call: Call) -> Any:
    return oblique_descend(call.x, call.normals, call.thresholds, call["depth"])


def _oblique_read(call: Call) -> list[tuple[Any, Any]]:
    read = np.zeros(call["nodes"], dtype=np.bool_)
    oblique_descend(call.x, call.normals, call.thresholds, call["depth"], read)
    return [(call.normals, read), (call.thresholds, read)]


@primitive(
    cost=_oblique_cost,
    elements=_oblique_elements,
    read=_oblique_read,
    steady=_oblique_steady,
    price="R^d, per level: 1 look-up (a node's record), 2d - 1 for the product, 1 comparison and, after the "
    "first, 1 address operation",
    example="leaf = ops.oblique_tree_route(x, normals, thresholds)",
    source=CONVENTION,
    base=True,
    lengths=_NODES,
)
def oblique_tree_route(
    x: Annotated[Any, number("n, d")],
    normals: Annotated[Any, number("nodes, d")],
    thresholds: Annotated[Any, number("nodes")],
) -> Annotated[Any, integer("n")]:
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
    xp = x.__array_namespace__()
    bits: list[Any] = []
    address = xp.zeros(x.shape[:1], dtype=xp.int64)
    for level in range(_levels(thresholds)):
        nodes = slice(2**level - 1, 2 ** (level + 1) - 1)
        normal, threshold = gather(address, normals[nodes, :], thresholds[nodes])
        bits.append(project(x, normal, xp.matmul) > threshold)
        address = pack_bits(*bits)
    return address


def _search_cost(call: Call) -> tuple[Charge, ...]:
    return descent(call["..."], bits_to_choose(call["m"] + 1), [(call.edges, 1)], call.promoted("x", "edges"))


def _search_elements(call: Call) -> int:
    return 2 * call["..."] + call["m"]  # both are cast


@primitive(
    cost=_search_cost,
    elements=_search_elements,
    price="m edges, per level of ⌈log2(m + 1)⌉: 1 look-up (an edge), 1 comparison and, after the first, 1 "
    "address operation",
    example="cell = ops.searchsorted_route(x[:, 0], edges)",
)
def searchsorted_route(
    x: Annotated[Any, number("...")], edges: Annotated[Any, ascending(number("m"))]
) -> Annotated[Any, integer("...")]:
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
    xp = x.__array_namespace__()
    return xp.searchsorted(edges, x, side="left")
