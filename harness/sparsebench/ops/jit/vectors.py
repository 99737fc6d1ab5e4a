"""Products of tiles that stay in vector registers, as Numba intrinsics.

A tile is some rows of ``x`` times a panel of columns, ``x[row : row + rows] @ panel``. It has one accumulator
for each row and vector, and a step of the loop multiplies one number of each row by one row of the panel.
LLVM keeps the accumulators in registers only if they are written as vectors, which Numba's loops are not:
hence the intrinsics. How many fit is decided by the processor that Numba compiles for, and Numba's cache is
kept per processor.

Intrinsics check no bounds: who calls them does.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sparsebench.ops.jit.tile_code import BYTES, ROWS, WIDE, Tile, pack

__all__ = ["BYTES", "ROWS", "WIDE", "least_tile", "pack", "sign_tile", "store_tile"]


def _signature(rows: Any, vectors: Any, *others: Any) -> Any:
    """Take the two literals as they are, and indices as intp."""
    x, _, panels, _, starts, *outs, _ = others
    return types.void(rows, vectors, x, types.intp, panels, types.intp, starts, *outs, types.intp)


def _store_tile(
    typing: Any,  # noqa: ARG001 - Numba's
    rows: Any,
    vectors: Any,
    x: Any,
    row: Any,
    panels: Any,
    block: Any,
    starts: Any,
    out: Any,
    at: Any,
) -> Any:
    """Write ``out[at + i, :] = starts[block] + x[row + i] @ panels[block]`` for ``i < rows``.

    ``rows`` and ``vectors`` are constants, ``x`` is ``(n, d)``, ``panels`` and ``starts`` are as :func:`pack`
    makes them with ``vectors`` vectors, ``out`` has their width. All are contiguous and of one dtype.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        tile = Tile(context, builder, signature, arguments)
        for number, totals in enumerate(tile.multiply(tile.start)):
            for vector, total in enumerate(totals):
                tile.store(total, tile.out(0, number, vector))
        return context.get_dummy_value()

    return _signature(rows, vectors, x, row, panels, block, starts, out, at), generate


def _sign_tile(
    typing: Any,  # noqa: ARG001 - Numba's
    rows: Any,
    vectors: Any,
    x: Any,
    row: Any,
    panels: Any,
    block: Any,
    starts: Any,
    out: Any,
    at: Any,
) -> Any:
    """Write which of ``x[row + i] @ panels[block] > starts[block]``, as bits, to ``out[at + i]``.

    The first column is the least significant bit. ``out`` is an array of uint64; the others are as for
    :data:`store_tile`.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        tile = Tile(context, builder, signature, arguments)
        sums = tile.multiply(lambda _: ir.Constant(tile.vector, None))
        word, mask = ir.IntType(64), ir.IntType(tile.lanes)
        limits = [tile.start(vector) for vector in range(tile.vectors)]
        for number, totals in enumerate(sums):
            bits = ir.Constant(word, 0)
            for vector, (total, limit) in enumerate(zip(totals, limits, strict=True)):
                above = builder.bitcast(builder.fcmp_ordered(">", total, limit), mask)
                shifted = builder.shl(builder.zext(above, word), ir.Constant(word, vector * tile.lanes))
                bits = builder.or_(bits, shifted)
            builder.store(bits, builder.gep(tile.outs[0], [builder.add(tile.at, tile.constant(number))]))
        return context.get_dummy_value()

    return _signature(rows, vectors, x, row, panels, block, starts, out, at), generate


def _least_tile(
    typing: Any,  # noqa: ARG001 - Numba's
    rows: Any,
    vectors: Any,
    x: Any,
    row: Any,
    panels: Any,
    block: Any,
    starts: Any,
    least: Any,
    second: Any,
    where: Any,
    at: Any,
) -> Any:
    """Keep the least sum of every column of the panels that were seen, and the second.

    ``least`` and ``second`` are as ``out`` of :data:`store_tile`, and ``where``, int32 of the same shape,
    tells the block that the least is of. All three are read and written. NaN is not less than any number.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        tile = Tile(context, builder, signature, arguments)
        sums = tile.multiply(tile.start)
        own = tile.spread(builder.trunc(arguments[5], ir.IntType(32)))
        for number, totals in enumerate(sums):
            for vector, total in enumerate(totals):
                first, next_one, place = (tile.out(i, number, vector) for i in range(3))
                before, after = tile.load(first), tile.load(next_one)
                below = builder.fcmp_ordered("<", total, before)
                passed = builder.select(below, before, total)
                tile.store(builder.select(below, total, before), first)
                closer = builder.fcmp_ordered("<", passed, after)
                tile.store(builder.select(closer, passed, after), next_one)
                tile.store(builder.select(below, own, tile.load(place)), place)
        return context.get_dummy_value()

    return _signature(rows, vectors, x, row, panels, block, starts, least, second, where, at), generate


_made: Any = intrinsic(prefer_literal=True)  # what it makes is called in compiled functions only
store_tile = _made(_store_tile)
"""The intrinsic of :func:`_store_tile`."""
sign_tile = _made(_sign_tile)
"""The intrinsic of :func:`_sign_tile`."""
least_tile = _made(_least_tile)
"""The intrinsic of :func:`_least_tile`."""
