"""K-TanH: the hyperbolic tangent by comparisons, shifts and a table of 32 records (Kundu et al. 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sparsebench.ops.charges import Charge, addressing, bits_to_choose, name_of
from sparsebench.ops.core.arguments import real
from sparsebench.ops.core.primitive import primitive
from sparsebench.ops.core.tangents import K_TANH_TABLE
from sparsebench.ops.elementary.bits import pack_bits, quantize
from sparsebench.ops.lookup.definition import gather

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["LEAST", "MOST", "k_tanh"]

LEAST, MOST = 0.25, 3.75
"""Below the one a number stands for its own tangent; above the other the tangent is 1."""

_LEVELS = 128  # a mantissa of bfloat16 has seven bits
_BIAS = 127
_KEPT = 4  # bits of the mantissa that do not choose the record

# By octave from [1/4, 1/2) up to [2, 4): its first record, and what makes mantissas of its numbers.
_FIRST = (8, 16, 24, 0)
_SCALE = (512, 256, 128, 64)


def _cost(call: Call) -> tuple[Charge, ...]:
    dtype, size = name_of(call.x.dtype), call["..."]
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


def _elements(call: Call) -> int:
    return 9 * call["..."]  # what is held on the way


@np.errstate(all="ignore")
def _steady(call: Call) -> Any:
    return k_tanh.definition(call.x)


@primitive(
    cost=_cost,
    elements=_elements,
    steady=_steady,
    price="per element: 13 comparisons (7 for the mantissa), 4 selections, 2 multiplications, 2 additions; 7 "
    "address operations and 2 look-ups (by octave, by record); 2 additions and 2 shifts of integers",
    example="h = ops.k_tanh(x @ w)",
)
def k_tanh(x: Annotated[Any, real("...")]) -> Annotated[Any, real("...")]:
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
    """Return shifts, offsets and what one unit of a mantissa with its leading bit is worth."""
    exponents, shifts, offsets = zip(*K_TANH_TABLE, strict=True)
    units = [2.0 ** (exponent - _BIAS) / _LEVELS for exponent in exponents]
    offsets = tuple(offset + _LEVELS for offset in offsets)
    return (
        xp.asarray(shifts, dtype=xp.int64),
        xp.asarray(offsets, dtype=xp.int64),
        xp.asarray(units, dtype=dtype),
    )
