"""Locality-sensitive hashing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops import steady
from sparsebench.ops.bits import pack_bits
from sparsebench.ops.charges import Charge, inner_product
from sparsebench.ops.checks import NOT_COMPLEX, check_dtypes
from sparsebench.ops.primitive import primitive

__all__ = ["hyperplane_hash"]


_MOST_PLANES = 62  # as many bits as ops.pack_bits packs


def _check(x: Any, planes: Any, offsets: Any) -> None:
    """Say which shape or dtype does not fit."""
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
    _check(x, planes, offsets)
    common = np.result_type(x.dtype, planes.dtype)
    compared = np.result_type(common, 0.0 if offsets is None else offsets.dtype)
    signs = x.shape[0] * math.prod(planes.shape[:-1])
    return (*inner_product(signs, x.shape[1], common), Charge("cmp", compared.name, signs))


def _elements(x: Any, planes: Any, offsets: Any = None) -> int:  # noqa: ARG001 - the signature of the primitive
    return int(x.shape[0] * math.prod(planes.shape[:-1]))


def _steady(x: Any, planes: Any, offsets: Any = None) -> Any:
    """Do what the reference does, with a product whose rows do not depend on one another."""
    _check(x, planes, offsets)
    return _address(
        steady.matmul(x, planes.reshape(math.prod(planes.shape[:-1]), planes.shape[-1]).T), planes, offsets
    )


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
    price="k planes in R^d: k(2d - 1) for the products, k comparisons",
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
    _check(x, planes, offsets)
    xp = x.__array_namespace__()
    flat = xp.reshape(planes, (math.prod(planes.shape[:-1]), planes.shape[-1]))
    return _address(xp.matmul(x, xp.matrix_transpose(flat)), planes, offsets)
