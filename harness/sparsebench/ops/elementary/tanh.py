"""K-TanH: the hyperbolic tangent by comparisons, shifts and a table of 32 records (Kundu et al. 2019)."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.ops.charges import Charge, addressing, bits_to_choose, name_of
from sparsebench.ops.core.checks import REAL, check_dtypes
from sparsebench.ops.core.primitive import primitive
from sparsebench.ops.elementary.bits import pack_bits, quantize
from sparsebench.ops.lookup.definition import gather

__all__ = ["K_TANH_TABLE", "LEAST", "MOST", "check_k_tanh", "k_tanh"]

LEAST, MOST = 0.25, 3.75
"""Below the one a number stands for its own tangent; above the other the tangent is 1."""

K_TANH_TABLE: tuple[tuple[int, int, int], ...] = (
    *((126, 2, 119), (126, 4, 122), (126, 4, 123), (126, 4, 123)),
    *((126, 6, 126), (126, 6, 126), (126, 6, 126), (126, 6, 126)),
    *((125, 1, 1), (125, 0, -4), (125, 0, -6), (125, 0, -7)),
    *((125, 0, -10), (125, 0, -12), (125, 0, -15), (125, 0, -18)),
    *((125, 0, 112), (126, 1, -4), (126, 1, -1), (126, 1, 2)),
    *((126, 1, 3), (126, 1, 4), (126, 1, 4), (126, 1, 4)),
    *((126, 0, 65), (126, 1, 72), (126, 1, 73), (126, 1, 73)),
    *((126, 2, 88), (126, 2, 89), (126, 2, 89), (126, 4, 110)),
)
"""Records (exponent, shift, offset) of the result, in the paper's order: by the two lowest bits of the
exponent of a bfloat16 number, then the three highest of its mantissa. Exponents are biased by 127."""

_LEVELS = 128  # a mantissa of bfloat16 has seven bits
_BIAS = 127
_KEPT = 4  # bits of the mantissa that do not choose the record

# By octave from [1/4, 1/2) up to [2, 4): its first record, and what makes mantissas of its numbers.
_FIRST = (8, 16, 24, 0)
_SCALE = (512, 256, 128, 64)


def check_k_tanh(x: Any) -> None:
    """Refuse what is not real."""
    check_dtypes("k_tanh", REAL, "real numbers (xp.astype makes them of integers)", x)


def _cost(x: Any) -> tuple[Charge, ...]:
    check_k_tanh(x)
    dtype, size = name_of(x.dtype), int(x.size)
    return (
        Charge("cmp", dtype, size * (6 + bits_to_choose(_LEVELS))),
        Charge("select", dtype, 4 * size),
        *addressing("int64", size, 2),
        *addressing("int64", size, bits_to_choose(_LEVELS)),
        Charge("mul", dtype, 2 * size),
        Charge("add", dtype, 2 * size),
        Charge("add", "int64", 2 * size),
        Charge("logic", "int64", 2 * size),
        Charge("lookup", "int64", 2 * size),
        Charge("load", "int64", 3 * size),
        Charge("load", dtype, 2 * size),
    )


def _elements(x: Any) -> int:
    return 9 * int(x.size)  # what is held on the way


@np.errstate(all="ignore")
def _steady(x: Any) -> Any:
    return k_tanh.reference(x)


@primitive(
    cost=_cost,
    elements=_elements,
    steady=_steady,
    price="per element: 13 comparisons (7 for the mantissa), 4 selections, 2 multiplications, 2 additions; 7 "
    "address operations and 2 look-ups (by octave, by record); 2 additions and 2 shifts of integers",
    example="h = ops.k_tanh(x @ w)",
)
def k_tanh(x: Any) -> Any:
    """Approximate the hyperbolic tangent as K-TanH does on bfloat16 numbers (Kundu et al. 2019).

    Below 1/4 a number is left as it is, and above 15/4 it becomes 1. Between them its mantissa M is truncated
    to the seven bits of bfloat16; two bits of the exponent and three of the mantissa choose one of 32 records
    (E, r, b), and the result has the exponent E and the mantissa ``(M >> r) + b``. The same is done to
    negative numbers, without their sign. On bfloat16 numbers no result is off by more than 0.00893.

    Parameters
    ----------
    x
        Real array of any shape.

    Returns
    -------
    real array of the shape and the dtype of ``x``
        Where 1/4 <= abs(x) these are bfloat16 numbers. NaN stays NaN.

    Raises
    ------
    TypeError
        If ``x`` is not real.
    """
    check_k_tanh(x)
    xp = x.__array_namespace__()
    size = xp.abs(x)
    high = size >= 1.0
    upper = size >= xp.where(high, xp.full_like(x, 2.0), xp.full_like(x, 0.5))
    scales, firsts = xp.asarray(_SCALE, dtype=x.dtype), xp.asarray(_FIRST, dtype=xp.int64)
    scale, first = gather(pack_bits(high, upper), scales, firsts)
    mantissa = quantize(size * scale - float(_LEVELS), levels=_LEVELS)
    address = first + (mantissa >> _KEPT)
    shift, offset, unit = gather(address, *_tables(xp, x.dtype))
    tangent = xp.astype((mantissa >> shift) + offset, x.dtype) * unit
    tangent = xp.where(size > MOST, xp.ones_like(x), tangent)
    return xp.where(size >= LEAST, xp.where(x < 0.0, -tangent, tangent), x)


def _tables(xp: Any, dtype: Any) -> tuple[Any, Any, Any]:
    """Give shifts, offsets and what one unit of a mantissa with its leading bit is worth."""
    exponents, shifts, offsets = zip(*K_TANH_TABLE, strict=True)
    units = [2.0 ** (exponent - _BIAS) / _LEVELS for exponent in exponents]
    offsets = tuple(offset + _LEVELS for offset in offsets)
    return (
        xp.asarray(shifts, dtype=xp.int64),
        xp.asarray(offsets, dtype=xp.int64),
        xp.asarray(units, dtype=dtype),
    )
