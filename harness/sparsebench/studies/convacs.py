"""Convolutional arithmetic circuits, exactly: matricization ranks of their grid tensors, parameters, costs.

Sharir and Shashua, *On the expressive power of overlapping architectures of deep learning* (ICLR 2018,
arXiv:1703.02065). A circuit reads N positions, each with one of M templates; its outputs for all M**N inputs
are its grid tensor. The rank of the tensor as a matrix, the positions of one half against those of the other,
says which dependences between the halves it can express.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sparsebench.studies.modular import matmul_modulo, rank_modulo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

__all__ = [
    "Circuit",
    "Layer",
    "grid_tensor",
    "halves",
    "macs",
    "matricization_rank",
    "overlapping_first",
    "parameters",
    "tree",
]


class Layer(NamedTuple):
    """A layer: every place of a window has a linear map, and an output is the product over the window."""

    window: int
    stride: int
    channels: int
    """Of the output."""


class Circuit(NamedTuple):
    """A circuit without biases: layers, and one linear output of the last position."""

    positions: int
    """N, a power of two."""
    templates: int
    """M: the representation of a position is one of so many unit vectors, as a grid tensor has it."""
    layers: tuple[Layer, ...]


def tree(positions: int, templates: int, channels: int, window: int = 2) -> Circuit:
    """Return layers of stride 2 down to one position; with windows of 2 nothing overlaps."""
    depth = positions.bit_length() - 1
    return Circuit(positions, templates, (Layer(window, 2, channels),) * depth)


def overlapping_first(positions: int, templates: int, channels: int, width: int) -> Circuit:
    """Return the tree with one layer of stride 1 and a window's width before it; none for a width of 1."""
    plain = tree(positions, templates, channels)
    if width == 1:
        return plain
    return plain._replace(layers=(Layer(width, 1, channels), *plain.layers))


def _sizes(circuit: Circuit) -> list[tuple[Layer, int, int]]:
    """Return each layer with the channels that it reads and the positions that it gives."""
    found, read, positions = [], circuit.templates, circuit.positions
    for layer in circuit.layers:
        positions = -(-positions // layer.stride)
        found.append((layer, read, positions))
        read = layer.channels
    return found


def parameters(circuit: Circuit) -> int:
    """Count the weights: window x read x channels of every layer, and one a channel of the output."""
    return sum(layer.window * read * layer.channels for layer, read, _ in _sizes(circuit)) + (
        circuit.layers[-1].channels
    )


def macs(circuit: Circuit) -> int:
    """Count multiply-accumulates: a linear map and a factor of the product for every place of a window.

    Places beyond the end contribute the factor 1, and are counted like the others.
    """
    return sum(
        positions * layer.window * layer.channels * (read + 1) for layer, read, positions in _sizes(circuit)
    ) + (circuit.layers[-1].channels)


def grid_tensor(circuit: Circuit, rng: np.random.Generator, prime: int) -> Integers:
    """Return a circuit's outputs for all inputs, with random weights modulo a prime.

    Parameters
    ----------
    circuit
        The circuit.
    rng
        Draws the weights, uniform residues.
    prime
        A prime below 2**31.

    Returns
    -------
    numpy.ndarray
        Residues ``(M,) * N``: the templates of the positions -> the output.
    """
    size, m = circuit.positions, circuit.templates
    inputs = np.indices((m,) * size).reshape(size, -1).T
    seen = np.eye(m, dtype=np.int64)[inputs]  # (inputs, positions, channels)
    for layer, read, positions in _sizes(circuit):
        weights = rng.integers(1, prime, (layer.window, read, layer.channels))
        out = np.ones((len(inputs), positions, layer.channels), dtype=np.int64)
        for place in range(layer.window):
            mapped = matmul_modulo(seen[:, place :: layer.stride], weights[place], prime)
            out[:, : mapped.shape[1]] = out[:, : mapped.shape[1]] * mapped % prime
        seen = out
    readout = rng.integers(1, prime, (seen.shape[-1], 1))
    return matmul_modulo(seen[:, 0], readout, prime)[:, 0].reshape((m,) * size)


def halves(positions: int, how: str) -> Sequence[int]:
    """Return the positions of the first half: ``left`` ones, or every other (``odd``)."""
    return range(positions // 2) if how == "left" else range(0, positions, 2)


def matricization_rank(circuit: Circuit, first: Sequence[int], rng: np.random.Generator, prime: int) -> int:
    """Return the rank of a random grid tensor, some positions against the others: almost surely the largest.

    Parameters
    ----------
    circuit
        The circuit.
    first
        The positions of the rows.
    rng, prime
        As for `grid_tensor`.
    """
    tensor = grid_tensor(circuit, rng, prime)
    others = [place for place in range(circuit.positions) if place not in first]
    return rank_modulo(
        tensor.transpose([*first, *others]).reshape(circuit.templates ** len(first), -1), prime
    )
