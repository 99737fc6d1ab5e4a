"""Stacks of layers, with one of each for every expert: an argument that takes several places of a call."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MOST_LAYERS", "Layer", "held", "paired", "stacked", "tables_of"]

MOST_LAYERS = 3
_AXES = 3  # axes of weights (E, h, d)


class Layer(NamedTuple):
    """One layer of every expert."""

    weights: Any
    """Array ``(E, h, d)``."""
    bias: Any
    """Array ``(E, h)``, or None."""


def paired(arrays: Sequence[Any]) -> tuple[Layer, ...]:
    """Return alternating weights and biases as pairs; the last bias may be left out."""
    padded = (*arrays, None) if len(arrays) % 2 else arrays
    return tuple(Layer(*pair) for pair in zip(padded[::2], padded[1::2], strict=True))


def stacked(name: str, arrays: Sequence[Any], features: int) -> tuple[Layer, ...]:
    """Return arrays as layers, or raise an error for those that do not fit.

    Parameters
    ----------
    name
        The name of the primitive.
    arrays
        Weights ``(E, h, d)`` and a bias ``(E, h)`` or None, alternating; the last bias may be left out.
    features
        The length of the first layer's inputs.

    Raises
    ------
    TypeError
        If weights are None.
    ValueError
        If there are no layers or more than 3, or shapes do not fit.
    """
    if not 1 <= len(arrays) <= 2 * MOST_LAYERS:
        got = f"{len(arrays)} arrays"
        raise ValueError(f"{name}: expected weights and biases of 1 to {MOST_LAYERS} layers, got {got}")
    layers = paired(arrays)
    if any(layer.weights is None for layer in layers):
        raise TypeError(f"{name}: expected weights (E, h, d) for every layer, got None")
    experts = layers[0].weights.shape[0] if layers[0].weights.ndim else 0
    width = features
    for layer in layers:
        if not _fits(layer, experts, width):
            got = ", ".join(str(tuple(table.shape)) for table in tables_of(layers))
            expected = f"layers of weights (E, h, d) and bias (E, h), the first one of d = {features}"
            raise ValueError(f"{name}: expected {expected}; got {got}")
        width = layer.weights.shape[1]
    return layers


def _fits(layer: Layer, experts: int, width: int) -> bool:
    shape = tuple(layer.weights.shape)
    fits = len(shape) == _AXES and (shape[0], shape[2]) == (experts, width)
    return fits and (layer.bias is None or tuple(layer.bias.shape) == shape[:2])


def tables_of(layers: tuple[Layer, ...]) -> tuple[Any, ...]:
    """Return the arrays of layers in order, without None."""
    return tuple(table for layer in layers for table in layer if table is not None)


def held(layers: tuple[Layer, ...], positions: int = 1) -> int:
    """Count the elements of parameters and hidden units that one row, or all its positions, goes through."""
    tables: int = sum(math.prod(table.shape[1:]) for table in tables_of(layers))
    return tables + 7 * positions * sum(int(layer.weights.shape[1]) for layer in layers)
