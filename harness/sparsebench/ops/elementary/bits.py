"""From comparisons to addresses: the two doors by which real numbers become integers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sparsebench.ops.charges import Charge, addressing, bits_to_choose
from sparsebench.ops.core.arguments import Whole, booleans, integer, ordered
from sparsebench.ops.core.primitive import CONVENTION, primitive

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["MOST_LEVELS", "pack_bits", "quantize"]

_MOST_BITS = 62  # an int64 holds 63 bits beside its sign; one is kept so that address + 1 never overflows

MOST_LEVELS = 2**53  # beyond it float64 does not tell integers apart


def _check_bits(call: Call) -> None:
    if not 1 <= len(call.bits) <= _MOST_BITS:
        raise TypeError(f"pack_bits: expected 1 to {_MOST_BITS} boolean arrays, got {len(call.bits)}")


def _pack_cost(call: Call) -> tuple[Charge, ...]:
    """Charge every bit after the first, constants too: what they would shift is carried as well."""
    return addressing("int64", _bit_elements(call), len(call.bits))


def _bit_elements(call: Call) -> int:
    return int(np.prod(_common_shape(call), dtype=np.int64))


def _common_shape(call: Call) -> tuple[int, ...]:
    return np.broadcast_shapes(*(bit.shape for bit in call.bits))


def _pack(call: Call) -> Any:
    address = np.zeros(_common_shape(call), dtype=np.int64)
    for bit in call.bits:
        address = address * 2 + bit
    return address


@primitive(
    cost=_pack_cost,
    elements=_bit_elements,
    steady=_pack,
    check=_check_bits,
    price="k bits: k - 1 address operations",
    example="address = ops.pack_bits(x > 0.0, y > 0.0)",
    source=CONVENTION,
    base=True,
)
def pack_bits(*bits: Annotated[Any, booleans()]) -> Annotated[Any, integer()]:
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
    xp = bits[0].__array_namespace__()
    address = xp.astype(bits[0], xp.int64)
    for bit in bits[1:]:
        address = address * 2 + xp.astype(bit, xp.int64)
    return address


def _quantize_cost(call: Call) -> tuple[Charge, ...]:
    size, bits = call["..."], bits_to_choose(call.levels)
    return (Charge("cmp", call.x.dtype.name, size * bits), *addressing("int64", size, bits))


def _quantize_elements(call: Call) -> int:
    return call["..."]


def _floor(call: Call) -> Any:
    wide = np.asarray(call.x, dtype=np.float64)
    bounded = np.clip(np.nan_to_num(wide, nan=0.0), 0, call.levels - 1)
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
def quantize(
    x: Annotated[Any, ordered("...")], *, levels: Annotated[int, Whole(1, MOST_LEVELS)]
) -> Annotated[Any, integer("...")]:
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
    xp = x.__array_namespace__()
    wide = xp.astype(x, xp.float64)
    known = xp.where(xp.isnan(wide), xp.zeros_like(wide), wide)
    return xp.astype(xp.floor(xp.clip(known, 0, levels - 1)), xp.int64)
