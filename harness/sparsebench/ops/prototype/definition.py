"""Nearest prototype."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sparsebench.ops.charges import Charge, addressing, lookups
from sparsebench.ops.core.arguments import Length, Whole, booleans, integer, number, ordered
from sparsebench.ops.core.primitive import CONVENTION, primitive
from sparsebench.ops.lookup.definition import gather

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparsebench.ops.core.call import Call

__all__ = ["nearest_in_tree", "nearest_prototype"]

_CHUNK = 1 << 20  # elements of the difference array held at once by the CPU implementation
_BOOLEAN = booleans()


def _check(call: Call) -> None:
    if _BOOLEAN.takes(call.x) and _BOOLEAN.takes(call.prototypes):
        raise TypeError(
            "nearest_prototype: expected numbers, got booleans twice; xp.astype makes numbers of one"
        )
    if not call["N"]:
        raise ValueError("nearest_prototype: expected at least 1 prototype, got 0")


def _cost(call: Call) -> tuple[Charge, ...]:
    return _distance_charges(call["n"], call["N"], call["d"], call.promoted("x", "prototypes"))


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


def _elements(call: Call) -> int:
    return call["n"]


def _steady(call: Call) -> Any:
    """Go through the reference in chunks of rows: n times N times d numbers are never held at once."""
    rows = max(1, _CHUNK // (call["N"] * max(1, call["d"])))
    x, prototypes = np.ascontiguousarray(call.x), np.ascontiguousarray(call.prototypes)  # sums see one layout
    nearest = np.empty(call["n"], dtype=np.int64)
    for start in range(0, call["n"], rows):
        nearest[start : start + rows] = _nearest(x[start : start + rows], prototypes[None, :, :])
    return nearest


@primitive(
    cost=_cost,
    elements=_elements,
    steady=_steady,
    price="N prototypes in R^d: N(3d - 1) for the distances, N - 1 comparisons",
    example="index = ops.nearest_prototype(x, prototypes)",
    check=_check,
)
def nearest_prototype(
    x: Annotated[Any, ordered("n, d")], prototypes: Annotated[Any, ordered("N, d")]
) -> Annotated[Any, integer("n")]:
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
    return _nearest(x, prototypes[None, :, :])


def _nearest(x: Any, points: Any) -> Any:
    """Return the place of the nearest of some points ``(1 or n, many, d)``, for every row."""
    xp = x.__array_namespace__()
    difference = x[:, None, :] - points
    return xp.argmin(xp.sum(difference * difference, axis=-1), axis=-1)


def _points(arity: int, depth: int) -> int:
    """Count the points of a complete tree; its root has none."""
    return sum(arity**level for level in range(1, depth + 1))


def _depth(prototypes: Any, arity: int) -> int:
    """Return the depth of a complete tree."""
    depth = 0
    while _points(arity, depth) < prototypes.shape[0]:
        depth += 1
    return depth


def _tree_cost(call: Call) -> tuple[Charge, ...]:
    steps, d = call["n"] * call["depth"], call["d"]
    return (
        *lookups("int64", steps, [(call.prototypes, call.arity * d)]),
        *_distance_charges(steps, call.arity, d, call.promoted("x", "prototypes")),
        *addressing("int64", call["n"], call["depth"]),
    )


def _tree_elements(call: Call) -> int:
    return call["n"]


def _tree_read(call: Call) -> list[tuple[Any, Any]]:
    read = np.zeros(call["points"], dtype=np.bool_)
    _walk(call, read)
    return [(call.prototypes, read)]


def _tree_steady(call: Call) -> Any:
    return _walk(call)


def _walk(call: Call, read: Any = None) -> Any:
    """Go down in chunks of rows, and mark the prototypes that are read on the way."""
    arity, depth = call.arity, call["depth"]
    rows = max(1, _CHUNK // (arity * max(1, call["d"])))
    x, prototypes = np.ascontiguousarray(call.x), np.ascontiguousarray(call.prototypes)  # sums see one layout
    leaf = np.zeros(call["n"], dtype=np.int64)
    for start in range(0, len(x), rows):
        part = slice(start, start + rows)
        for first, records in _levels(prototypes, arity, depth):
            if read is not None:
                within = read[first : first + arity * len(records)].reshape(-1, arity)
                within[leaf[part]] = True
            leaf[part] = leaf[part] * arity + _nearest(x[part], records[leaf[part]])
    return leaf


def _levels(prototypes: Any, arity: int, depth: int) -> Iterator[tuple[int, Any]]:
    """Yield every level's first row, and the records ``(nodes above, arity, d)`` of their children."""
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
    read=_tree_read,
    steady=_tree_steady,
    price="v children in R^d, per level: 1 look-up (their record), v(3d - 1) for the distances, v - 1 "
    "comparisons and, after the first, 1 address operation",
    example="leaf = ops.nearest_in_tree(x, prototypes, arity=4)",
    source=CONVENTION,
    base=True,
    lengths={"points": Length("arity + arity**2 + ... + arity**depth", _points)},
)
def nearest_in_tree(
    x: Annotated[Any, number("n, d")],
    prototypes: Annotated[Any, number("points, d")],
    *,
    arity: Annotated[int, Whole(2)],
) -> Annotated[Any, integer("n")]:
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
    xp = x.__array_namespace__()
    address = xp.zeros(x.shape[:1], dtype=xp.int64)
    for _, records in _levels(prototypes, arity, _depth(prototypes, arity)):
        address = address * arity + _nearest(x, gather(address, records))
    return address
