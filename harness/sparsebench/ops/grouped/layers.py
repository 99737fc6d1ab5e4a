"""Stacks of layers, one of each for every expert: what fits together, and what it costs."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sparsebench.ops.charges import Charge, inner_product
from sparsebench.ops.core.checks import REAL, check_dtypes
from sparsebench.ops.elementary.activations import prelu, relu, swish
from sparsebench.ops.elementary.tanh import k_tanh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sparsebench.ops.core.primitive import Primitive

__all__ = [
    "ACTIVATIONS",
    "MOST_LAYERS",
    "Layer",
    "activate",
    "blocks",
    "check_layers",
    "held",
    "layer_charges",
    "paired",
    "tables_of",
]

ACTIVATIONS: dict[str, Primitive] = {"k_tanh": k_tanh, "prelu": prelu, "relu": relu, "swish": swish}
"""What may stand between two layers."""

MOST_LAYERS = 3


class Layer(NamedTuple):
    """One layer of every expert."""

    weights: Any
    """Array ``(E, h, d)``."""
    bias: Any
    """Array ``(E, h)``, or None."""


def paired(layers: tuple[Any, ...]) -> tuple[Layer, ...]:
    """Pair weights with biases, which stand in turns; the last bias may be left out."""
    padded = (*layers, None) if len(layers) % 2 else layers
    return tuple(Layer(*pair) for pair in zip(padded[::2], padded[1::2], strict=True))


def check_layers(
    name: str, features: int, layers: tuple[Any, ...], activation: str, slope: float
) -> tuple[Layer, ...]:
    """Pair weights with biases, or say what does not fit.

    Parameters
    ----------
    name
        Who asks.
    features
        What the first layer is applied to.
    layers
        Weights ``(E, h, d)`` and a bias ``(E, h)`` or None, in turns; the last bias may be left out.
    activation
        One of :data:`ACTIVATIONS`.
    slope
        A Python number.

    Returns
    -------
    tuple of :class:`Layer`

    Raises
    ------
    TypeError
        If weights are missing, an array is not real, or the slope is not a real Python number.
    ValueError
        If there are no layers or more than 3, shapes do not fit, or the activation has no price.
    """
    if not isinstance(slope, int | float) or isinstance(slope, np.generic):
        raise TypeError(f"{name}: expected slope to be a real Python number, got {type(slope).__name__}")
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"{name}: expected activation to be one of {', '.join(ACTIVATIONS)}, got {activation!r}"
        )
    if not 1 <= len(layers) <= 2 * MOST_LAYERS:
        got = f"{len(layers)} arrays"
        raise ValueError(f"{name}: expected weights and biases of 1 to {MOST_LAYERS} layers, got {got}")
    pairs = paired(layers)
    if any(layer.weights is None for layer in pairs):
        raise TypeError(f"{name}: expected weights (E, h, d) for every layer, got None")
    check_dtypes(name, REAL, "real numbers", *tables_of(pairs))
    width = features
    for layer in pairs:
        if not _fits(layer, pairs[0].weights.shape[0] if pairs[0].weights.ndim else 0, width):
            got = ", ".join(str(tuple(table.shape)) for table in tables_of(pairs))
            expected = f"layers of weights (E, h, d) and bias (E, h), the first one of d = {features}"
            raise ValueError(f"{name}: expected {expected}; got {got}")
        width = layer.weights.shape[1]
    return pairs


def _fits(layer: Layer, experts: int, width: int) -> bool:
    shape = tuple(layer.weights.shape)
    fits = len(shape) == 3 and (shape[0], shape[2]) == (experts, width)  # noqa: PLR2004 - (E, h, d)
    return fits and (layer.bias is None or tuple(layer.bias.shape) == shape[:2])


def tables_of(layers: tuple[Layer, ...]) -> tuple[Any, ...]:
    """Give the arrays of layers in order, without what is None."""
    return tuple(table for layer in layers for table in layer if table is not None)


def held(layers: tuple[Layer, ...], positions: int = 1) -> int:
    """Count the elements of parameters and hidden units that one row, or all its positions, goes through."""
    tables: int = sum(math.prod(table.shape[1:]) for table in tables_of(layers))
    return tables + 7 * positions * sum(int(layer.weights.shape[1]) for layer in layers)


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
        From :func:`check_layers`.
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


def blocks(shape: tuple[int, ...], record: int, most: int) -> Iterator[tuple[slice, ...]]:
    """Cut addresses ``(n,)`` or ``(n, k)`` into blocks for which no more than so many elements are held.

    Rows first, and the addresses of one row where these alone are too many.

    Parameters
    ----------
    shape
        That of the addresses.
    record
        Elements that are held for one address: those that are gathered, and what is made of them.
    most
        Elements to hold at once; a block has at least one address.
    """
    record = max(1, record)
    many = shape[1] if len(shape) > 1 else 1
    experts = max(1, min(many, most // record))
    rows = max(1, most // (experts * record))
    for start, first in itertools.product(range(0, shape[0], rows), range(0, many, experts)):
        yield (slice(start, start + rows), slice(first, first + experts))[: len(shape)]
