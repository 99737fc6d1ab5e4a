"""Tiles of rows that BLAS multiplies by a matrix, with the same bits for each row.

BLAS chooses kernels by size and place: the last rows of a product, or the first and last columns of some of
its rows, may use other kernels than the rest, which add in another order. This differs between processors and
between versions, so nothing is assumed here: a trial precedes the first product of every shape. It multiplies
tiles whose rows all have the same numbers, and finds the places that give the same bits.

There are three ways to multiply a tile: the whole matrix at once; the same, and then again in narrow panels
those columns in which places disagree; or narrow panels only. The cheapest way with agreement of all places
is used; if there is none, only the agreeing places of the best way are used.
"""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Tile", "Way", "tiles_of"]

HEIGHTS = (504, 120, 24, 12, 4, 2)
"""Rows of a tile, tallest first: tall ones are fast on many rows, low ones on few."""
_PANEL = 8  # columns of a panel
_SETUP = 5  # columns that BLAS multiplies in the time that a call needs to copy the rows
_SCRATCH = 1 << 18  # most elements of partly used tiles that are made at once
_TRIED = 1 << 21  # most elements of a tile in a trial
_WORK = 1 << 31  # most multiplications of a tile in a trial
_TRIALS = (
    4,
    32,
)  # fewest and most rows that a trial compares: two orders of addition may agree on some rows
_DRAWN = 1 << 20  # most numbers that are drawn at once
_TRIAL_WORK = 1 << 28  # most multiplications in a trial of more than the fewest rows

Way = tuple[tuple[int, int], ...]
"""Columns that BLAS multiplies at once, from and to, one piece after the other; later ones may overwrite."""


class Tile(NamedTuple):
    """A way to multiply some rows by a matrix."""

    height: int
    """Rows that BLAS sees."""
    way: Way
    """Columns that BLAS sees."""
    places: slice | tuple[int, ...]
    """Rows of the tile that may be used: all of them give the same bits."""
    used: int
    """How many those are."""

    def multiply(self, rows: Any, matrix: Any, out: Any) -> None:
        """Multiply rows by a matrix.

        Parameters
        ----------
        rows
            Contiguous array ``(n, d)``, n a multiple of ``used``.
        matrix
            Contiguous array ``(d, m)`` of the same dtype, in C or in Fortran order.
        out
            Contiguous array ``(n, m)`` that takes the product.
        """
        blocks = rows.reshape(-1, self.used, rows.shape[1])
        target = out.reshape(-1, self.used, out.shape[1])
        if self.used == self.height:
            self._product(blocks, matrix, target)
            return
        most = max(1, _SCRATCH // (self.height * max(matrix.shape)))
        for first in range(0, len(blocks), most):
            some = slice(first, first + most)
            tiles = self._filled(blocks[some])
            made = np.empty((*tiles.shape[:2], out.shape[1]), dtype=out.dtype)
            self._product(tiles, matrix, made)
            target[some] = made[:, self.places]

    def _product(self, tiles: Any, matrix: Any, out: Any) -> None:
        """Let BLAS multiply ``(k, height, d)`` by ``(d, m)`` directly into ``(k, height, m)``."""
        for start, stop in self.way:
            np.matmul(tiles, matrix[:, start:stop], out=out[:, :, start:stop])

    def _filled(self, blocks: Any) -> Any:
        """Put rows at the usable places of tiles, and copies of one of them at the others."""
        tiles = np.empty((len(blocks), self.height, blocks.shape[2]), dtype=blocks.dtype)
        tiles[...] = blocks[:, :1]
        tiles[:, self.places] = blocks
        return tiles


def _cost(way: Way) -> int:
    """Estimate the time of a way, in columns."""
    return sum(stop - start + _SETUP for start, stop in way)


@functools.lru_cache(maxsize=4096)
def tiles_of(shape: tuple[int, int], turned: bool, dtype: str) -> tuple[Tile, ...]:  # noqa: FBT001 - a cache's key
    """Find tiles that all give the same bits, by a trial.

    Parameters
    ----------
    shape
        The shape of the matrix: ``(d, m)``, neither 0.
    turned
        Whether the matrix is stored column by column.
    dtype
        Name or character of the dtype of rows and matrix.

    Returns
    -------
    tuple of Tile
        At least one; the tallest is first.
    """
    heights = [
        height
        for height in HEIGHTS
        if height * max(shape) <= _TRIED and height * shape[0] * shape[1] <= _WORK
    ]
    heights = heights or list(HEIGHTS[-1:])
    trial = _Trial(shape, turned, dtype)
    ways = trial.ways(heights[0])
    first = _best(trial, heights[0], ways)
    others = (_best(trial, height, ways, first[1]) for height in heights[1:])
    found = [tile for tile, _ in (first, *others) if tile.used]
    return tuple(sorted(found, key=lambda tile: -tile.used))


def _best(trial: _Trial, height: int, ways: list[Way], wanted: bytes | None = None) -> tuple[Tile, bytes]:
    """Return the fastest tile of a height among those that give the required bits, and its bits.

    If there is none, the tile has no usable place.
    """
    found, made, speed = Tile(height, ways[0], (), 0), b"", 0.0
    for way in ways:
        kinds = trial.kinds(height, way)
        bits = max(kinds, key=lambda bits: len(kinds[bits])) if wanted is None else wanted
        places = kinds.get(bits, [])
        if len(places) / _cost(way) > speed:
            found, made = Tile(height, way, _index(places), len(places)), bits
            speed = len(places) / _cost(way)
        if len(places) == height:
            break  # the ways after this one cost more
    return found, made


def _index(places: list[int]) -> slice | tuple[int, ...]:
    """Return places as a slice if they are adjacent."""
    side_by_side = len(places) == places[-1] + 1 - places[0]
    return slice(places[0], places[-1] + 1) if side_by_side else tuple(places)


class _Trial:
    """The rows and a matrix of a trial, whose product shows the order of additions."""

    def __init__(self, shape: tuple[int, int], turned: bool, dtype: str) -> None:  # noqa: FBT001
        """Draw numbers that nearly cancel, so that a product is little more than its rounding errors."""
        d, m = self.shape = shape
        rng = np.random.default_rng(0)
        count = min(max(_TRIAL_WORK // (HEIGHTS[0] * d * m), _TRIALS[0]), _TRIALS[1])
        matrix, rows = _drawn(rng, (d, m), dtype), _drawn(rng, (count, d), dtype)
        half = d // 2
        matrix[d - half :] = matrix[:half]
        rows[:, d - half :] = -rows[:, :half]
        rows[:, max(half - 1, 0) :] *= 1 + 2.0**-18
        self.matrix, self.rows = np.asarray(matrix, order="F" if turned else "C"), rows

    def ways(self, height: int) -> list[Way]:
        """Return the ways to multiply tiles of a height, the cheapest first, with mended disagreements."""
        m = self.shape[1]
        starts = range(
            0, max(m - 1, 1), _PANEL
        )  # no panel of 1 column, which would be another kind of product
        panels = tuple(zip(starts, (*starts[1:], m), strict=True))
        whole = ((0, m),)
        agree = np.ones(m, dtype=np.bool_)
        for made in self.products(height, whole):
            agree &= (made == made[:1]).all(axis=0)
        mended = (*whole, *(panel for panel in panels if not agree[slice(*panel)].all()))
        return sorted({whole, mended, panels}, key=_cost)

    def kinds(self, height: int, way: Way) -> dict[bytes, list[int]]:
        """Return the places of a tile, grouped by the bits that they give."""
        digests = [hashlib.sha256() for _ in range(height)]
        for made in self.products(height, way):
            for digest, bits in zip(digests, made, strict=True):
                digest.update(bits)
        kinds: dict[bytes, list[int]] = {}
        for place, digest in enumerate(digests):
            kinds.setdefault(digest.digest(), []).append(place)
        return kinds

    def products(self, height: int, way: Way) -> Iterator[Any]:
        """Multiply tiles whose rows are all the same: ``(height, m)``, one after the other.

        They are not multiplied all at once: wide rows, or many columns, would take gigabytes.
        """
        tile = Tile(height, way, slice(0, height), height)
        out = np.empty((height, self.shape[1]), dtype=self.rows.dtype)
        for row in self.rows:
            tile.multiply(np.repeat(row[None], height, axis=0), self.matrix, out)
            yield out


def _drawn(rng: np.random.Generator, shape: tuple[int, int], dtype: str) -> Any:
    """Draw normal numbers of a dtype, also complex ones, without all of them in a wider dtype at once."""
    drawn = np.empty(shape, dtype=dtype)
    for part in (drawn.real, drawn.imag) if drawn.dtype.kind == "c" else (drawn,):
        flat = part.reshape(-1)  # a view of the same memory
        for start in range(0, flat.size, _DRAWN):
            some = flat[start : start + _DRAWN]
            some[...] = rng.standard_normal(some.size)
    return drawn
