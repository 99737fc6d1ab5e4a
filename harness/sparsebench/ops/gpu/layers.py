"""Perceptrons of experts on a GPU, for rows that are sorted by expert.

``grouped_mma.cu`` has room for all layers at once, ``grouped_gemm.cu`` takes layers of any size, and
``grouped.cu`` is for numbers of 64 bits, which tensor cores are not asked for.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench.ops.gpu.activations import ACTIVATIONS, IDENTITY
from sparsebench.ops.gpu.arguments import real_dtype
from sparsebench.ops.gpu.device import c_type

if TYPE_CHECKING:
    from sparsebench.ops.core.layers import Layer
    from sparsebench.ops.gpu.device import Device
    from sparsebench.ops.gpu.dispatch import Rows

__all__ = ["DTYPES", "INSTANCES", "MMA_ROWS", "TILE", "Plan", "merge_on_the_way", "plan", "run"]

DTYPES = ("float16", "bfloat16", "float32", "float64")
_ON_TENSOR_CORES = DTYPES[:3]

MMA_ROWS, TILE = 128, 64  # rows of a tile: of grouped_mma.cu and grouped_gemm.cu, and of grouped.cu
_MMA_THREADS, _TILE_THREADS = 128, 256
_WIDTHS, _COLUMNS = (32, 64, 128), (64, 128)
_VECTOR, _STAGES = 16, 4  # bytes of a vector; as in grouped_gemm.cu
# Bytes of shared memory of a multiprocessor; each block takes 1 KiB more than it asks for.
_PER_MULTIPROCESSOR, _OF_A_BLOCK = 228 << 10, 1 << 10
_MOST_BLOCKS = {32: 4, 64: 3, 128: 2}  # of a multiprocessor, by width: that of the launch bounds

INSTANCES = [
    (
        "grouped_mma.cu",
        tuple(
            f"mlp_tiles<{c_type(dtype)}, {width}>"
            for dtype, width in itertools.product(_ON_TENSOR_CORES, _WIDTHS)
        ),
    ),
    (
        "grouped_gemm.cu",
        (
            *(
                f"gemm_tiles<{c_type(dtype)}, {columns}>"
                for dtype, columns in itertools.product(_ON_TENSOR_CORES, _COLUMNS)
            ),
            *(f"merged_tiles<{c_type(dtype)}>" for dtype in _ON_TENSOR_CORES),
        ),
    ),
    ("grouped.cu", ("layer_tiles<double>",)),
]


class Plan(NamedTuple):
    """How layers are run."""

    width: int = 0
    """The widest layer that the kernel of all layers at once has room for; 0: layer by layer."""
    shared: int = 0
    """Bytes of shared memory."""
    buffers: int = 1
    """Places for rows, of that kernel: with 2, the next ones come while it computes."""
    height: int = MMA_ROWS
    """Rows of a tile."""

    @property
    def together(self) -> int:
        """Blocks of that kernel that a multiprocessor has room for."""
        return max(1, min(_MOST_BLOCKS[self.width], _PER_MULTIPROCESSOR // (self.shared + _OF_A_BLOCK)))


def plan(device: Device, layers: tuple[Layer, ...], features: int, dtype: np.dtype[Any]) -> Plan:
    """Choose the kernel: all layers at once, where their weights have room in shared memory."""
    if dtype.name not in _ON_TENSOR_CORES:
        return Plan(height=TILE)
    widest = max(features, *(int(layer.weights.shape[1]) for layer in layers))
    width = next((width for width in _WIDTHS if widest <= width), 0)
    if not width:
        return Plan()
    one, two = (_at_once_with(buffers, len(layers), width, dtype.itemsize) for buffers in (1, 2))
    if two.shared <= device.shared_bytes and two.together >= min(one.together, 2):
        return two
    return one if one.shared <= device.shared_bytes else Plan()


def _at_once_with(buffers: int, layers: int, width: int, size: int) -> Plan:
    numbers = (layers * width + buffers * MMA_ROWS) * (width + _VECTOR // size)
    return Plan(width, numbers * size + 4 * layers * width, buffers)


def run(
    device: Device,
    x: Any,
    layers: tuple[Layer, ...],
    rows: Rows,
    dtype: np.dtype[Any],
    chosen: Plan,
    activation: str,
    slope: float,
) -> Any:
    """Send rows through the layers of their experts.

    Parameters
    ----------
    device
        Where all arrays are.
    x
        Dense, of the dtype: ``(n, d)``.
    layers
        Layers that fit each other.
    rows
        Of which expert they are, in tiles of the plan's height.
    dtype
        One of :data:`DTYPES`.
    chosen
        The plan.
    activation, slope
        What stands between two layers.

    Returns
    -------
    array ``(pairs, h)``
    """
    tables = [tuple(_dense(device, table, dtype) for table in layer) for layer in layers]
    if chosen.width:
        return _at_once(device, x, tables, rows, dtype, chosen, activation, slope)
    for place, (weights, bias) in enumerate(tables):
        last = place == len(tables) - 1
        out = device.empty((rows.pairs, weights.shape[1]), dtype)
        args = (
            *(x, weights, bias, out, *rows.arguments()),
            *(np.int32(length) for length in (weights.shape[2], weights.shape[1], not place, last)),
            np.int32(IDENTITY if last else ACTIVATIONS[activation]),
            real_dtype(dtype).type(slope),
        )
        _one_layer(device, rows.tiles_at_most(chosen.height), weights.shape[1], dtype, args)
        x = out
    return x


def _one_layer(device: Device, tiles: int, outputs: int, dtype: np.dtype[Any], args: tuple[Any, ...]) -> None:
    if dtype.name not in _ON_TENSOR_CORES:
        grid = min(tiles * -(-outputs // TILE), 8 * device.multiprocessors)
        device.launch("grouped.cu", f"layer_tiles<{c_type(dtype)}>", max(grid, 1), _TILE_THREADS, args)
        return
    columns = _COLUMNS[outputs > _COLUMNS[0]]
    grid = max(1, min(tiles * -(-outputs // columns), 2 * device.multiprocessors))
    kernel = f"gemm_tiles<{c_type(dtype)}, {columns}>"
    device.launch("grouped_gemm.cu", kernel, grid, _MMA_THREADS, args, _stages(columns))


def _stages(columns: int) -> int:
    """Count the bytes of slices of 64 bytes, and 16 between them, for a tile of so many columns."""
    return _STAGES * (MMA_ROWS + columns) * 5 * _VECTOR


def _dense(device: Device, table: Any, dtype: np.dtype[Any]) -> Any:
    return None if table is None else device.dense(table, dtype)


def _at_once(
    device: Device,
    x: Any,
    tables: list[tuple[Any, ...]],
    rows: Rows,
    dtype: np.dtype[Any],
    chosen: Plan,
    activation: str,
    slope: float,
) -> Any:
    out = device.empty((rows.pairs, tables[-1][0].shape[1]), dtype)
    widths = [tables[0][0].shape[2], *(weights.shape[1] for weights, _ in tables)]
    widths += [0] * (4 - len(widths))
    every = [*itertools.chain.from_iterable(tables), *[None] * (6 - 2 * len(tables))]
    args = (
        *(x, *every, out, *rows.arguments()),
        *(np.int32(number) for number in (*widths, len(tables), chosen.buffers, ACTIVATIONS[activation])),
        np.float32(slope),
    )
    grid = max(1, min(rows.tiles_at_most(MMA_ROWS), chosen.together * device.multiprocessors))
    kernel = f"mlp_tiles<{c_type(dtype)}, {chosen.width}>"
    device.launch("grouped_mma.cu", kernel, grid, _MMA_THREADS, args, chosen.shared)
    return out


def merge_on_the_way(
    device: Device,
    x: Any,
    gates: Any,
    layers: tuple[Layer, ...],
    positions: int,
    activation: str,
    slope: float,
) -> Any:
    """Send rows through all experts, and sum by the gates of their examples after every layer.

    Parameters
    ----------
    device
        Where all arrays are.
    x
        Dense: ``(n * positions, d)``.
    gates
        Dense, of one dtype with ``x``, one of 16 or 32 bits: ``(n, E)``.
    layers
        Dense, of that dtype too.
    positions
        Of an example.
    activation, slope
        What stands between two layers.

    Returns
    -------
    array ``(n * positions, h)``
    """
    many = x.shape[0]
    for place, (weights, bias) in enumerate(layers):
        experts, outputs, width = weights.shape
        out = device.empty((many, outputs), x.dtype)
        last = place == len(layers) - 1
        args = (
            *(x, gates, weights, bias, out, np.int64(many)),
            *(np.int32(length) for length in (positions, experts, width, outputs)),
            np.int32(IDENTITY if last else ACTIVATIONS[activation]),
            np.float32(slope),
        )
        grid = min(-(-many // MMA_ROWS) * -(-outputs // _COLUMNS[0]), 2 * device.multiprocessors)
        kernel = f"merged_tiles<{c_type(x.dtype)}>"
        device.launch("grouped_gemm.cu", kernel, grid, _MMA_THREADS, args, _stages(_COLUMNS[0]))
        x = out
    return x
