"""Merged experts on a GPU.

Where examples have few positions, all of these go through all experts on tensor cores, and what comes out is
averaged: for one position that is as much arithmetic as to average parameters. Else parameters are averaged
for some examples at a time, which go through them from the cache.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.core.layers import Layer, tables_of
from sparsebench.ops.gpu import layers as stacks
from sparsebench.ops.gpu.arguments import MOST, common_dtype
from sparsebench.ops.gpu.device import c_type
from sparsebench.ops.gpu.dispatch import rows_in_order
from sparsebench.ops.merging import definition

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call
    from sparsebench.ops.gpu.device import Device

__all__ = ["INSTANCES", "merge_linear", "merged_mlp"]

_HELD = 16 << 20  # bytes of merged parameters at once: they stay in the second-level cache
_TILE, _THREADS = 64, 256  # as in grouped.cu
# Positions up to which tensor cores, by the size of numbers, are through with all experts before others have
# averaged the parameters of one: arithmetic on both at full rate.
_FEW = {2: 8, 4: 2}

INSTANCES = [
    ("grouped.cu", tuple(f"merge_tables<{kind}>" for kind in ("half_t", "bf16_t", "float", "double")))
]


@definition.merge_linear.on("cuda")
def merge_linear(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.merge_linear` does, for floating-point numbers of 16 to 64 bits."""
    return _run(device, call, (Layer(call.weights, call.bias),), "relu", 0.0)


@definition.merged_mlp.on("cuda")
def merged_mlp(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.merged_mlp` does, for floating-point numbers of 16 to 64 bits."""
    return _run(device, call, call.layers, call.activation, call.slope)


def _run(device: Device, call: Call, layers: tuple[Layer, ...], activation: str, slope: float) -> Any:
    x, gates, tables = call.x, call.gates, tables_of(layers)
    dtype = common_dtype(stacks.DTYPES, x, gates, *tables)
    n, positions, width = call["n"], call["s"], call["h"]
    if dtype is None or max(n, positions, n * positions) > MOST:
        return NotImplemented
    if 0 in (n, positions, width):
        return device.empty((*x.shape[:-1], width), dtype)
    x, gates = device.dense(x, dtype), device.dense(gates, dtype)
    dense = [
        Layer(*(None if table is None else device.dense(table, dtype) for table in layer)) for layer in layers
    ]
    if positions <= _FEW.get(dtype.itemsize, 0):
        given = x.reshape(-1, x.shape[-1])
        made = stacks.merge_on_the_way(device, given, gates, tuple(dense), positions, activation, slope)
        return made.reshape(*x.shape[:-1], width)
    chosen = stacks.plan(device, layers, call["d"], dtype)
    record = sum(math.prod(table.shape[1:]) for table in tables) * dtype.itemsize
    many = max(1, _HELD // max(record, 1))
    parts = []
    for start in range(0, n, many):
        own = gates[start : start + many]
        merged = tuple(Layer(*(_merge(device, own, table) for table in layer)) for layer in dense)
        rows = rows_in_order(own.shape[0], positions)
        given = x[start : start + many].reshape(-1, x.shape[-1])
        parts.append(stacks.run(device, given, merged, rows, dtype, chosen, activation, slope))
    return device.joined(parts).reshape(*x.shape[:-1], width)


def _merge(device: Device, gates: Any, table: Any) -> Any:
    """Average the records of a table for every row of gates."""
    if table is None:
        return None
    shape = table.shape[1:]
    size = math.prod(shape)
    out = device.empty((gates.shape[0], *shape), gates.dtype)
    if size:
        units = -(-gates.shape[0] // _TILE) * -(-size // _TILE)
        args = (gates, table, out, np.int32(gates.shape[0]), np.int32(gates.shape[1]), np.int64(size))
        grid = min(units, 16 * device.multiprocessors)
        device.launch("grouped.cu", f"merge_tables<{c_type(gates.dtype)}>", grid, _THREADS, args)
    return out
