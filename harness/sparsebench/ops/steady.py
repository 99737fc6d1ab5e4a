"""NumPy arithmetic whose digits do not depend on a row's neighbours.

Inputs are scored in a secret order and in batches of secret make-up, so a row must get the same bits whatever
rows stand beside it, wherever it stands, and however many there are. NumPy and BLAS do not promise that:

- a matrix product goes through kernels chosen by its size, and within one product rows at different places
  may go through different kernels, which add up in different orders;
- a sum adds up in an order that depends on the layout in memory;
- a function evaluates contiguous and reversed memory by different code.

Here sums and functions always see one layout. Products are made in tiles of one height, and the first product
of every shape is preceded by a trial that finds the places of a tile that give the same bits.
"""

from __future__ import annotations

import functools
import hashlib
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["evaluate", "fold", "matmul"]

_HEIGHTS = (512, 128, 32, 8)
"""Rows of a tile, tallest first: tall ones are fast on many rows, low ones on few."""
_STANDARD = 128  # the height whose bits all tiles must give; the tallest, where this one is too large
_TRIED = 1 << 22  # elements of a tile that is still tried
_AT_ONCE = 1 << 18  # elements of rows that are copied into tiles at once
_TRIALS = 8  # rows that a trial compares, at least: two orders of addition may agree on one of them
_COMPARED = 128  # numbers that a trial compares, at least


class _Tile(NamedTuple):
    """A way to multiply some rows by a matrix."""

    height: int
    """Rows that BLAS sees."""
    turned: bool
    """Whether BLAS sees the transposed product, where its kernels go along the rows."""
    places: slice | tuple[int, ...]
    """Rows of the tile that may be used: all of them give the same bits."""
    used: int
    """How many those are."""

    def multiply(self, rows: Any, matrix: Any, out: Any) -> None:
        """Multiply ``(n, d)`` by ``(d, m)`` into ``out``, n a multiple of ``used``."""
        tiles = rows.reshape(-1, self.used, rows.shape[1])
        if self.used < self.height:
            stack = np.zeros((len(tiles), self.height, rows.shape[1]), dtype=matrix.dtype)
            stack[:, self.places] = tiles
            tiles = stack
        out.reshape(-1, self.used, matrix.shape[1])[...] = self.product(tiles, matrix)[:, self.places]

    def product(self, tiles: Any, matrix: Any) -> Any:
        """Multiply whole tiles."""
        return np.matmul(matrix.T, tiles.mT).mT if self.turned else np.matmul(tiles, matrix)


def matmul(a: Any, b: Any) -> Any:
    """Matrix product by the rules of ``numpy.matmul``; every row of ``a`` gets bits of its own.

    Columns of ``b`` do not: inputs belong into the rows of ``a``, as in ``x @ w``, not ``(w.T @ x.T).T``.

    Parameters
    ----------
    a, b
        Arrays ``(..., n, d)`` and ``(..., d, m)``, or of one axis.

    Returns
    -------
    array ``(..., n, m)``
    """
    dtype = np.result_type(a, b)
    if dtype.kind != "f" or not a.size or not b.size:
        return np.matmul(a, b)
    left = np.ascontiguousarray(a, dtype=dtype) if a.ndim > 1 else np.array(a[None, :], dtype=dtype)
    right = (b if b.ndim > 1 else b[:, None]).astype(dtype, copy=False)
    shape = (*np.broadcast_shapes(left.shape[:-2], right.shape[:-2]), left.shape[-2], right.shape[-1])
    # The way is chosen by numbers of axes: lengths may be those of a batch.
    if right.ndim == 2:  # noqa: PLR2004 - one matrix for all rows
        product = _rows_times(left.reshape(-1, left.shape[-1]), right)
    elif left.ndim == 2:  # noqa: PLR2004 - the same rows for all matrices
        matrices = right.reshape(-1, *right.shape[-2:])
        product = np.stack([_rows_times(left, matrix) for matrix in matrices])
    else:
        # Rows and matrices in pairs: one small product for every row, all of one shape.
        product = np.matmul(left[..., :, None, :], np.ascontiguousarray(right)[..., None, :, :])
    product = product.reshape(shape)
    product = product[..., 0] if b.ndim == 1 else product
    return product if a.ndim > 1 else product[..., 0, :] if b.ndim > 1 else product[..., 0]


def _rows_times(rows: Any, matrix: Any) -> Any:
    """Multiply ``(n, d)`` by ``(d, m)`` in tiles."""
    turned = matrix.flags.f_contiguous and not matrix.flags.c_contiguous
    matrix = matrix if turned else np.ascontiguousarray(matrix)
    tiles = _tiles(matrix.shape, turned, matrix.dtype.name)
    out = np.empty((len(rows), matrix.shape[1]), dtype=matrix.dtype)
    start = 0
    while start < len(rows):
        left = len(rows) - start
        tile = next((tile for tile in tiles if tile.used <= left), tiles[-1])
        most = tile.used * max(1, _AT_ONCE // (tile.used * rows.shape[1]))
        taken = min(left // tile.used * tile.used, most) or left
        if taken < tile.used:
            padded = np.zeros((tile.used, rows.shape[1]), dtype=rows.dtype)
            padded[:taken] = rows[start:]
            product = np.empty((tile.used, matrix.shape[1]), dtype=matrix.dtype)
            tile.multiply(padded, matrix, product)
            out[start:] = product[:taken]
        else:
            part = slice(start, start + taken)
            tile.multiply(rows[part], matrix, out[part])
        start += taken
    return out


@functools.lru_cache(maxsize=4096)
def _tiles(shape: tuple[int, int], turned: bool, dtype: str) -> tuple[_Tile, ...]:  # noqa: FBT001 - a cache's key
    """Find tiles that all give the same bits, by trial: the tallest first.

    Rows at every place of a tile hold the same numbers; places whose products agree to the bit are one kind.
    """
    heights = [height for height in _HEIGHTS if height * max(shape) <= _TRIED] or _HEIGHTS[-1:]
    standard = _STANDARD if _STANDARD in heights else heights[0]
    kinds = {
        (height, way): _kinds(shape, turned, dtype, height, way)
        for height in heights
        for way in (False, True)
    }
    bits = max(
        (bits for way in (False, True) for bits in kinds[standard, way]),
        key=lambda bits: max(len(kinds[standard, way].get(bits, ())) for way in (False, True)),
    )
    found = []
    for height in heights:
        way = max((False, True), key=lambda way: len(kinds[height, way].get(bits, ())))
        if places := kinds[height, way].get(bits):
            whole = range(places[0], places[-1] + 1)
            where = slice(whole.start, whole.stop) if len(whole) == len(places) else tuple(places)
            found.append(_Tile(height, way, where, len(places)))
    return tuple(found)


def _kinds(
    shape: tuple[int, int],
    turned: bool,  # noqa: FBT001 - whether the matrix lies in memory column by column
    dtype: str,
    height: int,
    way: bool,  # noqa: FBT001 - the tile's way
) -> dict[bytes, list[int]]:
    """Group the places of a tile by the bits that they give.

    The numbers nearly cancel, so that little but the rounding is left of a product.
    """
    rng = np.random.default_rng(0)
    half = shape[0] // 2
    matrix = rng.standard_normal(shape).astype(dtype, order="F" if turned else "C")
    matrix[shape[0] - half :] = matrix[:half]
    row = rng.standard_normal((max(_TRIALS, -(-_COMPARED // shape[1])), 1, shape[0])).astype(dtype)
    row[..., shape[0] - half :] = -row[..., :half]
    row[..., half - 1 :] *= 1 + 2.0**-18
    tile = _Tile(height, way, slice(None), height)
    seen = [hashlib.sha256() for _ in range(height)]
    for trial in row:  # one after the other: many wide rows at once would take gigabytes
        product = tile.product(np.repeat(trial[None], height, axis=1), matrix)[0]
        for place, digest in enumerate(seen):
            digest.update(product[place].tobytes())
    kinds: dict[bytes, list[int]] = {}
    for place, digest in enumerate(seen):
        kinds.setdefault(digest.digest(), []).append(place)
    return kinds


def fold(function: Callable[..., Any], x: Any, axes: tuple[int, ...], *, keepdims: bool = False) -> Any:
    """Reduce over axes, always along contiguous memory.

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
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    lanes = np.ascontiguousarray(np.transpose(x, (*kept, *sorted(axes))))
    outer = tuple(x.shape[axis] for axis in kept)
    length = math.prod(x.shape[axis] for axis in axes)
    folded = function(lanes.reshape(*outer, length), axis=-1)
    return np.expand_dims(folded, axes) if keepdims else folded


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
    shape = np.broadcast_shapes(*(np.shape(x) for x in operands))
    one = math.prod(shape) == 1
    dense = (
        np.ascontiguousarray(np.broadcast_to(x.reshape(()) if one else x, (2,) if one else shape))
        if isinstance(x, np.ndarray | np.generic)
        else x  # a Python number has no dtype of its own
        for x in operands
    )
    result = np.atleast_1d(function(*dense))
    return result[:1].reshape(shape) if one else result
