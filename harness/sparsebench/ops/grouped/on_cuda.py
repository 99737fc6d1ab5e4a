"""Layers of experts on a GPU: pairs are sorted by expert, then every tile of rows goes through its layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparsebench.ops.gpu.arguments import common_dtype, stand_in
from sparsebench.ops.gpu.dispatch import dispatch
from sparsebench.ops.grouped import cuda_layers as stacks
from sparsebench.ops.grouped.definition import check_linear, check_mlp
from sparsebench.ops.grouped.layers import Layer, paired

if TYPE_CHECKING:
    from sparsebench.ops.gpu.device import Device

__all__ = ["gather_matmul", "grouped_linear", "grouped_mlp"]


def grouped_linear(device: Device, x: Any, index: Any, weights: Any, bias: Any = None) -> Any:
    """Do what :func:`sparsebench.ops.grouped_linear` does, for floating-point numbers of 16 to 64 bits."""
    check_linear(*map(stand_in, (x, index, weights, bias)))
    return _run(device, x, index, (Layer(weights, bias),), "relu", 0.0)


def gather_matmul(device: Device, x: Any, index: Any, weights: Any) -> Any:
    """Do what :func:`sparsebench.ops.gather_matmul` does, for floating-point numbers of 16 to 64 bits."""
    layers = weights[:, None, :] if weights.ndim == 2 else weights  # noqa: PLR2004 - (E, d)
    check_linear(stand_in(x), stand_in(index), stand_in(layers), None, "gather_matmul")
    out = _run(device, x, index, (Layer(layers, None),), "relu", 0.0)
    return out if out is NotImplemented or weights.ndim > 2 else out[..., 0]  # noqa: PLR2004 - (E, h, d)


def grouped_mlp(
    device: Device, x: Any, index: Any, *layers: Any, activation: str = "relu", slope: float = 0.25
) -> Any:
    """Do what :func:`sparsebench.ops.grouped_mlp` does, for floating-point numbers of 16 to 64 bits."""
    check_mlp(stand_in(x), stand_in(index), tuple(map(stand_in, layers)), activation, slope)
    return _run(device, x, index, paired(layers), activation, slope)


def _run(device: Device, x: Any, index: Any, layers: tuple[Layer, ...], activation: str, slope: float) -> Any:
    tables = [table for layer in layers for table in layer if table is not None]
    dtype = common_dtype(stacks.DTYPES, x, *tables)
    if dtype is None or index.dtype.kind not in "iu" or index.dtype.name == "uint64":
        return NotImplemented
    width, experts = layers[-1].weights.shape[1], layers[0].weights.shape[0]
    if 0 in (*index.shape, width):
        return device.empty((*index.shape, width), dtype)
    chosen = stacks.plan(device, layers, x.shape[1], dtype)
    rows = dispatch(device, index, experts, chosen.height)
    if rows is None:
        return NotImplemented
    out = stacks.run(device, device.dense(x, dtype), layers, rows, dtype, chosen, activation, slope)
    return out.reshape(*index.shape, width)
