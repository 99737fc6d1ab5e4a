"""Hashes on a GPU: ``hashing.cu``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.gpu.arguments import FLOATS, MOST, common_dtype, real_dtype, rounded_up
from sparsebench.ops.gpu.device import blocks_of, c_type
from sparsebench.ops.hashing import definition

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call
    from sparsebench.ops.gpu.device import Device

__all__ = ["INSTANCES", "hyperplane_hash", "pstable_hash"]

_DTYPES = ("float16", "bfloat16", *FLOATS)
_AT_ONCE = (8, 12, 16)  # vectors: sums in registers, so few of them are not padded to many
_ROWS = {2: 4, 4: 4, 8: 2}  # of a thread, by the bytes of a number
_GROUPS, _THREADS = 64, 256  # as in hashing.cu
_WHOLE = 64 << 10  # bytes of shared memory that all vectors may take, so that several blocks have room
_PART = 16 << 10  # bytes of the vectors at once, where there is no room for all
_BLOCKS = 8  # of a multiprocessor
_CHUNKS = (1, 2, 4)  # of 32 features, that hash_short is made for
_SHORT_ROWS, _SHORT_PLANES = 256, 16  # of a block of hash_short, and the most planes


def _tile(dtype: np.dtype[Any], k: int) -> tuple[int, int]:
    """Choose how many vectors and rows a thread has at once, so that the fewest are padding."""
    many = min(_AT_ONCE, key=lambda planes: (rounded_up(k, planes), -planes))
    return (many if dtype.itemsize < 8 else _AT_ONCE[-1]), _ROWS[dtype.itemsize]  # noqa: PLR2004 - bytes


def _kernel(dtype: str, tile: tuple[int, int], *, cells: bool) -> str:
    return f"hash_rows<{c_type(dtype)}, {tile[0]}, {tile[1]}, {str(cells).lower()}>"


INSTANCES = [
    (
        "hashing.cu",
        tuple(f"hash_short<{kind}, {chunks}>" for kind in ("half_t", "bf16_t") for chunks in _CHUNKS)
        + tuple(
            _kernel(dtype, (planes, _ROWS[size]), cells=cells)
            for dtype, size in (("float16", 2), ("bfloat16", 2), ("float32", 4), ("float64", 8))
            for planes in (_AT_ONCE if size < 8 else _AT_ONCE[-1:])  # noqa: PLR2004 - bytes
            for cells in (False, True)
        ),
    )
]


@definition.hyperplane_hash.on("cuda")
def hyperplane_hash(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.hyperplane_hash` does, for floating-point numbers of 16 to 64 bits."""
    return _hash(device, call, call.planes, levels=2, cells=False)


@definition.pstable_hash.on("cuda")
def pstable_hash(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.pstable_hash` does, for floating-point numbers of 16 to 64 bits."""
    return _hash(device, call, call.directions, levels=call.levels, cells=True)


def _hash(device: Device, call: Call, vectors: Any, *, levels: int, cells: bool) -> Any:
    x, offsets = call.x, call.offsets
    n, tables, k, d = call["n"], call["s"], call["k"], call["d"]
    dtype = common_dtype(_DTYPES, x, vectors)
    if dtype is None or common_dtype(_DTYPES, x, vectors, offsets) != dtype or max(tables, k, d) > MOST // 2:
        return NotImplemented
    out = device.empty((n, *vectors.shape[:-2]), np.int64)
    if not cells and tables == 1 and dtype.itemsize == 2 and _has_short(k, d):  # noqa: PLR2004 - bytes
        return _hash_short(device, x, vectors, offsets, out, dtype)
    tile = planes, rows = _tile(dtype, k)
    stride, whole, shared = _room(
        device, tables * rounded_up(k, planes), planes, d, real_dtype(dtype).itemsize
    )
    args = (
        device.dense(x, dtype),
        device.dense(vectors, dtype),
        None if offsets is None else device.dense(offsets, real_dtype(dtype)),
        out,
        np.int64(n),
        *(np.int32(length) for length in (d, tables, k)),
        np.int64(levels),
        np.int32(stride),
        np.int32(whole),
    )
    grid = min(blocks_of(n, _GROUPS * rows), device.multiprocessors * _BLOCKS)
    device.launch("hashing.cu", _kernel(dtype.name, tile, cells=cells), grid, _THREADS, args, shared)
    return out


def _has_short(k: int, d: int) -> bool:
    return 0 < k <= _SHORT_PLANES and d % 32 == 0 and d // 32 in _CHUNKS


def _hash_short(device: Device, x: Any, planes: Any, offsets: Any, out: Any, dtype: np.dtype[Any]) -> Any:
    """Find the sides by tensor cores."""
    n, d = x.shape
    args = (
        device.dense(x, dtype),
        device.dense(planes, dtype),
        None if offsets is None else device.dense(offsets, np.float32),
        *(out, np.int64(n), np.int32(planes.shape[-2])),
    )
    grid = min(blocks_of(n, _SHORT_ROWS), device.multiprocessors * _BLOCKS)
    device.launch("hashing.cu", f"hash_short<{c_type(dtype)}, {d // 32}>", grid, _THREADS, args)
    return out


def _room(device: Device, padded: int, planes: int, d: int, size: int) -> tuple[int, bool, int]:
    """Return how much of a vector is kept at once, whether all of all vectors is, and the bytes of that."""
    stride = rounded_up(d, 16)
    if padded * stride * size <= min(_WHOLE, device.shared_bytes):
        return stride, True, padded * stride * size
    stride = min(stride, max(_PART // (planes * size) // 16 * 16, 16))
    return stride, False, planes * stride * size
