"""Tree descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.bits import pack_bits
from sparsebench.ops.charges import Charge
from sparsebench.ops.checks import NOT_COMPLEX, check_dtypes
from sparsebench.ops.lookup import gather
from sparsebench.ops.primitive import primitive

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["tree_route"]


def _depth(key: Any, thresholds: Any) -> int:
    check_dtypes("tree_route", NOT_COMPLEX, "real numbers", key, thresholds)
    nodes = int(thresholds.shape[0])
    depth = (nodes + 1).bit_length() - 1
    if thresholds.ndim != 1 or nodes != 2**depth - 1:
        shape = tuple(thresholds.shape)
        raise ValueError(f"tree_route: expected thresholds of shape (2**depth - 1,), got {shape}")
    return depth


def _cost(key: Any, thresholds: Any) -> tuple[Charge, ...]:
    levels = key.size * _depth(key, thresholds)
    common = np.result_type(key.dtype, thresholds.dtype).name
    return (
        Charge("lookup", "int64", levels),
        Charge("load", thresholds.dtype.name, levels),
        Charge("cmp", common, levels),
    )


def _elements(key: Any, thresholds: Any) -> int:  # noqa: ARG001 - the signature of the primitive
    return int(key.size)


def _descend(key: Any, thresholds: Any) -> Iterator[Any]:
    """Walk all rows down: give every row's node at every level, and its leaf last, each in the same array."""
    node = np.zeros(key.shape, dtype=np.int64)
    for _ in range(_depth(key, thresholds)):
        yield node
        right = key > thresholds[node]
        node *= 2
        node += 1
        node += right
    yield node


def _steady(key: Any, thresholds: Any) -> Any:
    *_, leaf = _descend(key, thresholds)
    return leaf - thresholds.shape[0]


def _touched(key: Any, thresholds: Any) -> list[tuple[Any, Any]]:
    read = np.zeros(2 * thresholds.shape[0] + 1, dtype=np.bool_)
    for node in _descend(key, thresholds):
        read[node] = True
    return [(thresholds, read[: thresholds.shape[0]])]


@primitive(
    cost=_cost,
    elements=_elements,
    touched=_touched,
    steady=_steady,
    price="1 look-up (a node's record) and 1 comparison per level",
    example="leaf = ops.tree_route(key, thresholds)",
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
    for level in range(_depth(key, thresholds)):
        first = 2**level - 1
        node = gather(address, thresholds[first : 2 * first + 1])
        bits.append(key > node)
        address = pack_bits(*bits)
    return address
