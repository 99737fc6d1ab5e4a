"""Training of many small perceptrons of one shape at once, each on samples of its own, by Adam in NumPy.

The perceptrons share nothing but the loop: each has its own samples, its own source of randomness and its own
scaling, and no step of one depends on another.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Integers = NDArray[np.integer[Any]]

__all__ = ["Part", "Training", "apply_stacked", "fit_stacked"]

_MOMENTS = (0.9, 0.999)  # Adam's decay rates of the first and the second moment
_TINY = 1e-8  # Adam's epsilon
_FLATTEST = 0.05  # of the widest feature's deviation: what varies less is noise, and is not blown up further
_DRAWN = 64  # steps for which samples are drawn at once
_MARGIN = 1.0  # by which the unit that carries the affine fit is positive on all own samples


class Part(NamedTuple):
    """Samples, and which of them each perceptron has."""

    x: Floats
    """Inputs ``(n, d)``."""
    y: Floats
    """Labels ``(n,)``."""
    rows: Sequence[Integers]
    """Of each perceptron, the numbers of its samples."""


class Training(NamedTuple):
    """How perceptrons are trained."""

    steps: int = 1600
    """Of Adam."""
    batch: int = 32
    """Samples a step, drawn with replacement."""
    rate: float = 0.02
    """The learning rate at the start; it falls linearly to 0."""
    looks: int = 8
    """How often validation samples are looked at, beside the start."""
    ridge: float = 3.0
    """Of the affine fit at the start, in samples."""


def fit_stacked(
    train: Part,
    valid: Part,
    hidden: tuple[int, ...],
    rngs: Sequence[np.random.Generator],
    training: Training | None = None,
) -> list[NDArray[np.float32]]:
    """Fit a perceptron with ReLUs to the squared error on each set of samples.

    Each begins as the affine function of least squares on its own samples: the first unit of every layer
    carries it. The other units of the first layer, whose kinks pass through random own samples, begin unread.
    Of the start and of some moments after it, that with the least error on the own validation samples is
    kept; without such samples the last. Adam is that of Kingma and Ba (arXiv:1412.6980).

    Parameters
    ----------
    train
        What is fitted to: at least one sample for each of N perceptrons.
    valid
        What a moment is chosen by.
    hidden
        Widths of the hidden layers, at least one.
    rngs
        Of each perceptron, the source of its randomness.
    training
        How; by default `Training()`.

    Returns
    -------
    list of numpy.ndarray
        Weights ``(N, out, in)`` and biases ``(N, out)`` of every layer in turns, float32; the last layer has
        one output. See `apply_stacked`.
    """
    how = training or Training()
    scaling = _Scaling.of(train)
    samples = scaling.apply(train)
    layers = _started(samples, hidden, rngs, how.ridge)
    judge = _Judge(scaling.apply(valid))
    judge.look(layers)
    optimizer = _Adam(layers, how)
    for step in range(how.steps):
        if step % _DRAWN == 0:
            drawn = samples.draw(rngs, how.batch)
        picked = drawn[step % _DRAWN]
        optimizer.step(_slopes(layers, samples.x[picked], samples.y[picked]))
        if (step + 1) * how.looks % how.steps < how.looks:
            judge.look(layers)
    return scaling.folded(judge.kept)


def apply_stacked(layers: Sequence[Floats], x: Floats, index: Integers) -> Floats:
    """Evaluate for every row of ``(n, d)`` the perceptron of its index: float64 ``(n,)``."""
    out = np.empty(len(x))
    for own in np.unique(index):
        here = index == own
        out[here] = _forward([layer[own : own + 1] for layer in layers], x[here][None])[-1][0, :, 0]
    return out


class _Samples(NamedTuple):
    """Scaled samples, those of a perceptron beside each other."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    counts: Integers
    """Of each perceptron."""

    @property
    def starts(self) -> Integers:
        return np.cumsum(self.counts) - self.counts

    def draw(self, rngs: Sequence[np.random.Generator], batch: int) -> Integers:
        """Draw samples of each perceptron for some steps: ``(steps, N, batch)``."""
        own = [rng.integers(many, size=(_DRAWN, batch)) for rng, many in zip(rngs, self.counts, strict=True)]
        return np.stack(own, axis=1) + self.starts[:, None]

    def of_each(self) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        ends = np.cumsum(self.counts)[:-1]
        return list(zip(np.split(self.x, ends), np.split(self.y, ends), strict=True))


class _Scaling(NamedTuple):
    """What makes the inputs and the labels of each perceptron alike."""

    centre: Floats
    """``(N, d)``."""
    scale: Floats
    """``(N, d)``."""
    mean: Floats
    """Of the labels ``(N,)``."""
    unit: Floats
    """``(N,)``."""

    @classmethod
    def of(cls, part: Part) -> _Scaling:
        inputs = [part.x[rows].astype(np.float64) for rows in part.rows]
        labels = [part.y[rows].astype(np.float64) for rows in part.rows]
        deviation = np.stack([own.std(axis=0) for own in inputs])
        floor = _FLATTEST * deviation.max(axis=1, keepdims=True)
        unit = np.array([own.std() for own in labels])
        return cls(
            np.stack([own.mean(axis=0) for own in inputs]),
            np.maximum(deviation, np.where(floor > 0, floor, 1.0)),
            np.array([own.mean() for own in labels]),
            np.where(unit > 0, unit, 1.0),
        )

    def apply(self, part: Part) -> _Samples:
        counts = np.array([len(rows) for rows in part.rows])
        rows, own = np.concatenate(part.rows), np.repeat(np.arange(len(counts)), counts)
        inputs = (part.x[rows] - self.centre[own]) / self.scale[own]
        labels = (part.y[rows] - self.mean[own]) / self.unit[own]
        return _Samples(inputs.astype(np.float32), labels.astype(np.float32), counts)

    def folded(self, layers: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Give the layers of perceptrons that do the scaling themselves."""
        first, bias, *middle, last, end = (layer.astype(np.float64) for layer in layers)
        first = first / self.scale[:, None, :]
        bias = bias - np.einsum("nhd,nd->nh", first, self.centre)
        last = last * self.unit[:, None, None]
        end = end * self.unit[:, None] + self.mean[:, None]
        return [layer.astype(np.float32) for layer in (first, bias, *middle, last, end)]


def _started(
    samples: _Samples, hidden: tuple[int, ...], rngs: Sequence[np.random.Generator], ridge: float
) -> list[NDArray[np.float32]]:
    """Draw the first layers of each perceptron, and put its affine fit into the first units."""
    each = [_start(x, y, hidden, rng, ridge) for (x, y), rng in zip(samples.of_each(), rngs, strict=True)]
    return [np.stack(layers).astype(np.float32) for layers in zip(*each, strict=True)]


def _start(
    x: Floats, y: Floats, hidden: tuple[int, ...], rng: np.random.Generator, ridge: float
) -> list[Floats]:
    """Give the first layers of one perceptron."""
    slope, constant = _affine(x.astype(np.float64), y.astype(np.float64), ridge)
    layers: list[Floats] = []
    for seen, width in zip((x.shape[1], *hidden), (*hidden, 1), strict=False):
        layers += [rng.standard_normal((width, seen)) * math.sqrt(2.0 / seen), np.zeros(width)]
        layers[-2][0] = np.eye(seen)[0]
    through = x[rng.integers(len(x), size=hidden[0])]
    layers[1][:] = -np.sum(layers[0] * through, axis=1)
    layers[0][0] = slope
    layers[1][0] = lift = _MARGIN - min(float((x @ slope).min()), 0.0)
    layers[-2][0, 1:] = 0.0
    layers[-1][0] = constant - lift
    return layers


def _affine(x: Floats, y: Floats, ridge: float) -> tuple[Floats, float]:
    """Regress on inputs, by the smaller of the two systems that say so."""
    mean, centre = float(y.mean()), x.mean(axis=0)
    a, b = x - centre, y - mean
    if len(a) < a.shape[1]:
        slope = a.T @ np.linalg.solve(a @ a.T + ridge * np.eye(len(a)), b)
    else:
        slope = np.linalg.solve(a.T @ a + ridge * np.eye(a.shape[1]), a.T @ b)
    return slope, mean - float(centre @ slope)


def _forward(layers: Sequence[Floats], x: Floats) -> list[Floats]:
    """Give what every layer sees, and last what comes out, ``(N, batch, 1)``."""
    seen = [x]
    for weights, biases in zip(layers[:-2:2], layers[1:-2:2], strict=True):
        seen.append(np.maximum(seen[-1] @ weights.swapaxes(1, 2) + biases[:, None, :], 0))
    seen.append(seen[-1] @ layers[-2].swapaxes(1, 2) + layers[-1][:, None, :])
    return seen


def _slopes(layers: Sequence[Floats], x: Floats, y: Floats) -> list[Floats]:
    """Differentiate half the mean squared error of each perceptron on its batch."""
    seen = _forward(layers, x)
    error = (seen.pop() - y[:, :, None]) / x.shape[1]
    slopes: list[Floats] = []
    for weights in reversed(layers[::2]):
        slopes = [error.swapaxes(1, 2) @ seen[-1], error.sum(axis=1), *slopes]
        if len(seen) > 1:
            error = (error @ weights) * (seen.pop() > 0)
    return slopes


class _Adam:
    """Adam with a rate that falls linearly to 0."""

    def __init__(self, layers: list[NDArray[np.float32]], how: Training) -> None:
        self.layers = layers
        self.how = how
        self.taken = 0
        self.moments = [(np.zeros_like(layer), np.zeros_like(layer)) for layer in layers]

    def step(self, slopes: list[Floats]) -> None:
        """Move the layers, in place, against their gradient."""
        rate = self.how.rate * (1 - self.taken / self.how.steps)
        self.taken += 1
        lengths = [1 - power**self.taken for power in _MOMENTS]
        for layer, slope, (first, second) in zip(self.layers, slopes, self.moments, strict=True):
            np.add(first, (1 - _MOMENTS[0]) * (slope - first), out=first)
            np.add(second, (1 - _MOMENTS[1]) * (slope**2 - second), out=second)
            move = first / (np.sqrt(second / lengths[1]) + _TINY)
            np.subtract(layer, (rate / lengths[0]) * move, out=layer)


class _Judge:
    """Keeps the layers of each perceptron from its best moment so far: the last, where nothing judges."""

    def __init__(self, samples: _Samples) -> None:
        most = max(int(samples.counts.max()), 1)
        place = np.arange(most)
        self.real = place < samples.counts[:, None]
        rows = np.where(self.real, samples.starts[:, None] + place, -1)  # -1: nothing, which is put last
        self.x = np.pad(samples.x, ((0, 1), (0, 0)))[rows]
        self.y = np.pad(samples.y, (0, 1))[rows]
        self.least = np.full(len(samples.counts), np.inf)
        self.kept: list[NDArray[np.float32]] = []

    def look(self, layers: list[NDArray[np.float32]]) -> None:
        """Keep those perceptrons that err less than ever."""
        missed = (_forward(layers, self.x)[-1][..., 0] - self.y) ** 2
        error = np.sum(missed * self.real, axis=1)
        better = (error < self.least) | ~self.real.any(axis=1)
        self.least = np.where(better, error, self.least)
        if not self.kept:
            self.kept = [layer.copy() for layer in layers]
        for kept, layer in zip(self.kept, layers, strict=True):
            kept[better] = layer[better]
