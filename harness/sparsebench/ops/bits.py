"""From comparisons to addresses: the two doors by which real numbers become integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.ops.charges import Charge, bits_to_choose
from sparsebench.ops.primitive import primitive

__all__ = ["pack_bits", "quantize"]

_MOST_BITS = 62  # an int64 holds 63 bits beside its sign; one is kept so that address + 1 never overflows

_MOST_LEVELS = 2**53  # beyond it float64 does not tell integers apart


def _check_bits(*bits: Any) -> tuple[Charge, ...]:
    """Refuse what is not a set of bits; what is costs nothing."""
    if not 1 <= len(bits) <= _MOST_BITS:
        raise TypeError(f"pack_bits: expected 1 to {_MOST_BITS} boolean arrays, got {len(bits)}")
    wrong = [bit.dtype for bit in bits if bit.dtype != np.dtype(np.bool_)]
    if wrong:
        raise TypeError(f"pack_bits: expected boolean arrays, got {wrong[0]}")
    return ()


def _bit_elements(*bits: Any) -> int:
    return int(np.prod(np.broadcast_shapes(*(bit.shape for bit in bits)), dtype=np.int64))


@primitive(
    cost=_check_bits, elements=_bit_elements, price="0: the bits were paid for when they were made", base=True
)
def pack_bits(*bits: Any) -> Any:
    """Pack booleans into one integer address, the first one most significant.

    Parameters
    ----------
    *bits
        Boolean arrays of one common shape ``(...)``; 1 to 62 of them.

    Returns
    -------
    array of int64, shape (...)
        ``sum(bit[i] * 2**(k - 1 - i))``.

    Raises
    ------
    TypeError
        If there are no bits, more than 62, or an array that is not boolean.
    """
    _check_bits(*bits)
    address = np.zeros(np.broadcast_shapes(*(bit.shape for bit in bits)), dtype=np.int64)
    for bit in bits:
        address = address * 2 + bit
    return address


def _quantize_cost(x: Any, *, levels: int) -> tuple[Charge, ...]:
    if not 1 <= levels <= _MOST_LEVELS:
        raise ValueError(f"quantize: levels must be in [1, 2**53], got {levels}")
    return (Charge("cmp", x.dtype.name, x.size * bits_to_choose(levels)),)


def _quantize_elements(x: Any, *, levels: int) -> int:  # noqa: ARG001 - the signature of the primitive
    return int(x.size)


@primitive(
    cost=_quantize_cost, elements=_quantize_elements, price="⌈log2 levels⌉ comparisons per element", base=True
)
def quantize(x: Any, *, levels: int) -> Any:
    """Turn real numbers into integers: ``clip(floor(x), 0, levels - 1)``.

    Scale and shift ``x`` first (at the price of that); one comparison is charged per bit of the decision.

    Parameters
    ----------
    x
        Real array ``(...)``. NaN becomes 0.
    levels
        Number of outcomes, at least 1.

    Returns
    -------
    array of int64, shape (...)

    Raises
    ------
    ValueError
        If ``levels`` is below 1 or above 2**53, where float64 stops telling integers apart.
    """
    _quantize_cost(x, levels=levels)
    bounded = np.clip(np.nan_to_num(np.asarray(x, dtype=np.float64), nan=0.0), 0, levels - 1)
    return np.floor(bounded).astype(np.int64)
