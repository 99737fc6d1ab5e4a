"""Locality-sensitive hashing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.bits import pack_bits
from sparsebench.ops.charges import Charge, inner_product
from sparsebench.ops.primitive import primitive

__all__ = ["hyperplane_hash"]


def _cost(x: Any, planes: Any, offsets: Any = None) -> tuple[Charge, ...]:
    common = np.result_type(x.dtype, planes.dtype)
    compared = common if offsets is None else np.result_type(common, offsets.dtype)
    signs = x.shape[0] * math.prod(planes.shape[:-1])
    return (*inner_product(signs, x.shape[1], common), Charge("cmp", compared.name, signs))


def _elements(x: Any, planes: Any, offsets: Any = None) -> int:  # noqa: ARG001 - the signature of the primitive
    return int(x.shape[0] * math.prod(planes.shape[:-1]))


@primitive(
    cost=_cost,
    elements=_elements,
    price="k planes in R^d: k(2d - 1) for the products, k comparisons",
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
    ValueError
        If the widths of ``x`` and ``planes`` differ.
    """
    if x.ndim != 2 or planes.ndim not in (2, 3) or x.shape[1] != planes.shape[-1]:  # noqa: PLR2004 - (n, d), (s, k, d)
        got = f"{tuple(x.shape)} and {tuple(planes.shape)}"
        raise ValueError(f"hyperplane_hash: expected x (n, d) and planes ([s,] k, d), got {got}")
    xp = x.__array_namespace__()
    flat = xp.reshape(planes, (-1, planes.shape[-1]))
    projected = xp.reshape(xp.matmul(x, xp.matrix_transpose(flat)), (x.shape[0], *planes.shape[:-1]))
    signs = projected > (0.0 if offsets is None else offsets)
    return pack_bits(*(signs[..., plane] for plane in range(planes.shape[-2])))
