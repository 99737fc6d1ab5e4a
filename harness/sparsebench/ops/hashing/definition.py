"""Locality-sensitive hashing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sparsebench.ops.charges import Charge, addressing, bits_to_choose, inner_product, name_of
from sparsebench.ops.core import steady
from sparsebench.ops.core.arguments import Whole, integer, number, optional, ordered
from sparsebench.ops.core.primitive import primitive
from sparsebench.ops.elementary.bits import MOST_LEVELS, pack_bits, quantize

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["hyperplane_hash", "pstable_hash"]


_MOST_PLANES = 62  # as many bits as ops.pack_bits packs
_MOST_ADDRESSES = 2**62  # as many as ops.pack_bits tells apart


def _check(call: Call) -> None:
    if not 1 <= call["k"] <= _MOST_PLANES:
        raise ValueError(f"hyperplane_hash: expected 1 to {_MOST_PLANES} planes, got {call['k']}")


def _cost(call: Call) -> tuple[Charge, ...]:
    common = call.promoted("x", "planes")
    compared = np.result_type(common, 0.0 if call.offsets is None else call.offsets.dtype)
    hashes, many = call["n"] * call["s"], call["k"]
    return (
        *inner_product(hashes * many, call["d"], common),
        Charge("cmp", compared.name, hashes * many),
        *addressing("int64", hashes, many),
    )


def _elements(call: Call) -> int:
    return call["n"] * call["s"] * call["k"]


def _steady(call: Call) -> Any:
    """Do what the reference does, with a product whose rows do not depend on one another."""
    return _address(steady.matmul(call.x, _flat(call.planes).T), call.planes, call.offsets)


def _flat(vectors: Any) -> Any:
    """Lay the vectors of all tables into the rows of one matrix."""
    xp = vectors.__array_namespace__()
    return xp.reshape(vectors, (math.prod(vectors.shape[:-1]), vectors.shape[-1]))


def _address(projected: Any, planes: Any, offsets: Any) -> Any:
    """Pack the sides on which projections ``(n, s * k)`` lie."""
    xp = projected.__array_namespace__()
    sides = xp.reshape(projected, (projected.shape[0], *planes.shape[:-1]))
    bits = sides > (0.0 if offsets is None else offsets)
    return pack_bits(*(bits[..., plane] for plane in range(planes.shape[-2])))


@primitive(
    cost=_cost,
    elements=_elements,
    steady=_steady,
    price="k planes in R^d: k(2d - 1) for the products, k comparisons, k - 1 address operations",
    example="bucket = ops.hyperplane_hash(x, planes)",
    check=_check,
)
def hyperplane_hash(
    x: Annotated[Any, ordered("n, d")],
    planes: Annotated[Any, ordered("[s,] k, d")],
    offsets: Annotated[Any, optional(ordered("[s,] k"))] = None,
) -> Annotated[Any, integer("n[, s]")]:
    """Hash rows by the sides of hyperplanes that they lie on (Charikar 2002; Baykal et al. 2022, section 3).

    Parameters
    ----------
    x
        Real array ``(n, d)``.
    planes
        Real array ``(k, d)`` for one table, or ``(s, k, d)`` for s tables; k is 1 to 62.
    offsets
        Real array ``(k,)`` or ``(s, k)``, or None for planes through the origin.

    Returns
    -------
    array of int64, shape (n,) or (n, s)
        Bit i (most significant first) is 1 where ``planes[i] @ x > offsets[i]``.

    Raises
    ------
    TypeError
        If the numbers are complex.
    ValueError
        If the shapes do not fit, or there are too many planes.
    """
    xp = x.__array_namespace__()
    return _address(xp.matmul(x, xp.matrix_transpose(_flat(planes))), planes, offsets)


def _check_cells(call: Call) -> None:
    levels, many = call.levels, call["k"]
    if not many:
        raise ValueError("pstable_hash: expected at least 1 direction, got 0")
    # Where k is large, two levels are too many, and a power that nobody needs would take long.
    if levels > 1 and (many > _MOST_PLANES or levels**many > _MOST_ADDRESSES):
        raise ValueError(
            f"pstable_hash: expected levels**k to be at most 2**62, got {levels} levels and k = {many}"
        )


def _cells_cost(call: Call) -> tuple[Charge, ...]:
    common, levels = call.promoted("x", "directions"), bits_to_choose(call.levels)
    shifted = name_of(np.result_type(common, call.offsets.dtype))
    hashes, many = call["n"] * call["s"], call["k"]
    cells, joined = hashes * many, hashes * (many - 1)
    return (
        *inner_product(cells, call["d"], common),
        Charge("add", shifted, cells),
        Charge("cmp", shifted, cells * levels),
        *addressing("int64", cells, levels),
        Charge("mul", "int64", joined),
        Charge("add", "int64", joined),
    )


def _cells_elements(call: Call) -> int:
    return 3 * call["n"] * call["s"] * call["k"]  # numbers, shifted numbers, cells


def _cells_steady(call: Call) -> Any:
    """Do what the reference does, with a product whose rows do not depend on one another."""
    projected = steady.matmul(call.x, _flat(call.directions).T)
    return _cell_address(projected, call.directions, call.offsets, call.levels)


def _cell_address(projected: Any, directions: Any, offsets: Any, levels: int) -> Any:
    """Read the cells of projections ``(n, s * k)`` as the digits of a number."""
    xp = projected.__array_namespace__()
    laid = xp.reshape(projected, (projected.shape[0], *directions.shape[:-1]))
    cells = quantize(laid + offsets, levels=levels)
    address = cells[..., 0]
    for place in range(1, directions.shape[-2]):
        address = address * levels + cells[..., place]
    return address


@primitive(
    cost=_cells_cost,
    elements=_cells_elements,
    steady=_cells_steady,
    price="k directions in R^d: k(2d - 1) for the products, k for the offsets, k times the price of "
    "ops.quantize, 2(k - 1) to join the cells",
    example="bucket = ops.pstable_hash(x, directions, offsets, levels=16)",
    check=_check_cells,
)
def pstable_hash(
    x: Annotated[Any, number("n, d")],
    directions: Annotated[Any, number("[s,] k, d")],
    offsets: Annotated[Any, number("[s,] k")],
    *,
    levels: Annotated[int, Whole(1, MOST_LEVELS)],
) -> Annotated[Any, integer("n[, s]")]:
    """Hash rows by the cells of equal width that their projections fall into (Datar et al. 2004).

    This is the Euclidean hash ``floor((a @ x + b) / w)`` of p-stable directions (M. Datar, N. Immorlica,
    P. Indyk, V. Mirrokni, *Locality-sensitive hashing scheme based on p-stable distributions*, SoCG 2004)
    with ``directions`` a / w and ``offsets`` b / w + levels / 2, and clipped to so many cells.

    Parameters
    ----------
    x
        Array of integers or real numbers ``(n, d)``.
    directions
        Array of integers or real numbers ``(k, d)`` for one table, or ``(s, k, d)`` for s tables; k is at
        least 1.
    offsets
        Array of integers or real numbers ``(k,)`` or ``(s, k)``.
    levels
        The number of cells along each direction; ``levels**k`` is at most ``2**62``.

    Returns
    -------
    array of int64, shape (n,) or (n, s)
        The number in ``[0, levels**k)`` whose digits to the base ``levels``, the first most significant, are
        ``clip(floor(directions[i] @ x + offsets[i]), 0, levels - 1)``. NaN falls into cell 0.

    Raises
    ------
    TypeError
        If an array is boolean or complex.
    ValueError
        If the shapes do not fit, or there are too many addresses, or no levels.
    """
    xp = x.__array_namespace__()
    return _cell_address(xp.matmul(x, xp.matrix_transpose(_flat(directions))), directions, offsets, levels)
