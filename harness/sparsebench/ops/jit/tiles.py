"""Products of tiles that stay in vector registers, for the layers of experts, as Numba intrinsics.

A tile is some rows times some vectors of outputs: that many accumulators are started from the bias, and a
step multiplies one number of each row by one row of packed weights. LLVM keeps accumulators in registers only
if they are written as vectors, as they are here.

Intrinsics check no bounds: who calls them does. Places are counted in elements from the start of an array.
"""

# ruff: noqa: ARG001 - an intrinsic tells types; the code that it gives sees the arguments

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils as untyped_cgutils
from numba.extending import intrinsic

from sparsebench.ops.jit.vectors import BYTES

__all__ = ["LINE", "ROWS", "VECTORS", "move", "prefetch", "tile", "transpose"]

cgutils: Any = untyped_cgutils

ROWS = 6
VECTORS = 4 if BYTES == 64 else 2  # noqa: PLR2004
"""Accumulators of a tile: 24 of the 32 registers of AVX-512, or 12 of the 16 of AVX2."""

LINE = 64
"""Bytes of a cache line."""


class _Writer:
    """Writes loads and stores of vectors: a builder, and the vector of a dtype."""

    def __init__(self, context: Any, builder: Any, dtype: Any) -> None:
        self.context, self.builder = context, builder
        self.bytes = dtype.bitwidth // 8
        self.lanes = BYTES // self.bytes
        self.scalar = context.get_value_type(dtype)
        self.vector = ir.VectorType(self.scalar, self.lanes)
        self.number = ir.IntType(64)

    def data(self, kind: Any, array: Any, at: Any) -> Any:
        """Point at an element of an array."""
        base = self.context.make_array(kind)(self.context, self.builder, array).data
        return self.builder.gep(base, [at])

    def constant(self, value: int) -> Any:
        """Make an index."""
        return ir.Constant(self.number, value)

    def point(self, base: Any, offset: Any) -> Any:
        """Point at a vector."""
        return self.builder.bitcast(self.builder.gep(base, [offset]), self.vector.as_pointer())

    def load(self, base: Any, offset: Any) -> Any:
        """Load a vector; memory is aligned for one number alone."""
        return self.builder.load(self.point(base, offset), align=self.bytes)

    def store(self, value: Any, base: Any, offset: Any) -> None:
        """Store a vector."""
        self.builder.store(value, self.point(base, offset), align=self.bytes)

    def spread(self, scalar: Any) -> Any:
        """Put one number into every lane."""
        undefined, word = ir.Constant(self.vector, ir.Undefined), ir.IntType(32)
        first = self.builder.insert_element(undefined, scalar, ir.Constant(word, 0))
        return self.builder.shuffle_vector(
            first, undefined, ir.Constant(ir.VectorType(word, self.lanes), None)
        )

    def shuffle(self, one: Any, two: Any, lanes: list[int]) -> Any:
        """Choose lanes of two vectors."""
        kind = ir.VectorType(ir.IntType(32), self.lanes)
        return self.builder.shuffle_vector(one, two, ir.Constant(kind, lanes))


def _tile(
    typing: Any,
    rows: Any,
    vectors: Any,
    x: Any,
    x_at: Any,
    x_step: Any,
    depth: Any,
    panel: Any,
    panel_at: Any,
    panel_step: Any,
    starts: Any,
    starts_at: Any,
    floor: Any,
    out: Any,
    out_at: Any,
    out_step: Any,
) -> Any:
    """Write a tile of ``starts + x @ panel``, and ``floor`` in the place of what is not above it.

    Parameters
    ----------
    rows, vectors
        The tile: constants.
    x, x_at, x_step, depth
        Rows of so many numbers, and how far apart they begin.
    panel, panel_at, panel_step
        ``depth`` rows of at least as many numbers as the vectors have.
    starts, starts_at
        What the sums of any row start from.
    floor
        Zero makes this ``relu``, and minus infinity changes nothing. NaN stays NaN.
    out, out_at, out_step
        As for ``x``: whole vectors are written.
    """
    at = types.intp
    signature = types.void(rows, vectors, x, at, at, at, panel, at, at, starts, at, x.dtype, out, at, at)
    return signature, _write_tile


def _write_tile(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kinds = signature.args
    rows, vectors = kinds[0].literal_value, kinds[1].literal_value
    (
        _,
        _,
        x,
        x_at,
        x_step,
        depth,
        panel,
        panel_at,
        panel_step,
        starts,
        starts_at,
        floor,
        out,
        out_at,
        out_step,
    ) = arguments
    writer = _Writer(context, builder, kinds[2].dtype)
    x, panel, starts, out = (
        writer.data(kinds[number], array, at)
        for number, array, at in (
            (2, x, x_at),
            (6, panel, panel_at),
            (9, starts, starts_at),
            (12, out, out_at),
        )
    )
    lanes = [writer.constant(vector * writer.lanes) for vector in range(vectors)]
    left = [builder.gep(x, [builder.mul(x_step, writer.constant(row))]) for row in range(rows)]
    sums = _multiply(writer, left, depth, panel, panel_step, [writer.load(starts, lane) for lane in lanes])
    least = writer.spread(floor)
    for row in range(rows):
        base = builder.gep(out, [builder.mul(out_step, writer.constant(row))])
        for total, lane in zip(sums[row], lanes, strict=True):
            low = builder.fcmp_ordered("<=", total, least)
            writer.store(builder.select(low, least, total), base, lane)
    return context.get_dummy_value()


def _multiply(writer: _Writer, left: list[Any], depth: Any, panel: Any, step: Any, starts: list[Any]) -> Any:
    """Write the loop over the depth; every row's sums start alike."""
    builder, lanes = writer.builder, writer.lanes
    name = f"llvm.fma.v{lanes}f{8 * writer.bytes}"
    kind = ir.FunctionType(writer.vector, [writer.vector] * 3)
    multiply_add = cgutils.get_or_insert_function(builder.module, kind, name)
    entry = builder.block
    test, loop, done = (builder.append_basic_block(block) for block in ("test", "loop", "done"))
    builder.branch(test)
    builder.position_at_end(test)
    place, across = builder.phi(writer.number), builder.phi(writer.number)
    sums = [[builder.phi(writer.vector) for _ in starts] for _ in left]
    for phi, first in ((place, writer.constant(0)), (across, writer.constant(0))):
        phi.add_incoming(first, entry)
    for row in sums:
        for phi, first in zip(row, starts, strict=True):
            phi.add_incoming(first, entry)
    builder.cbranch(builder.icmp_signed("<", place, depth), loop, done)
    builder.position_at_end(loop)
    columns = [
        writer.load(panel, builder.add(across, writer.constant(vector * lanes)))
        for vector in range(len(starts))
    ]
    for row, base in zip(sums, left, strict=True):
        number = writer.spread(builder.load(builder.gep(base, [place])))
        for phi, column in zip(row, columns, strict=True):
            phi.add_incoming(builder.call(multiply_add, [number, column, phi]), loop)
    place.add_incoming(builder.add(place, writer.constant(1)), loop)
    across.add_incoming(builder.add(across, step), loop)
    builder.branch(test)
    builder.position_at_end(done)
    return sums


def _transpose(
    typing: Any,
    x: Any,
    x_at: Any,
    x_step: Any,
    count: Any,
    out: Any,
    out_at: Any,
    out_step: Any,
) -> Any:
    """Write the transpose of as many numbers of as many rows as a vector has.

    Where there are fewer rows, ``count``, the last one is written again in the place of those missing.
    """
    at = types.intp
    return types.void(x, at, at, at, out, at, at), _write_transpose


def _write_transpose(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    x, x_at, x_step, count, out, out_at, out_step = arguments
    writer = _Writer(context, builder, signature.args[0].dtype)
    x, out = writer.data(signature.args[0], x, x_at), writer.data(signature.args[4], out, out_at)
    last = builder.sub(count, writer.constant(1))
    block = []
    for number in range(writer.lanes):
        row = writer.constant(number)
        row = builder.select(builder.icmp_signed("<", row, last), row, last)
        block.append(writer.load(x, builder.mul(row, x_step)))
    for number, vector in enumerate(_transposed(writer, block)):
        writer.store(vector, out, builder.mul(out_step, writer.constant(number)))
    return context.get_dummy_value()


def _transposed(writer: _Writer, block: list[Any]) -> list[Any]:
    """Swap the off-diagonal quarters of ever smaller squares."""
    lanes = writer.lanes
    half = lanes // 2
    while half:
        low = [lane if not lane & half else lanes + lane - half for lane in range(lanes)]
        high = [lane + half if not lane & half else lanes + lane for lane in range(lanes)]
        made = list(block)
        for row in range(lanes):
            if not row & half:
                one, two = block[row], block[row + half]
                made[row], made[row + half] = writer.shuffle(one, two, low), writer.shuffle(one, two, high)
        block, half = made, half // 2
    return block


def _prefetch(
    typing: Any,
    x: Any,
    at: Any,
    write: Any,
) -> Any:
    """Ask for the cache line of an element, to read it soon (``write`` is 0) or to write it (1)."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, place, _ = arguments
        pointer = ir.IntType(8).as_pointer()
        word = ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(ir.VoidType(), [pointer, word, word, word]), "llvm.prefetch.p0"
        )
        base = context.make_array(signature.args[0])(context, builder, array).data
        address = builder.bitcast(builder.gep(base, [place]), pointer)
        hints = [ir.Constant(word, hint) for hint in (signature.args[2].literal_value, 3, 1)]
        builder.call(function, [address, *hints])
        return context.get_dummy_value()

    return types.void(x, types.intp, write), generate


def _move(
    typing: Any,
    x: Any,
    at: Any,
    out: Any,
    to: Any,
) -> Any:
    """Copy one vector."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, place, target, end = arguments
        writer = _Writer(context, builder, signature.args[0].dtype)
        read = writer.load(writer.data(signature.args[0], array, place), writer.constant(0))
        writer.store(read, writer.data(signature.args[2], target, end), writer.constant(0))
        return context.get_dummy_value()

    return types.void(x, types.intp, out, types.intp), generate


# What these make is called in compiled functions only.
_made: Any = intrinsic(prefer_literal=True)
tile = _made(_tile)
"""The intrinsic of :func:`_tile`."""
transpose = _made(_transpose)
"""The intrinsic of :func:`_transpose`."""
prefetch = _made(_prefetch)
"""The intrinsic of :func:`_prefetch`."""
move = _made(_move)
"""The intrinsic of :func:`_move`."""
