"""Selection of the largest."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sparsebench.ops.charges import Charge, bits_to_choose
from sparsebench.ops.core.arguments import Whole, integer, ordered
from sparsebench.ops.core.primitive import CONVENTION, primitive

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.ops.core.call import Call

__all__ = ["top_k"]


def _cost(call: Call) -> tuple[Charge, ...]:
    rows, width = call["..."], call["m"]
    comparisons = width - 1 + (call.k - 1) * bits_to_choose(width)
    return (Charge("cmp", call.x.dtype.name, rows * comparisons),)


def _elements(call: Call) -> int:
    return 2 * call["..."] * call["k"]


def _descending(xp: Any, argsort: Callable[..., Any], x: Any) -> Any:
    """Order from the largest to the least; the first comes first among equals, and nothing is negated."""
    return x.shape[-1] - 1 - xp.flip(argsort(xp.flip(x, axis=-1), axis=-1), axis=-1)


def _steady(call: Call) -> Any:
    x, k = call.x, call.k
    argsort = functools.partial(np.argsort, kind="stable")
    order = argsort(-x, axis=-1) if x.dtype.kind == "f" else _descending(np, argsort, x)
    indices = order[..., :k].astype(np.int64)
    return np.take_along_axis(x, indices, axis=-1), indices


def _order(xp: Any, x: Any) -> Any:
    """Order as the CPU implementation does, by sorts that the standard says are stable.

    Where it leaves NaN to the library, it is sorted to the end first and then takes part as the least number.
    """
    if not xp.isdtype(x.dtype, "real floating"):
        return _descending(xp, xp.argsort, xp.astype(x, xp.uint8) if xp.isdtype(x.dtype, "bool") else x)
    last = xp.argsort(xp.astype(xp.isnan(x), xp.int8), axis=-1)
    ordered = xp.take_along_axis(x, last, axis=-1)
    least = xp.full_like(ordered, -math.inf)
    known = xp.where(xp.isnan(ordered), least, ordered)
    return xp.take_along_axis(last, xp.argsort(-known, axis=-1), axis=-1)


@primitive(
    cost=_cost,
    elements=_elements,
    steady=_steady,
    price="top k of m: (m - 1) + (k - 1)⌈log2 m⌉ comparisons",
    example="values, index = ops.top_k(x, 2)",
    source=CONVENTION,
    base=True,
)
def top_k(
    x: Annotated[Any, ordered("..., m")], k: Annotated[int, Whole(1, "m")]
) -> Annotated[Any, (ordered("..., k"), integer("..., k"))]:
    """Find the k largest along the last axis, largest first; the lower index first among equals, NaN last.

    Parameters
    ----------
    x
        Real array ``(..., m)``.
    k
        How many, in ``[1, m]``.

    Returns
    -------
    values : array ``(..., k)`` of the dtype of ``x``
    indices : array of int64 ``(..., k)``

    Raises
    ------
    TypeError
        If ``x`` is complex.
    ValueError
        If k is out of range.
    """
    xp = x.__array_namespace__()
    indices = xp.astype(_order(xp, x)[..., :k], xp.int64)
    return xp.take_along_axis(x, indices, axis=-1), indices
