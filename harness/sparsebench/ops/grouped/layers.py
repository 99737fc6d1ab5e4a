"""What stands between the layers of experts, and what layers cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.charges import Charge, inner_product
from sparsebench.ops.elementary.activations import prelu, relu, swish
from sparsebench.ops.elementary.tanh import k_tanh

if TYPE_CHECKING:
    from sparsebench.ops.core.layers import Layer
    from sparsebench.ops.core.primitive import Primitive

__all__ = ["ACTIVATIONS", "activate", "layer_charges"]

ACTIVATIONS: dict[str, Primitive] = {"relu": relu, "prelu": prelu, "swish": swish, "k_tanh": k_tanh}
"""What may stand between two layers."""


def activate(activation: str, slope: float, x: Any) -> Any:
    """Apply an activation to an array."""
    return prelu(x, slope) if activation == "prelu" else ACTIVATIONS[activation](x)


def layer_charges(
    layers: tuple[Layer, ...], dtype: np.dtype[Any], rows: int, activation: str, slope: float
) -> tuple[Charge, ...]:
    """Charge the products, biases and activations of layers that are applied to rows.

    Parameters
    ----------
    layers
        What is applied, one after the other.
    dtype
        That of the rows.
    rows
        How many rows go through all layers.
    activation, slope
        What stands between two layers.
    """
    charges: tuple[Charge, ...] = ()
    for place, (weights, bias) in enumerate(layers):
        _, outputs, width = weights.shape
        if place:
            none = np.broadcast_to(np.zeros((), dtype), (rows, width))  # a shape and a dtype, no memory
            charges += ACTIVATIONS[activation].cost(none, *((slope,) if activation == "prelu" else ()))
        dtype = np.result_type(dtype, weights.dtype)
        charges += inner_product(rows * outputs, width, dtype)
        if bias is not None:
            dtype = np.result_type(dtype, bias.dtype)
            charges += (Charge("add", dtype.name, rows * outputs),)
    return charges
