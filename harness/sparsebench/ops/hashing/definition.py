"""Locality-sensitive hashing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.charges import Charge, addressing, bits_to_choose, inner_product, name_of
from sparsebench.ops.core import steady
from sparsebench.ops.core.checks import NOT_COMPLEX, NUMBER, check_dtypes
from sparsebench.ops.core.primitive import primitive
from sparsebench.ops.elementary.bits import MOST_LEVELS, pack_bits, quantize

__all__ = ["check_directions", "check_planes", "hyperplane_hash", "pstable_hash"]


_MOST_PLANES = 62  # as many bits as ops.pack_bits packs
_MOST_ADDRESSES = 2**62  # as many as ops.pack_bits tells apart


def check_planes(x: Any, planes: Any, offsets: Any) -> None:
    """Refuse what :func:`hyperplane_hash` does not take.

    Raises
    ------
    TypeError, ValueError
        As that tells.
    """
    given = (x, planes) if offsets is None else (x, planes, offsets)
    check_dtypes("hyperplane_hash", NOT_COMPLEX, "real numbers", *given)
    fits = x.ndim == 2 and planes.ndim in (2, 3) and x.shape[1] == planes.shape[-1]  # noqa: PLR2004 - (n, d), ([s,] k, d)
    if not fits or (offsets is not None and offsets.shape != planes.shape[:-1]):
        got = [None if part is None else tuple(part.shape) for part in (x, planes, offsets)]
        raise ValueError(
            f"hyperplane_hash: expected x (n, d), planes ([s,] k, d) and offsets ([s,] k), got {got}"
        )
    if not 1 <= planes.shape[-2] <= _MOST_PLANES:
        raise ValueError(f"hyperplane_hash: expected 1 to {_MOST_PLANES} planes, got {planes.shape[-2]}")


def _cost(x: Any, planes: Any, offsets: Any = None) -> tuple[Charge, ...]:
    check_planes(x, planes, offsets)
    common = np.result_type(x.dtype, planes.dtype)
    compared = np.result_type(common, 0.0 if offsets is None else offsets.dtype)
    hashes, many = x.shape[0] * math.prod(planes.shape[:-2]), planes.shape[-2]
    return (
        *inner_product(hashes * many, x.shape[1], common),
        Charge("cmp", compared.name, hashes * many),
        *addressing("int64", hashes, many),
    )


def _elements(x: Any, planes: Any, offsets: Any = None) -> int:  # noqa: ARG001 - the signature of the primitive
    return int(x.shape[0] * math.prod(planes.shape[:-1]))


def _steady(x: Any, planes: Any, offsets: Any = None) -> Any:
    """Do what the reference does, with a product whose rows do not depend on one another."""
    check_planes(x, planes, offsets)
    return _address(steady.matmul(x, _flat(planes).T), planes, offsets)


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
)
def hyperplane_hash(x: Any, planes: Any, offsets: Any = None) -> Any:
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
    check_planes(x, planes, offsets)
    xp = x.__array_namespace__()
    return _address(xp.matmul(x, xp.matrix_transpose(_flat(planes))), planes, offsets)


def check_directions(x: Any, directions: Any, offsets: Any, levels: int) -> None:
    """Refuse what :func:`pstable_hash` does not take.

    Raises
    ------
    TypeError, ValueError
        As that tells.
    """
    check_dtypes("pstable_hash", NUMBER, "numbers that are not complex", x, directions, offsets)
    fits = x.ndim == 2 and directions.ndim in (2, 3) and x.shape[1] == directions.shape[-1]  # noqa: PLR2004 - (n, d), ([s,] k, d)
    if not fits or offsets.shape != directions.shape[:-1] or not directions.shape[-2]:
        got = [tuple(part.shape) for part in (x, directions, offsets)]
        raise ValueError(
            "pstable_hash: expected x (n, d), directions ([s,] k, d) with k at least 1 and offsets ([s,] k), "
            f"got {got}"
        )
    if not 1 <= levels <= MOST_LEVELS:
        raise ValueError(f"pstable_hash: levels must be in [1, 2**53], got {levels}")
    many = int(directions.shape[-2])
    # Where k is large, two levels are too many, and a power that nobody needs would take long.
    if levels > 1 and (many > _MOST_PLANES or levels**many > _MOST_ADDRESSES):
        raise ValueError(
            f"pstable_hash: expected levels**k to be at most 2**62, got {levels} levels and k = {many}"
        )


def _cells_cost(x: Any, directions: Any, offsets: Any, *, levels: int) -> tuple[Charge, ...]:
    check_directions(x, directions, offsets, levels)
    common = np.result_type(x.dtype, directions.dtype)
    shifted = name_of(np.result_type(common, offsets.dtype))
    cells = x.shape[0] * math.prod(directions.shape[:-1])
    joined = x.shape[0] * math.prod(directions.shape[:-2]) * (directions.shape[-2] - 1)
    return (
        *inner_product(cells, x.shape[1], common),
        Charge("add", shifted, cells),
        Charge("cmp", shifted, cells * bits_to_choose(levels)),
        *addressing("int64", cells, bits_to_choose(levels)),
        Charge("mul", "int64", joined),
        Charge("add", "int64", joined),
    )


def _cells_elements(x: Any, directions: Any, offsets: Any, *, levels: int) -> int:  # noqa: ARG001
    return 3 * int(x.shape[0] * math.prod(directions.shape[:-1]))  # numbers, shifted numbers, cells


def _cells_steady(x: Any, directions: Any, offsets: Any, *, levels: int) -> Any:
    """Do what the reference does, with a product whose rows do not depend on one another."""
    check_directions(x, directions, offsets, levels)
    return _cell_address(steady.matmul(x, _flat(directions).T), directions, offsets, levels)


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
)
def pstable_hash(x: Any, directions: Any, offsets: Any, *, levels: int) -> Any:
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
    check_directions(x, directions, offsets, levels)
    xp = x.__array_namespace__()
    return _cell_address(xp.matmul(x, xp.matrix_transpose(_flat(directions))), directions, offsets, levels)
