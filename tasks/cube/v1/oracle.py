"""The cheapest exact formula that is known for each target, in array API code that the meter can price.

Bits are -1 and 1 as they come, so no formula spends an operation on turning them into something else: the
product of bits is their parity, the least of them their conjunction, and of two bits a comparison makes
either. Taking out columns at places that the target knows is wiring, which is free.
"""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING, Any

from targets import Address, Junta, Parity, Terms

from sparsebench import ops

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from targets import Target


def parameters(function: Target) -> dict[str, NDArray[np.int64]]:
    """Give the arrays that an oracle looks things up in: the table of a junta, else none."""
    return {"table": function.table} if isinstance(function, Junta) else {}


def answers(function: Target, params: dict[str, Any], x: Any) -> Any:
    """Tell the class of every input; x ``(n, d)`` → ``(n,)`` int64, and exactly `operations` for each."""
    xp = x.__array_namespace__()
    match function:
        case Parity():
            return xp.astype(_odd(x, function.places.tolist()), xp.int64)
        case Address():
            return xp.astype(_address(xp, x, function), xp.int64)
        case Terms():
            return xp.astype(_terms(xp, x, function), xp.int64)
        case Junta():
            bits = [x[:, place] > 0.0 for place in function.places.tolist()]
            return ops.gather(ops.pack_bits(*bits), params["table"])
    raise TypeError(function)


def operations(function: Target) -> int:
    """Return what `answers` costs for an input, by the profile ``ops``."""
    match function:
        case Parity():
            return len(function.places) - 1
        case Address():
            return 2 + 1 + function.places.shape[1] + (function.places.shape[1] - 1)
        case Terms():
            terms, k = function.places.shape
            return terms * (k - 1) + (terms - 1)
        case Junta():
            return len(function.places) + (len(function.places) - 1) + 1
    raise TypeError(function)


def _odd(x: Any, places: list[int]) -> Any:
    """Tell whether a product of k columns is -1: k - 2 multiplications, and a comparison with the last."""
    *first, last = (x[:, place] for place in places)
    return functools.reduce(operator.mul, first) != last


def _address(xp: Any, x: Any, function: Address) -> Any:
    """Tell the parity of the k columns that an address leads to.

    2 comparisons and 1 address operation make the address; k look-ups move the columns, which wiring has
    put side by side; and `_odd` takes k - 1.
    """
    rows, (domains, k) = x.shape[0], function.places.shape
    address = ops.pack_bits(*(x[:, place] > 0.0 for place in function.address.tolist()))
    aside = xp.stack([x[:, place] for place in function.places.ravel().tolist()], axis=1)
    index = xp.broadcast_to(xp.reshape(address, (rows, 1, 1)), (rows, 1, k))
    chosen = xp.take_along_axis(xp.reshape(aside, (rows, domains, k)), index, axis=1)
    return _odd(chosen[:, 0, :], list(range(k)))


def _terms(xp: Any, x: Any, function: Terms) -> Any:
    """Tell whether a term is satisfied: k - 1 operations for each of t terms, and t - 1 to join them.

    A term is satisfied where the least of the columns that have to be 1 exceeds the greatest of those that
    have to be -1.
    """
    each = []
    for places, values in zip(function.places.tolist(), function.values.tolist(), strict=True):
        high, low = (
            [x[:, place] for place, value in zip(places, values, strict=True) if value == wanted]
            for wanted in (1, 0)
        )
        each.append(functools.reduce(xp.minimum, high) > functools.reduce(xp.maximum, low))
    return functools.reduce(xp.logical_or, each)
