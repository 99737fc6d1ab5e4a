"""Sorting pairs of an input and an expert by expert, on a GPU: ``dispatch.cu``.

The host learns nothing of what comes out, and so waits for nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.gpu.arguments import MOST
from sparsebench.ops.gpu.device import blocks_of, c_type

if TYPE_CHECKING:
    from sparsebench.ops.gpu.device import Device

__all__ = ["INDICES", "INSTANCES", "Rows", "dense_index", "dispatch", "rows_in_order"]

INDICES = ("uint8", "int32", "int64")
"""Dtypes of indices that kernels read as they are; others are cast to int64."""

_THREADS, _PAIRS = 256, 4096  # as in dispatch.cu
_KEPT = 8192  # experts whose counts a block keeps in shared memory

INSTANCES = [
    (
        "dispatch.cu",
        (
            "scan_experts",
            *(
                f"{kernel}<{c_type(index)}>"
                for kernel in ("count_experts", "place_pairs")
                for index in INDICES
            ),
        ),
    )
]


@dataclass(frozen=True)
class Rows:
    """Which rows every expert has, as the kernels of ``tiles.cuh`` take it."""

    order: Any
    """Pairs, expert after expert: int32 ``(m,)``; None where rows lie in their order."""
    first: Any
    """Where experts begin in it: int32 ``(E + 2,)``."""
    tile: Any
    """The first tile of every expert, and how many there are: int32 ``(E + 1,)``."""
    experts: int
    each: int
    """Rows of every expert, where they lie in their order."""
    chosen: int
    """Experts of an input."""
    pairs: int

    def tiles_at_most(self, height: int) -> int:
        """Bound the number of tiles of so many rows."""
        if self.order is None:
            return self.experts * -(-self.each // height)
        return self.pairs // height + min(self.experts, self.pairs)

    def arguments(self) -> tuple[Any, ...]:
        """Return what kernels take, in their order."""
        numbers = (np.int32(self.experts), np.int32(self.each), np.int32(self.chosen), np.int64(self.pairs))
        return (self.order, self.first, self.tile, *numbers)


def rows_in_order(experts: int, each: int) -> Rows:
    """Describe experts that have as many rows each, one after the other."""
    return Rows(None, None, None, experts, each, 1, experts * each)


def dense_index(device: Device, index: Any) -> Any:
    """Return an index as kernels read it: dense, of one of :data:`INDICES`."""
    return device.dense(index, index.dtype if index.dtype.name in INDICES else np.int64)


def dispatch(device: Device, index: Any, experts: int, height: int) -> Rows | None:
    """Sort pairs by expert; None if there are too many to be counted in 32 bits.

    Parameters
    ----------
    device
        Where the index is.
    index
        Integer array ``(n,)`` or ``(n, k)``. What is not in ``[0, experts)`` goes behind all others.
    experts
        How many there are.
    height
        Rows of a tile.
    """
    pairs = math.prod(index.shape)
    if max(pairs, experts) > MOST - 2 * _PAIRS:
        return None
    index = dense_index(device, index)
    kind = c_type(index.dtype)
    slot, order = device.empty(pairs, np.int32), device.empty(pairs, np.int32)
    count, first = device.zeros(experts + 1, np.int32), device.empty(experts + 2, np.int32)
    tile = device.empty(experts + 1, np.int32)
    kept = experts <= _KEPT
    many, known = np.int64(pairs), np.int32(experts)
    device.launch(
        "dispatch.cu",
        f"count_experts<{kind}>",
        blocks_of(pairs, _PAIRS),
        _THREADS,
        (index, slot, count, many, known, np.int32(kept)),
        4 * (experts + 1) if kept else 0,
    )
    device.launch("dispatch.cu", "scan_experts", 1, 1024, (count, first, tile, known, np.int32(height)))
    device.launch(
        "dispatch.cu",
        f"place_pairs<{kind}>",
        blocks_of(pairs, _PAIRS),
        _THREADS,
        (index, slot, first, order, many, known),
    )
    chosen = index.shape[1] if index.ndim > 1 else 1
    return Rows(order, first, tile, experts, 0, chosen, pairs)
