"""Grouped layers compiled by Numba: sorted rows go through all layers in blocks that stay in cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparsebench.ops.grouped import definition
from sparsebench.ops.jit.experts import apply_layers

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["gather_matmul", "grouped_linear", "grouped_mlp"]


@definition.grouped_linear.on("numba")
def grouped_linear(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.grouped_linear` for one dtype, float32 or float64."""
    return apply_layers(call.x, call.index, definition.layer_of(call))


@definition.gather_matmul.on("numba")
def gather_matmul(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.gather_matmul` for one dtype, float32 or float64."""
    return definition.as_asked(call, apply_layers(call.x, call.index, definition.layer_of(call)))


@definition.grouped_mlp.on("numba")
def grouped_mlp(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.grouped_mlp` for one dtype, float32 or float64."""
    return apply_layers(call.x, call.index, call.layers, call.activation, call.slope)
