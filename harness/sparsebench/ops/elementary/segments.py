"""Additions at computed addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sparsebench.ops.charges import Charge, is_wired, name_of, writes
from sparsebench.ops.core.arguments import Whole, integer, number
from sparsebench.ops.core.primitive import CONVENTION, primitive

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["scatter_add", "segment_sum"]

_CHUNK = 1 << 20  # elements whose addresses the steady backend holds at once


def _cost(call: Call) -> tuple[Charge, ...]:
    sums = _sums(call.values, call.promoted("target", "values"))
    return (*_writes(call.index, call.values, call.target), *sums)


def _writes(index: Any, values: Any, target: Any) -> tuple[Charge, ...]:
    """Charge a look-up for every number that is written, unless no input decides where."""
    if is_wired(index):
        return ()
    return writes(index.dtype, target.dtype, int(values.size))


def _sums(values: Any, dtype: np.dtype[Any]) -> tuple[Charge, ...]:
    return (Charge("add", name_of(dtype), int(values.size)),)


def _scatter_elements(call: Call) -> int:
    return int(call.target.size + call.values.size) + call["..."]  # and the addresses in a record


def _scatter(call: Call) -> Any:
    """Add one after the other, element by element."""
    out = np.array(call.target, dtype=call.promoted("target", "values"), order="C")
    width, index = call["..."], call.index
    rows = max(1, _CHUNK // max(1, width))
    flat, within = out.reshape(-1), np.arange(width)
    for start in range(0, index.size, rows):
        part = slice(start, start + rows)
        address = index[part].astype(np.int64)[:, None] * width + within
        # One flat address per element: NumPy adds these in their order.
        np.add.at(flat, address.reshape(-1), call.values[part].astype(out.dtype, copy=False).reshape(-1))
    return out


@primitive(
    cost=_cost,
    elements=_scatter_elements,
    steady=_scatter,
    price="1 look-up and 1 addition per element of the values; no look-ups where the index is the model's; "
    "what is added to is counted as loads",
    example="counts = ops.scatter_add(counts, bucket, ones)",
    source=CONVENTION,
    base=True,
)
def scatter_add(
    target: Annotated[Any, number("E, ...")],
    index: Annotated[Any, integer("n", below="E")],
    values: Annotated[Any, number("n, ...")],
) -> Annotated[Any, number("E, ...")]:
    """Add records to those of an array at computed addresses; the array itself is not changed.

    Parameters
    ----------
    target
        Array of integers or real numbers ``(E, ...)``.
    index
        Integer array ``(n,)`` with values in ``[0, E)``; negative values are out of range.
    values
        Array of integers or real numbers ``(n, ...)``, its records as those of ``target``.

    Returns
    -------
    array ``(E, ...)``
        ``target`` plus, at ``index[i]``, ``values[i]``: one row after the other, also where an address is
        there again. Its dtype is what NumPy's promotion gives; integers wrap around.

    Raises
    ------
    TypeError
        If the index is not an integer array, or another one is boolean or complex.
    ValueError
        If the shapes do not fit.
    IndexError
        If an index is out of range.
    """
    xp = target.__array_namespace__()
    out = xp.astype(target, xp.result_type(target, values), copy=True)
    for row in range(index.shape[0]):
        address = int(index[row])
        out[address, ...] = out[address, ...] + values[row, ...]
    return out


def _segment_cost(call: Call) -> tuple[Charge, ...]:
    return (*_writes(call.segments, call.values, call.values), *_sums(call.values, call.values.dtype))


def _segment_elements(call: Call) -> int:
    return (call["num_segments"] + call["n"] + 1) * call["..."]


@primitive(
    cost=_segment_cost,
    elements=_segment_elements,
    price="as ops.scatter_add: 1 look-up and 1 addition per element of the values",
    example="sums = ops.segment_sum(x, segment, num_segments=8)",
)
def segment_sum(
    values: Annotated[Any, number("n, ...")],
    segments: Annotated[Any, integer("n", below="num_segments")],
    *,
    num_segments: Annotated[int, Whole(0)],
) -> Annotated[Any, number("num_segments, ...")]:
    """Sum records by segment.

    Parameters
    ----------
    values
        Array of integers or real numbers ``(n, ...)``.
    segments
        Integer array ``(n,)``: the segment of every record, in ``[0, num_segments)``, in any order; negative
        values are out of range.
    num_segments
        How many segments there are.

    Returns
    -------
    array ``(num_segments, ...)`` of the dtype of ``values``
        Records are added in the order of rows, starting from 0, which is the sum of a segment without any.
        Integers wrap around.

    Raises
    ------
    TypeError
        If ``segments`` is not an integer array, or ``values`` is boolean or complex.
    ValueError
        If the shapes do not fit, or ``num_segments`` is negative.
    IndexError
        If a segment is out of range.
    """
    shape = (num_segments, *values.shape[1:])
    zeros = values.__array_namespace__().zeros(shape, dtype=values.dtype)
    return scatter_add(zeros, segments, values)
