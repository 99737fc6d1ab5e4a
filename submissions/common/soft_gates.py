"""Training of differentiable logic gate networks in NumPy (Petersen et al. 2022, arXiv:2210.08277).

A gate reads two signals of the layer before, drawn at random once, and computes a mixture of functions of two
bits, relaxed to numbers in [0, 1] as probabilities of independent bits are: a and b is ab, a or b is
a + b - ab, and so on. The mixture's logits are trained; afterwards every gate is its likeliest function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Integers = NDArray[np.integer[Any]]

__all__ = ["FUNCTIONS", "Layer", "fit_gates"]

FUNCTIONS: dict[str, tuple[float, float, float, float]] = {
    "a": (0, 1, 0, 0),
    "b": (0, 0, 1, 0),
    "and": (0, 0, 0, 1),
    "or": (0, 1, 1, -1),
    "xor": (0, 1, 1, -2),
    "equal": (1, -1, -1, 2),
    "a above b": (0, 1, 0, -1),
    "b above a": (0, 0, 1, -1),
    "a least b": (1, 0, -1, 1),
    "b least a": (1, -1, 0, 1),
    "not a": (1, -1, 0, 0),
    "not b": (1, 0, -1, 0),
}
"""What a gate may be, by its coefficients of 1, a, b and ab: what takes at most one operation."""

_START = 2.0  # logit of "a" at first: a gate passes a signal on, so that gradients reach all layers
_MOMENTS = (0.9, 0.99)
_TINY = 1e-8
_TERMS = np.array(list(FUNCTIONS.values()), dtype=np.float32)  # (functions, 4)


class Layer(NamedTuple):
    """A layer of gates."""

    wires: Integers
    """The signals of the layer before that the gates read, int64 ``(2, g)``."""
    logits: Floats
    """Of the functions of every gate, float32 ``(g, functions)``."""


def fit_gates(
    bits: Floats,
    labels: Integers,
    *,
    classes: int,
    width: int,
    depth: int,
    rng: np.random.Generator,
    epochs: int,
    batch: int = 128,
    rate: float = 0.1,
) -> list[Layer]:
    """Train the gates' functions by Adam on the cross-entropy of the classes' counts.

    The last layer's gates are divided among the classes, and a class's score is how many of its gates are
    true, over a temperature: the root of their number.

    Parameters
    ----------
    bits
        float32 0 and 1, ``(N, m)``.
    labels
        int64 ``(N,)``.
    classes
        How many classes there are.
    width
        Gates of a layer: a multiple of the number of classes.
    depth
        Layers.
    rng
        Draws wires, first logits, and the order of the samples.
    epochs, batch, rate
        Of Adam; the rate falls linearly to 0.

    Returns
    -------
    list of Layer
    """
    layers = _wired(bits.shape[1], width, depth, rng)
    moments = [[np.zeros_like(layer.logits) for layer in layers] for _ in range(2)]
    steps = epochs * (len(bits) // batch)
    columns = np.ascontiguousarray(bits.T)
    for step in range(steps):
        if step % (len(bits) // batch) == 0:
            order = rng.permutation(len(bits))
        rows = order[step % (len(bits) // batch) * batch :][:batch]
        gradients = _gradients(layers, columns[:, rows], labels[rows], classes)
        own = rate * (1 - step / steps)
        for number, (layer, gradient) in enumerate(zip(layers, gradients, strict=True)):
            first, second = moments[0][number], moments[1][number]
            first += (1 - _MOMENTS[0]) * (gradient - first)
            second += (1 - _MOMENTS[1]) * (gradient**2 - second)
            scale = np.sqrt(second / (1 - _MOMENTS[1] ** (step + 1))) + _TINY
            layer.logits[...] -= own / (1 - _MOMENTS[0] ** (step + 1)) * first / scale
    return layers


def _wired(inputs: int, width: int, depth: int, rng: np.random.Generator) -> list[Layer]:
    """Draw wires: every signal is read as often as every other, or once more."""
    layers = []
    for _ in range(depth):
        times = -(-2 * width // inputs)
        drawn = np.concatenate([rng.permutation(inputs) for _ in range(times)])[: 2 * width]
        logits = rng.normal(size=(width, len(FUNCTIONS))).astype(np.float32) * 0.1
        logits[:, 0] += _START
        layers.append(Layer(drawn.reshape(2, width), logits))
        inputs = width
    return layers


def _gradients(layers: list[Layer], signals: Floats, labels: Integers, classes: int) -> list[Floats]:
    """Differentiate the loss of a batch by the logits of every layer; signals are ``(m, rows)``."""
    passed = []
    for wires, logits in layers:
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        one, a, b, both = (shares @ _TERMS).T[:, :, None]
        left, right = signals[wires[0]], signals[wires[1]]
        passed.append((wires, shares, left, right, (a, b, both), len(signals)))
        signals = one + a * left + (b + both * left) * right
    upstream = _of_scores(signals, labels, classes)
    gradients: list[Floats] = []
    for number in range(len(layers) - 1, -1, -1):
        wires, shares, left, right, (a, b, both), inputs = passed[number]
        terms = np.stack(
            [
                upstream.sum(axis=1),
                np.einsum("gr,gr->g", upstream, left),
                np.einsum("gr,gr->g", upstream, right),
                np.einsum("gr,gr->g", upstream * left, right),
            ],
            axis=1,
        )
        by_share = terms @ _TERMS.T
        gradients.append(shares * (by_share - np.sum(shares * by_share, axis=1, keepdims=True)))
        if number:
            both_ways = np.concatenate([upstream * (a + both * right), upstream * (b + both * left)])
            upstream = _gathered(both_ways, wires.reshape(-1), inputs)
    return gradients[::-1]


def _gathered(values: Floats, wires: Integers, inputs: int) -> Floats:
    """Add up the rows that went out from each of the inputs."""
    order = np.argsort(wires, kind="stable")
    starts = np.searchsorted(wires[order], np.arange(inputs))
    return np.add.reduceat(values[order], starts, axis=0)


def _of_scores(signals: Floats, labels: Integers, classes: int) -> Floats:
    """Differentiate the mean cross-entropy by the last layer's signals ``(g, rows)``."""
    many = len(signals) // classes
    scores = signals.reshape(classes, many, -1).sum(axis=1) / np.sqrt(many, dtype=np.float32)
    shares = np.exp(scores - scores.max(axis=0))
    shares /= shares.sum(axis=0)
    shares[labels, np.arange(len(labels))] -= 1
    return np.repeat(shares / (len(labels) * np.sqrt(many, dtype=np.float32)), many, axis=0)
