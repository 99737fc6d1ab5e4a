"""A random convolutional arithmetic circuit with overlapping windows as a target (arXiv:1703.02065).

Sharir and Shashua, On the Expressive Power of Overlapping Architectures of Deep Learning, ICLR 2018: layers
in which each place of a window has its own linear map, and the output is the product over the window.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from intervals import Enclosure, enclosing
from problem import Problem, Streams, uniform_problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Float64 = NDArray[np.float64]

INPUTS, WINDOW, CHANNELS, LAYERS = 16, 3, 4, 4
"""N positions, window B of the overlapping layer, D channels, log2 N layers of pairs."""
MIXING = 0.8
"""Length of the random part of a row of weights; its constant part is 1. More makes the output one spike,
less makes it a sum of functions of few inputs."""
BLOCK_LAYERS = 2
"""Layers of pairs of which `circuit_lipschitz` looks at all corners: blocks of 4 positions, 2^12 corners."""


@dataclass(frozen=True)
class Circuit:
    """The weights, the same at all positions of a layer."""

    slopes: list[list[float]]
    """Overlapping layer, ``[place in the window][channel]``: a factor is 1 + slope x, of (1, x)."""
    pairs: list[list[list[list[float]]]]
    """Layers of pairs, ``[layer][left or right][channel out][channel in]``."""
    readout: list[float]
    """From the last channels to the value, ``[channel]``."""


def draw_circuit(rng: np.random.Generator) -> Circuit:
    """Draw weights of which the output is neither a spike nor nearly a sum.

    Channel 0 is the constant 1 everywhere, which lets the others be 1 plus something random: products of
    numbers about 1 do not die out. Slopes are ±U[1/4, 1/2). A row's random part adds up to 0, so that the
    ones of the channels below cancel, and has the length `MIXING`.
    """
    signs, sizes = rng.integers(0, 2, (WINDOW, CHANNELS)), rng.random((WINDOW, CHANNELS))
    slopes = (2.0 * signs - 1.0) * (0.25 + 0.25 * sizes)
    slopes[:, 0] = 0.0
    pairs = [
        [[_row(channel, rng.uniform(-1.0, 1.0, CHANNELS - 1)) for channel in range(CHANNELS)] for _ in "LR"]
        for _ in range(LAYERS)
    ]
    return Circuit(slopes.tolist(), pairs, [0.0, *rng.uniform(-1.0, 1.0, CHANNELS - 1).tolist()])


def _row(channel: int, drawn: Float64) -> list[float]:
    values = drawn.tolist()
    if channel == 0:
        return [1.0] + [0.0] * len(values)
    mean = math.fsum(values) / len(values)
    centred = [value - mean for value in values]
    size = math.sqrt(math.fsum(value * value for value in centred))
    return [1.0] + [MIXING * value / size for value in centred]


def evaluate(circuit: Circuit, x: Sequence[Float64]) -> Float64:
    """Run the circuit on 16 arrays ``(n,)``, one per input → ``(n,)``.

    A window that sticks out at the end is the product over the places it has.
    """
    leaves = [_leaf(circuit, x[position : position + WINDOW]) for position in range(INPUTS)]
    return _dot(circuit.readout, _climb(leaves, circuit.pairs)[0])


def _leaf(circuit: Circuit, window: Sequence[Float64]) -> list[Float64]:
    """Multiply the factors of a window, for each channel."""
    channels = []
    for channel in range(CHANNELS):
        product = circuit.slopes[0][channel] * window[0] + 1.0
        for value, slopes in zip(window[1:], circuit.slopes[1:], strict=False):
            product = product * (slopes[channel] * value + 1.0)
        channels.append(product)
    return channels


def _climb(state: list[list[Any]], pairs: Sequence[Any]) -> list[list[Any]]:
    """Run layers of pairs on positions' channels: arrays, or anything else that adds and multiplies."""
    for left, right in pairs:
        state = [
            [_dot(a, one) * _dot(b, two) for a, b in zip(left, right, strict=True)]
            for one, two in zip(state[0::2], state[1::2], strict=True)
        ]
    return state


def _dot(weights: Sequence[float], values: Sequence[Any]) -> Any:
    total = weights[0] * values[0]
    for weight, value in zip(weights[1:], values[1:], strict=True):
        total = total + weight * value
    return total


def circuit_lipschitz(circuit: Circuit) -> float:
    """Bound the steepness on [-1, 1]^16 by the corners of blocks, and by intervals above them.

    Give each window inputs of its own. The circuit then is affine in each of them, and so is the sum of its
    derivatives by the inputs that were one: both take their extremes at corners of the cube, and the old
    cube is part of the new. So a block of 4 positions, and any row of weights applied to it, is enclosed by
    its values at all 2^12 corners. The layers above run on `Enclosure`. Certain, but far from tight: two
    rows of a block cannot be extreme together, nor can two windows with a common input.
    """
    width = 2**BLOCK_LAYERS
    left, right = circuit.pairs[BLOCK_LAYERS]
    blocks = [_corners(circuit, range(start, start + width)) for start in range(0, INPUTS, width)]
    state = [
        [enclosing(_dot(a, one)) * enclosing(_dot(b, two)) for a, b in zip(left, right, strict=True)]
        for one, two in zip(blocks[0::2], blocks[1::2], strict=True)
    ]
    top: Enclosure = _dot(circuit.readout, _climb(state, circuit.pairs[BLOCK_LAYERS + 1 :])[0])
    return top.steepness()


def _corners(circuit: Circuit, positions: range) -> Float64:
    """Evaluate a block at all corners, each window with inputs of its own: ``(channels, 17, corners)``.

    Entry 0 of 17 is the value, entry i + 1 the derivative by input i, summed over the windows that have it.
    """
    owners = [i for p in positions for i in range(p, min(p + WINDOW, INPUTS))]
    corners = np.array(list(itertools.product((-1.0, 1.0), repeat=len(owners)))).T
    leaves, taken = [], 0
    for p in positions:
        size = min(WINDOW, INPUTS - p)
        leaves.append(_leaf(circuit, corners[taken : taken + size]))
        taken += size
    values = np.stack(_climb(leaves, circuit.pairs[:BLOCK_LAYERS])[0])
    entries = np.zeros((CHANNELS, INPUTS + 1, values.shape[1]))
    entries[:, 0] = values
    cube = values.reshape(CHANNELS, *[2] * len(owners))
    for axis, owner in enumerate(owners):
        slope = np.diff(cube, axis=axis + 1) / 2.0  # affine: half the difference between the two ends
        entries[:, owner + 1] += np.broadcast_to(slope, cube.shape).reshape(CHANNELS, -1)
    return entries


def convac_problem(streams: Streams) -> Problem:
    """Pose ``convac``: a random circuit, x ~ U[-1, 1)^16."""
    circuit = draw_circuit(streams("target"))

    def function(x: Float64) -> Float64:
        return evaluate(circuit, list(np.ascontiguousarray(x.T)))

    return uniform_problem(streams, INPUTS, function, partial(circuit_lipschitz, circuit))


PROBLEMS = {"convac": convac_problem}
