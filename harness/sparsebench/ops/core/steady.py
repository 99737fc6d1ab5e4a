"""Batch-invariant NumPy arithmetic: a row's digits do not depend on its neighbours.

Inputs are scored in a secret order and in batches of secret composition, so a row must get the same bits
whatever the other rows, its place and their number. NumPy and BLAS do not guarantee that:

- a matrix product uses kernels chosen by its size, and within one product rows at different places may use
different kernels, which add in different orders;
- a sum adds in an order that depends on the layout in memory;
- a function evaluates contiguous and reversed memory by different code.

Here sums and functions always get contiguous memory, and products are made in tiles of a few heights, which a
trial has shown to give the same bits (``tiles``).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.core.tiles import tiles_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.ops.core.tiles import Tile

__all__ = ["evaluate", "fold", "matmul"]

_MANY = 24  # rows of a tile that is worth its own call: fewer rows are added to the next tile
_WASTE = 32  # one row in this many may be computed unnecessarily, to save a call


def matmul(a: Any, b: Any) -> Any:
    """Multiply matrices by the rules of ``numpy.matmul``; the bits of a row of ``a`` depend on it alone.

    This does not hold for columns of ``b``: inputs must be rows of ``a``, as in ``x @ w``, not ``(w.T @
    x.T).T``.

    Parameters
    ----------
    a, b
        Arrays ``(..., n, d)`` and ``(..., d, m)``, or of one axis.

    Returns
    -------
    array ``(..., n, m)``
    """
    dtype = a.dtype if a.dtype == b.dtype else np.result_type(a, b)
    if dtype.kind not in "fc" or not a.size or not b.size:
        return np.matmul(a, b)
    # The method is chosen by numbers of axes: lengths may be those of a batch.
    left = np.ascontiguousarray(a if a.ndim > 1 else a[None, :], dtype=dtype)
    right = (b if b.ndim > 1 else b[:, None]).astype(dtype, copy=False)
    plain = left.ndim == right.ndim == 2  # noqa: PLR2004
    product = _rows_times(left, right) if plain else _stacks(left, right)
    product = product[..., 0] if b.ndim == 1 else product
    return product if a.ndim > 1 else product[..., 0, :] if b.ndim > 1 else product[..., 0]


def _stacks(left: Any, right: Any) -> Any:
    """Multiply where at least one operand has more than two axes."""
    shape = (*np.broadcast_shapes(left.shape[:-2], right.shape[:-2]), left.shape[-2], right.shape[-1])
    if right.ndim == 2:  # noqa: PLR2004 - one matrix for all rows
        return _rows_times(left.reshape(-1, left.shape[-1]), right).reshape(shape)
    if left.ndim == 2:  # noqa: PLR2004 - the same rows for all matrices
        product = np.empty(shape, dtype=left.dtype)
        for index in np.ndindex(shape[:-2]):
            _rows_times(left, right[index], product[index])
        return product
    # Rows and matrices in pairs: one small product for every row, all of one shape.
    paired = np.matmul(left[..., :, None, :], np.ascontiguousarray(right)[..., None, :, :])
    return paired.reshape(shape)


def _rows_times(rows: Any, matrix: Any, out: Any = None) -> Any:
    """Multiply ``(n, d)`` by ``(d, m)`` in tiles."""
    turned = matrix.flags.f_contiguous and not matrix.flags.c_contiguous
    matrix = matrix if turned else np.ascontiguousarray(matrix)
    tiles = tiles_of(matrix.shape, turned, matrix.dtype.char)
    n, start = len(rows), 0
    out = np.empty((n, matrix.shape[1]), dtype=matrix.dtype) if out is None else out
    while start < n:
        tile, count = _next(tiles, n - start, n // _WASTE)
        stop = start + count
        start = min(
            start, max(stop - tile.used, 0)
        )  # rows are multiplied twice instead of copied, with the same bits
        if stop < tile.used:
            _padded(tile, rows, matrix, out)
        else:
            tile.multiply(rows[start:stop], matrix, out[start:stop])
        start = stop
    return out


def _next(tiles: tuple[Tile, ...], left: int, waste: int) -> tuple[Tile, int]:
    """Return the next tile for the remaining rows, and the number of rows that it takes.

    This is the tallest tile that the rows fill, or the lowest that holds all of them, if that wastes few
    rows.
    """
    holding = [tile for tile in tiles if tile.used >= left]
    filled = [tile for tile in tiles if tile.used <= left]
    if holding and (not filled or filled[0].used < _MANY or holding[-1].used - left <= waste):
        return holding[-1], left
    return filled[0], left - left % filled[0].used


def _padded(tile: Tile, rows: Any, matrix: Any, out: Any) -> None:
    """Multiply fewer rows than a tile has, after filling it with copies of the first."""
    padded = np.empty((tile.used, rows.shape[1]), dtype=rows.dtype)
    padded[: len(rows)] = rows
    padded[len(rows) :] = rows[0]
    product = np.empty((tile.used, matrix.shape[1]), dtype=matrix.dtype)
    tile.multiply(padded, matrix, product)
    out[...] = product[: len(rows)]


def fold(function: Callable[..., Any], x: Any, axes: tuple[int, ...], *, keepdims: bool = False) -> Any:
    """Reduce over axes, in an order that depends only on the axes and their lengths.

    If the last axis is reduced, each output reduces one stretch of contiguous memory. If not, whole slices
    are combined one after the other, element by element.

    Parameters
    ----------
    function
        A NumPy reduction with an ``axis``.
    x
        Array.
    axes
        Different axes of ``x``, none negative.
    keepdims
        Whether the reduced axes stay, with length 1.

    Returns
    -------
    array
        Of the shape that ``function(x, axis=axes, keepdims=keepdims)`` has.
    """
    if axes == (x.ndim - 1,) and x.flags.c_contiguous:  # the usual case, which needs no copy
        return np.expand_dims(function(x, axis=-1), axes) if keepdims else function(x, axis=-1)
    order = sorted(axes)
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    outer = tuple(x.shape[axis] for axis in kept)
    length = math.prod(x.shape[axis] for axis in order)
    if order and order[-1] + 1 < x.ndim and order[-1] - order[0] + 1 == len(order):
        shape = math.prod(x.shape[: order[0]]), length, math.prod(x.shape[order[-1] + 1 :])
        folded = _slicewise(function, np.ascontiguousarray(x).reshape(shape)).reshape(outer)
    else:
        lanes = np.ascontiguousarray(np.transpose(x, (*kept, *order)))
        folded = function(lanes.reshape(*outer, length), axis=-1)
    return np.expand_dims(folded, axes) if keepdims else folded


def _slicewise(function: Callable[..., Any], slices: Any) -> Any:
    """Reduce ``(p, k, q)`` to ``(p, q)``.

    NumPy loops along the last axis, unless it has one element: then along the next, in another order.
    """
    wide = np.repeat(slices, 2, axis=2) if slices.shape[2] == 1 else slices
    folded = function(wide, axis=1)[:, : slices.shape[2]]
    if folded.dtype.kind == "f":
        folded[np.isnan(folded)] = np.nan  # which of two NaNs a sum keeps depends on its place
    return folded


def evaluate(function: Callable[..., Any], *operands: Any) -> Any:
    """Evaluate an element-wise function, always on contiguous memory of at least two elements.

    Parameters
    ----------
    function
        A NumPy ufunc.
    *operands
        Arrays and Python numbers.

    Returns
    -------
    array
        ``function(*operands)``.
    """
    arrays = [x for x in operands if isinstance(x, np.ndarray | np.generic)]
    if not arrays:
        return function(*operands)
    shape = arrays[0].shape if len(arrays) == 1 else np.broadcast_shapes(*(x.shape for x in arrays))
    one = math.prod(shape) == 1
    if not one and _lie_alike(arrays, shape):
        return function(*operands)
    dense = (
        np.ascontiguousarray(np.broadcast_to(x.reshape(()) if one else x, (2,) if one else shape))
        if isinstance(x, np.ndarray | np.generic)
        else x  # a Python number has no dtype of its own
        for x in operands
    )
    result = function(*dense)
    return result[:1].reshape(shape) if one else result


def _lie_alike(arrays: list[Any], shape: tuple[int, ...]) -> bool:
    """Return whether arrays fill contiguous memory in the same order, so that none needs a copy."""
    if any(x.shape != shape for x in arrays):
        return False
    return all(x.flags.c_contiguous for x in arrays) or all(x.flags.f_contiguous for x in arrays)
