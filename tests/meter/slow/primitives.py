"""What the slow counts of several primitives share; they themselves stand with their families' specimens."""

from __future__ import annotations

import numpy as np

from meter.scalars import common, inner


def halvings(options):
    """How often a set must be halved until one is left."""
    depth = 0
    while 2**depth < options:
        depth += 1
    return depth


def joint_dtype(*arrays):
    """The dtype of several arrays, some of which may be None."""
    return common(*(array for array in arrays if array is not None))


def paired(layers):
    """Weights and biases, which stand in turns."""
    padded = [*layers, None] if len(layers) % 2 else layers
    return list(zip(padded[::2], padded[1::2], strict=True))


def through(row, dtype, pairs, function):
    """Send a row through layers of one expert."""
    for place, (weights, bias) in enumerate(pairs):
        row = [function(one) for one in row] if place else row
        dtype = np.result_type(dtype, weights.dtype)
        row = [inner(plane, row, dtype) for plane in weights.cells.tolist()]
        if bias is not None:
            row = [one + other for one, other in zip(row, bias.flat(), strict=True)]
            dtype = np.result_type(dtype, bias.dtype)
    return row
