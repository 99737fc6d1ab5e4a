"""Layers of experts on a GPU: pairs are sorted by expert, then every tile of rows goes through its layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparsebench.ops.core.layers import tables_of
from sparsebench.ops.gpu import layers as stacks
from sparsebench.ops.gpu.arguments import common_dtype
from sparsebench.ops.gpu.dispatch import dispatch
from sparsebench.ops.grouped import definition

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call
    from sparsebench.ops.core.layers import Layer
    from sparsebench.ops.gpu.device import Device

__all__ = ["gather_matmul", "grouped_linear", "grouped_mlp"]


@definition.grouped_linear.on("cuda")
def grouped_linear(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.grouped_linear` does, for floating-point numbers of 16 to 64 bits."""
    return _run(device, call, definition.layer_of(call))


@definition.gather_matmul.on("cuda")
def gather_matmul(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.gather_matmul` does, for floating-point numbers of 16 to 64 bits."""
    return definition.as_asked(call, _run(device, call, definition.layer_of(call)))


@definition.grouped_mlp.on("cuda")
def grouped_mlp(device: Device, call: Call) -> Any:
    """Do what :func:`sparsebench.ops.grouped_mlp` does, for floating-point numbers of 16 to 64 bits."""
    return _run(device, call, call.layers, call.activation, call.slope)


def _run(
    device: Device, call: Call, layers: tuple[Layer, ...], activation: str = "relu", slope: float = 0.0
) -> Any:
    x, index = call.x, call.index
    dtype = common_dtype(stacks.DTYPES, x, *tables_of(layers))
    if dtype is None or index.dtype.name == "uint64":
        return NotImplemented
    width = layers[-1].weights.shape[1]
    if 0 in (*index.shape, width):
        return device.empty((*index.shape, width), dtype)
    chosen = stacks.plan(device, layers, call["d"], dtype)
    rows = dispatch(device, index, call["E"], chosen.height)
    if rows is None:
        return NotImplemented
    out = stacks.run(device, device.dense(x, dtype), layers, rows, dtype, chosen, activation, slope)
    return out.reshape(*index.shape, width)
