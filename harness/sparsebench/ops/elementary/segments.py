"""Additions at computed addresses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.charges import Charge, is_wired, name_of, writes
from sparsebench.ops.core.checks import INTEGER, NUMBER, check_dtypes
from sparsebench.ops.core.primitive import CONVENTION, primitive
from sparsebench.ops.lookup.definition import check_index

__all__ = ["scatter_add", "segment_sum"]

_NUMBERS = "numbers that are not complex"
_CHUNK = 1 << 20  # elements whose addresses the CPU implementation holds at once


def _check(name: str, target: tuple[int, ...], index: Any, values: Any) -> None:
    """Say what does not fit a target of a shape."""
    check_dtypes(name, INTEGER, "an integer index (ops.quantize or ops.pack_bits make one)", index)
    check_dtypes(name, NUMBER, _NUMBERS, values)
    fits = index.ndim == 1 and values.ndim >= 1 and index.shape[0] == values.shape[0]
    if not target or not fits or tuple(values.shape[1:]) != target[1:]:
        got = f"{target}, {tuple(index.shape)} and {tuple(values.shape)}"
        raise ValueError(f"{name}: expected (E, ...), index (n,) and values (n, ...), got {got}")


def _check_target(target: Any, index: Any, values: Any) -> None:
    check_dtypes("scatter_add", NUMBER, _NUMBERS, target)
    _check("scatter_add", tuple(target.shape), index, values)


def _cost(target: Any, index: Any, values: Any) -> tuple[Charge, ...]:
    _check_target(target, index, values)
    return (*_writes(index, values, target), *_sums(values, np.result_type(target.dtype, values.dtype)))


def _writes(index: Any, values: Any, target: Any) -> tuple[Charge, ...]:
    """Charge a look-up for every number that is written, unless no input decides where."""
    if is_wired(index):
        return ()
    return writes(index.dtype, target.dtype, int(values.size))


def _sums(values: Any, dtype: np.dtype[Any]) -> tuple[Charge, ...]:
    return (Charge("add", name_of(dtype), int(values.size)),)


def _scatter_elements(target: Any, index: Any, values: Any) -> int:  # noqa: ARG001 - the primitive's signature
    return int(target.size + values.size + math.prod(target.shape[1:]))  # and the addresses in a record


def _scatter(target: Any, index: Any, values: Any) -> Any:
    """Add one after the other, element by element."""
    _check_target(target, index, values)
    check_index("scatter_add", index, target.shape[0])
    out = np.array(target, dtype=np.result_type(target.dtype, values.dtype), order="C")
    width = math.prod(target.shape[1:])
    rows = max(1, _CHUNK // max(1, width))
    flat, within = out.reshape(-1), np.arange(width)
    for start in range(0, index.size, rows):
        part = slice(start, start + rows)
        address = index[part].astype(np.int64)[:, None] * width + within
        # One flat address per element: NumPy adds these in their order.
        np.add.at(flat, address.reshape(-1), values[part].astype(out.dtype, copy=False).reshape(-1))
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
def scatter_add(target: Any, index: Any, values: Any) -> Any:
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
    _check_target(target, index, values)
    check_index("scatter_add", index, target.shape[0])
    xp = target.__array_namespace__()
    out = xp.astype(target, xp.result_type(target, values), copy=True)
    for row in range(index.shape[0]):
        address = int(index[row])
        out[address, ...] = out[address, ...] + values[row, ...]
    return out


def _target(name: str, values: Any, segments: Any, num_segments: int) -> tuple[int, ...]:
    """Give the shape of the sums."""
    if num_segments < 0:
        raise ValueError(f"{name}: num_segments must not be negative, got {num_segments}")
    shape = (num_segments, *values.shape[1:])
    _check(name, shape, segments, values)
    return shape


def _segment_cost(values: Any, segments: Any, *, num_segments: int) -> tuple[Charge, ...]:
    _target("segment_sum", values, segments, num_segments)
    return (*_writes(segments, values, values), *_sums(values, values.dtype))


def _segment_elements(values: Any, segments: Any, *, num_segments: int) -> int:
    shape = _target("segment_sum", values, segments, num_segments)
    return math.prod(shape) + int(values.size) + math.prod(shape[1:])


@primitive(
    cost=_segment_cost,
    elements=_segment_elements,
    price="as ops.scatter_add: 1 look-up and 1 addition per element of the values",
    example="sums = ops.segment_sum(x, segment, num_segments=8)",
)
def segment_sum(values: Any, segments: Any, *, num_segments: int) -> Any:
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
    shape = _target("segment_sum", values, segments, num_segments)
    zeros = values.__array_namespace__().zeros(shape, dtype=values.dtype)
    return scatter_add(zeros, segments, values)
