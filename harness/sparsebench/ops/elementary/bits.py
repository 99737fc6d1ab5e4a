"""From comparisons to addresses: the two doors by which real numbers become integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.ops.charges import Charge, addressing, bits_to_choose
from sparsebench.ops.core.checks import NOT_COMPLEX, check_dtypes
from sparsebench.ops.core.primitive import CONVENTION, primitive

__all__ = ["MOST_LEVELS", "pack_bits", "quantize"]

_MOST_BITS = 62  # an int64 holds 63 bits beside its sign; one is kept so that address + 1 never overflows

MOST_LEVELS = 2**53  # beyond it float64 does not tell integers apart


def _check_bits(*bits: Any) -> None:
    """Refuse what is not a set of bits."""
    if not 1 <= len(bits) <= _MOST_BITS:
        raise TypeError(f"pack_bits: expected 1 to {_MOST_BITS} boolean arrays, got {len(bits)}")
    check_dtypes("pack_bits", ("bool",), "boolean arrays", *bits)


def _pack_cost(*bits: Any) -> tuple[Charge, ...]:
    """Charge every bit after the first, constants too: what they would shift is carried as well."""
    _check_bits(*bits)
    return addressing("int64", _bit_elements(*bits), len(bits))


def _bit_elements(*bits: Any) -> int:
    return int(np.prod(np.broadcast_shapes(*(bit.shape for bit in bits)), dtype=np.int64))


def _pack(*bits: Any) -> Any:
    _check_bits(*bits)
    address = np.zeros(np.broadcast_shapes(*(bit.shape for bit in bits)), dtype=np.int64)
    for bit in bits:
        address = address * 2 + bit
    return address


@primitive(
    cost=_pack_cost,
    elements=_bit_elements,
    steady=_pack,
    price="k bits: k - 1 address operations",
    example="address = ops.pack_bits(x > 0.0, y > 0.0)",
    source=CONVENTION,
    base=True,
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
    xp = bits[0].__array_namespace__()
    address = xp.astype(bits[0], xp.int64)
    for bit in bits[1:]:
        address = address * 2 + xp.astype(bit, xp.int64)
    return address


def _check_quantize(x: Any, levels: int) -> None:
    if not 1 <= levels <= MOST_LEVELS:
        raise ValueError(f"quantize: levels must be in [1, 2**53], got {levels}")
    check_dtypes("quantize", NOT_COMPLEX, "numbers that are not complex", x)


def _quantize_cost(x: Any, *, levels: int) -> tuple[Charge, ...]:
    _check_quantize(x, levels)
    size, bits = int(x.size), bits_to_choose(levels)
    return (Charge("cmp", x.dtype.name, size * bits), *addressing("int64", size, bits))


def _quantize_elements(x: Any, *, levels: int) -> int:  # noqa: ARG001 - the signature of the primitive
    return int(x.size)


def _floor(x: Any, *, levels: int) -> Any:
    _check_quantize(x, levels)
    bounded = np.clip(np.nan_to_num(np.asarray(x, dtype=np.float64), nan=0.0), 0, levels - 1)
    return np.floor(bounded).astype(np.int64)


@primitive(
    cost=_quantize_cost,
    elements=_quantize_elements,
    steady=_floor,
    price="per element b = ⌈log2 levels⌉ comparisons, and b - 1 address operations",
    example="cell = ops.quantize(16.0 * x, levels=16)",
    source=CONVENTION,
    base=True,
)
def quantize(x: Any, *, levels: int) -> Any:
    """Turn real numbers into integers: ``clip(floor(x), 0, levels - 1)``.

    Scale and shift ``x`` first (at the price of that). Every bit of the decision is charged a comparison, and
    every one after the first an address operation, which carries it into the integer.

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
    TypeError
        If ``x`` is complex.
    ValueError
        If ``levels`` is below 1 or above 2**53, where float64 stops telling integers apart.
    """
    _check_quantize(x, levels)
    xp = x.__array_namespace__()
    wide = xp.astype(x, xp.float64)
    known = xp.where(xp.isnan(wide), xp.zeros_like(wide), wide)
    return xp.astype(xp.floor(xp.clip(known, 0, levels - 1)), xp.int64)
