"""Convolutional arithmetic circuits: what tests of all primitives know of them."""

from __future__ import annotations

import functools
import itertools
import operator

import ml_dtypes
import numpy as np

from cuda.case import case
from meter.operands import NO_ROWS, NONE, F
from meter.scalars import common, fold, inner
from meter.slow.arrays import filled
from ops import strict
from ops.specimen import Specimen


def convac_layer(x, weights, *, stride=1):
    dtype, window = common(x, weights), weights.shape[0]
    starts = range(0, x.shape[1] - window + 1, stride)
    multiply = functools.partial(fold, operator.mul, start=None)
    numbers = [
        multiply(
            [inner(plane[channel], x.cells[n, start + j].tolist(), dtype) for j, plane in enumerate(planes)]
        )
        for planes in [weights.cells.tolist()]
        for n, start, channel in itertools.product(range(x.shape[0]), starts, range(weights.shape[1]))
    ]
    return filled(numbers, (x.shape[0], len(starts), weights.shape[1]), dtype)


SPECIMENS = (
    Specimen(
        name="convac_layer",
        strict=(
            ({}, (strict.CUBE, strict.EXPERTS[:2])),
            ({"stride": 2}, (strict.CUBE[:0], strict.EXPERTS[:2])),
        ),
        slow=convac_layer,
        prices=(
            (  # two windows of two places, 3 -> 4 each
                {"stride": 2},
                (np.ones((1, 5, 3), F), np.ones((2, 4, 3), F)),
                {("mul", F): 2 * 4 * (2 * 3 + 1), ("add", F): 2 * 4 * 2 * 2, ("mac", F): 2 * 4 * 2 * 3},
            ),
        ),
        rounded=True,
        free="of no values, zeros",
        numbers={
            "circuit": lambda ops, s: ops.convac_layer(s.x[:, :, None], s.params["table"][:1, :, None])[
                :, :, 0
            ]
        },
        hidden=(({}, (NO_ROWS[:, :, None], NONE[:, :, None])),),
    ),
)

# What backends must agree on ----------------------------------------------------------------------------

BF16 = ml_dtypes.bfloat16


def _circuit(positions, m, window, channels, dtype=np.float32):
    def make(rng, n):
        n = min(n, 300)
        x = rng.standard_normal((n, positions, m)).astype(dtype)
        return x, rng.standard_normal((window, channels, m)).astype(dtype)

    return make


CASES = [
    case("convac_layer", _circuit(9, 3, 2, 4), "windows", stride=2),
    case("convac_layer", _circuit(3, 50, 2, 130), "large"),
    case("convac_layer", _circuit(6, 2, 3, 5, np.float64), "overlap"),
]

BY_ROWS = {"convac_layer": ("x",)}
"""The arguments that have a row for every row of the results."""
