"""The code of tiles for :mod:`sparsebench.ops.jit.vectors`, and how what they multiply lies in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils as untyped_cgutils
from numba.core.registry import cpu_target

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BYTES", "ROWS", "WIDE", "Tile", "pack"]

cgutils: Any = untyped_cgutils


def _vector_bytes() -> int:
    """Return the length of the vectors of the processor that Numba compiles for."""
    *_, features = cpu_target.target_context.codegen().magic_tuple()
    known = features.split(",")
    return 64 if "+avx512f" in known else 32 if "+avx" in known else 16


BYTES = _vector_bytes()
"""Length of a vector in bytes."""
WIDE = 2
"""Vectors of a wide panel; a narrow one has one."""
ROWS = 8 if BYTES == 64 else 6  # noqa: PLR2004
"""Rows of a tile. AVX-512 has 32 registers; of AVX2's 16, a wide tile takes 12, two and one more, and no
accumulator leaves its register."""


def pack(columns: Any, starts: Any) -> tuple[Any, Any]:
    """Lay columns out in panels, and what their sums start from.

    Parameters
    ----------
    columns
        Array ``(m, d)`` of float32 or float64, m at least 1: what is multiplied with, one column a row.
    starts
        Array ``(m,)``.

    Returns
    -------
    panels : array ``(blocks, d, width)``
        ``panels[b, :, j]`` is ``columns[b * width + j]``, or zero beyond the last. The width is that of one
        vector where all columns fit into it, otherwise of :data:`WIDE`.
    starts : array ``(blocks, width)``
        Zero beyond the last column.
    """
    m, d = columns.shape
    lanes = BYTES // columns.itemsize
    width = lanes if m <= lanes else WIDE * lanes
    blocks = -(-m // width)
    padded = np.zeros((blocks * width, d), dtype=columns.dtype)
    padded[:m] = columns
    first = np.zeros(blocks * width, dtype=columns.dtype)
    first[:m] = starts
    panels = np.ascontiguousarray(padded.reshape(blocks, width, d).transpose(0, 2, 1))
    return panels, first.reshape(blocks, width)


class Tile:
    """Writes the loop of one tile: a builder's state, and what it is multiplied from."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any) -> None:
        self.builder = builder
        self.rows, self.vectors = signature.args[0].literal_value, signature.args[1].literal_value
        _, _, x, row, panels, block, starts, *outs, self.at = arguments
        dtype = signature.args[2].dtype
        self.scalar = context.get_value_type(dtype)
        self.align = dtype.bitwidth // 8  # memory is aligned for one number, not for a vector
        self.lanes = BYTES // self.align
        self.vector = ir.VectorType(self.scalar, self.lanes)
        self.index = row.type
        given = ((2, x), (4, panels), (6, starts), *enumerate(outs, 7))
        x, panels, starts, *outs = (
            context.make_array(signature.args[i])(context, builder, value) for i, value in given
        )
        self.outs = [out.data for out in outs]
        self.depth, width = (builder.extract_value(panels.shape, i) for i in (1, 2))
        self.x = builder.gep(x.data, [builder.mul(row, self.depth)])
        self.panel = builder.gep(panels.data, [builder.mul(builder.mul(block, self.depth), width)])
        self.starts = builder.gep(starts.data, [builder.mul(block, width)])
        self.function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(self.vector, [self.vector] * 3),
            f"llvm.fmuladd.v{self.lanes}f{dtype.bitwidth}",
        )

    def constant(self, value: int) -> Any:
        """Make an index."""
        return ir.Constant(self.index, value)

    def at_vector(self, base: Any, offset: Any) -> Any:
        """Point to as many numbers as a vector has."""
        place = self.builder.gep(base, [offset])
        return self.builder.bitcast(place, ir.VectorType(base.type.pointee, self.lanes).as_pointer())

    def out(self, number: int, row: int, vector: int) -> Any:
        """Point to a vector of a row of an output as wide as the panel."""
        width = self.lanes * self.vectors
        first = self.builder.mul(self.builder.add(self.at, self.constant(row)), self.constant(width))
        offset = self.builder.add(first, self.constant(vector * self.lanes))
        return self.at_vector(self.outs[number], offset)

    def load(self, pointer: Any) -> Any:
        """Load a vector."""
        return self.builder.load(pointer, align=min(self.align, 4))

    def store(self, value: Any, pointer: Any) -> None:
        """Store a vector."""
        self.builder.store(value, pointer, align=min(self.align, 4))

    def start(self, vector: int) -> Any:
        """Load what the sums of a vector start from, or are compared with."""
        return self.load(self.at_vector(self.starts, self.constant(vector * self.lanes)))

    def spread(self, scalar: Any) -> Any:
        """Put one number into every lane."""
        undefined = ir.Constant(ir.VectorType(scalar.type, self.lanes), ir.Undefined)
        number = ir.IntType(32)
        first = self.builder.insert_element(undefined, scalar, ir.Constant(number, 0))
        return self.builder.shuffle_vector(
            first, undefined, ir.Constant(ir.VectorType(number, self.lanes), None)
        )

    def multiply(self, begin: Callable[[int], Any]) -> list[list[Any]]:
        """Write the loop over the depth; ``begin(vector)`` gives what that vector's sums start from."""
        builder = self.builder
        started = [begin(vector) for vector in range(self.vectors)]
        entry = builder.block
        test, loop, done = (builder.append_basic_block(name) for name in ("test", "loop", "done"))
        builder.branch(test)
        builder.position_at_end(test)
        step = builder.phi(self.index)
        step.add_incoming(self.constant(0), entry)
        sums = [[builder.phi(self.vector) for _ in started] for _ in range(self.rows)]
        for row in sums:
            for phi, first in zip(row, started, strict=True):
                phi.add_incoming(first, entry)
        builder.cbranch(builder.icmp_signed("<", step, self.depth), loop, done)
        builder.position_at_end(loop)
        across = builder.mul(step, self.constant(self.lanes * self.vectors))
        columns = [
            self.load(self.at_vector(self.panel, builder.add(across, self.constant(vector * self.lanes))))
            for vector in range(self.vectors)
        ]
        for number, row in enumerate(sums):
            place = builder.add(builder.mul(self.depth, self.constant(number)), step)
            spread = self.spread(builder.load(builder.gep(self.x, [place])))
            for phi, column in zip(row, columns, strict=True):
                phi.add_incoming(builder.call(self.function, [spread, column, phi]), loop)
        step.add_incoming(builder.add(step, self.constant(1)), loop)
        builder.branch(test)
        builder.position_at_end(done)
        return sums
