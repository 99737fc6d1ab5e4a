"""Nearest prototype."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.charges import Charge, addressing, lookups
from sparsebench.ops.core.checks import NOT_COMPLEX, NUMBER, check_dtypes
from sparsebench.ops.core.primitive import CONVENTION, primitive
from sparsebench.ops.lookup.definition import gather

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check_prototypes", "nearest_in_tree", "nearest_prototype", "tree_depth"]

_CHUNK = 1 << 20  # elements of the difference array held at once by the CPU implementation


def check_prototypes(x: Any, prototypes: Any) -> tuple[int, int, int]:
    """Give rows, prototypes and features, or refuse what :func:`nearest_prototype` does not take.

    Raises
    ------
    TypeError, ValueError
        As that tells.
    """
    check_dtypes("nearest_prototype", NOT_COMPLEX, "real numbers", x, prototypes)
    if all(array.__array_namespace__().isdtype(array.dtype, "bool") for array in (x, prototypes)):
        raise TypeError(
            "nearest_prototype: expected numbers, got booleans twice; xp.astype makes numbers of one"
        )
    if x.ndim != 2 or prototypes.ndim != 2 or x.shape[1] != prototypes.shape[1] or not prototypes.shape[0]:  # noqa: PLR2004
        got = f"{tuple(x.shape)} and {tuple(prototypes.shape)}"
        raise ValueError(f"nearest_prototype: expected x (n, d) and prototypes (N >= 1, d), got {got}")
    return x.shape[0], prototypes.shape[0], x.shape[1]


def _cost(x: Any, prototypes: Any) -> tuple[Charge, ...]:
    n, many, d = check_prototypes(x, prototypes)
    return _distance_charges(n, many, d, np.result_type(x.dtype, prototypes.dtype))


def _distance_charges(n: int, many: int, d: int, common: np.dtype[Any]) -> tuple[Charge, ...]:
    """Charge the choice of the nearest of many points, n times."""
    summed = {"i": "int64", "u": "uint64"}.get(common.kind, common.name)  # sums of small integers are wide
    pairs = n * many
    return (
        Charge("add", common.name, pairs * d),
        Charge("mul", common.name, pairs * d),
        Charge("add", summed, pairs * max(d - 1, 0)),
        Charge("cmp", summed, n * (many - 1)),
    )


def _elements(x: Any, prototypes: Any) -> int:  # noqa: ARG001 - the signature of the primitive
    return int(x.shape[0])


def _steady(x: Any, prototypes: Any) -> Any:
    """Go through the reference in chunks of rows: n times N times d numbers are never held at once."""
    n, many, d = check_prototypes(x, prototypes)
    rows = max(1, _CHUNK // (many * max(1, d)))
    x, prototypes = np.ascontiguousarray(x), np.ascontiguousarray(prototypes)  # sums see one layout
    nearest = np.empty(n, dtype=np.int64)
    for start in range(0, n, rows):
        nearest[start : start + rows] = nearest_prototype.reference(x[start : start + rows], prototypes)
    return nearest


@primitive(
    cost=_cost,
    elements=_elements,
    steady=_steady,
    price="N prototypes in R^d: N(3d - 1) for the distances, N - 1 comparisons",
    example="index = ops.nearest_prototype(x, prototypes)",
)
def nearest_prototype(x: Any, prototypes: Any) -> Any:
    """Find the prototype at the least Euclidean distance; the first one among equals.

    Parameters
    ----------
    x
        Real array ``(n, d)``.
    prototypes
        Real array ``(N, d)``, N at least 1.

    Returns
    -------
    array of int64, shape (n,)

    Raises
    ------
    TypeError
        If the numbers are complex, or booleans in both.
    ValueError
        If the shapes do not fit.
    """
    check_prototypes(x, prototypes)
    return _nearest(x, prototypes[None, :, :])


def _nearest(x: Any, points: Any) -> Any:
    """Give the place of the nearest of some points ``(1 or n, many, d)``, for every row."""
    xp = x.__array_namespace__()
    difference = x[:, None, :] - points
    return xp.argmin(xp.sum(difference * difference, axis=-1), axis=-1)


def tree_depth(x: Any, prototypes: Any, arity: int) -> int:
    """Give the depth of a tree, or refuse what :func:`nearest_in_tree` does not take.

    Raises
    ------
    TypeError, ValueError
        As that tells.
    """
    check_dtypes("nearest_in_tree", NUMBER, "numbers that are not complex", x, prototypes)
    if x.ndim != 2 or prototypes.ndim != 2 or x.shape[1] != prototypes.shape[1]:  # noqa: PLR2004
        got = f"{tuple(x.shape)} and {tuple(prototypes.shape)}"
        raise ValueError(f"nearest_in_tree: expected x (n, d) and prototypes (N, d), got {got}")
    if arity < 2:  # noqa: PLR2004 - one child would leave nothing to choose
        raise ValueError(f"nearest_in_tree: arity must be at least 2, got {arity}")
    rows, level, depth = int(prototypes.shape[0]), 1, 0
    while rows > 0:
        level *= arity
        rows -= level
        depth += 1
    if rows:
        raise ValueError(
            f"nearest_in_tree: expected as many prototypes as v + v**2 + ... + v**depth, v = {arity}, "
            f"got {prototypes.shape[0]}"
        )
    return depth


def _tree_cost(x: Any, prototypes: Any, *, arity: int) -> tuple[Charge, ...]:
    depth = tree_depth(x, prototypes, arity)
    steps, d = x.shape[0] * depth, x.shape[1]
    return (
        *lookups("int64", steps, [(prototypes, arity * d)]),
        *_distance_charges(steps, arity, d, np.result_type(x.dtype, prototypes.dtype)),
        *addressing("int64", int(x.shape[0]), depth),
    )


def _tree_elements(x: Any, prototypes: Any, *, arity: int) -> int:  # noqa: ARG001 - the signature of the primitive
    return int(x.shape[0])


def _tree_touched(x: Any, prototypes: Any, *, arity: int) -> list[tuple[Any, Any]]:
    read = np.zeros(prototypes.shape[0], dtype=np.bool_)
    _walk(x, prototypes, arity, read)
    return [(prototypes, read)]


def _tree_steady(x: Any, prototypes: Any, *, arity: int) -> Any:
    return _walk(x, prototypes, arity)


def _walk(x: Any, prototypes: Any, arity: int, read: Any = None) -> Any:
    """Go down in chunks of rows, and mark the prototypes that are read on the way."""
    depth = tree_depth(x, prototypes, arity)
    rows = max(1, _CHUNK // (arity * max(1, x.shape[1])))
    x, prototypes = np.ascontiguousarray(x), np.ascontiguousarray(prototypes)  # sums see one layout
    leaf = np.zeros(x.shape[0], dtype=np.int64)
    for start in range(0, len(x), rows):
        part = slice(start, start + rows)
        for first, records in _levels(prototypes, arity, depth):
            if read is not None:
                within = read[first : first + arity * len(records)].reshape(-1, arity)
                within[leaf[part]] = True
            leaf[part] = leaf[part] * arity + _nearest(x[part], records[leaf[part]])
    return leaf


def _levels(prototypes: Any, arity: int, depth: int) -> Iterator[tuple[int, Any]]:
    """Give every level's first row, and the records ``(nodes above, arity, d)`` of their children."""
    xp = prototypes.__array_namespace__()
    first = 0
    for level in range(depth):
        nodes = arity**level
        stop = first + arity * nodes
        yield first, xp.reshape(prototypes[first:stop, :], (nodes, arity, prototypes.shape[1]))
        first = stop


@primitive(
    cost=_tree_cost,
    elements=_tree_elements,
    touched=_tree_touched,
    steady=_tree_steady,
    price="v children in R^d, per level: 1 look-up (their record), v(3d - 1) for the distances, v - 1 "
    "comparisons and, after the first, 1 address operation",
    example="leaf = ops.nearest_in_tree(x, prototypes, arity=4)",
    source=CONVENTION,
    base=True,
)
def nearest_in_tree(x: Any, prototypes: Any, *, arity: int) -> Any:
    """Descend a complete tree of points, at every node to the nearest child (Kratsios et al. 2025).

    As a net of regions routes inputs to experts (A. Kratsios, H. Saez de Ocariz Borde, T. Furuya, M. Law,
    arXiv:2402.03460). The leaf is the nearest one of its siblings, not always of all.

    Parameters
    ----------
    x
        Array of integers or real numbers ``(n, d)``.
    prototypes
        Array of integers or real numbers ``(v + v**2 + ... + v**depth, d)`` in breadth-first order: the v
        children of the root, which itself has no point, then the v children of each of them, ...
    arity
        The number of children v of a node, at least 2.

    Returns
    -------
    array of int64, shape (n,)
        The leaf, in ``[0, v**depth)``, counted in the order of the last level; among children at one distance
        the first is taken.

    Raises
    ------
    TypeError
        If an array is boolean or complex.
    ValueError
        If the shapes do not fit, or the number of prototypes is not that of a complete tree.
    """
    depth = tree_depth(x, prototypes, arity)
    xp = x.__array_namespace__()
    address = xp.zeros(x.shape[:1], dtype=xp.int64)
    for _, records in _levels(prototypes, arity, depth):
        address = address * arity + _nearest(x, gather(address, records))
    return address
