"""Training of small classifiers in NumPy: a linear map or one hidden layer of ReLUs, softmax, and Adam.

It is what the shipped classifiers are fitted with. Nothing here is counted or scored: a submission may train
with any library.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import DTypeLike, NDArray

    Floats = NDArray[np.floating[Any]]
    Integers = NDArray[np.integer[Any]]

__all__ = ["apply_mlp", "fit_mlp", "flatten"]

_MOMENTS = (0.9, 0.999)  # Adam's decay rates of the first and the second moment
_TINY = 1e-8  # Adam's epsilon
_FLATTEST = 0.05  # of the widest feature's deviation: what varies less is noise, and is not blown up further


def fit_mlp(
    x: Floats,
    y: Integers,
    *,
    classes: int,
    hidden: int,
    rng: np.random.Generator,
    valid: tuple[Floats, Integers] | None = None,
    epochs: int = 12,
    batch: int | None = None,
    rate: float = 0.01,
    decays: Sequence[float] = (0.1, 0.5),
    dtype: DTypeLike = np.float32,
) -> dict[str, NDArray[np.float64]]:
    """Fit a softmax classifier: a linear map, or a layer of ReLUs and a linear map, by Adam.

    Features are centred and scaled for training, and the scaling is folded into the weights afterwards, so
    that it costs nothing when the network is applied. The learning rate falls linearly to 0. Weight decay is
    decoupled from the gradient (Loshchilov and Hutter, arXiv:1711.05101); Adam is that of Kingma and Ba
    (arXiv:1412.6980). The same arguments give the same digits, on one machine with one thread.

    Parameters
    ----------
    x
        Inputs, real ``(n, d)``, n at least 1.
    y
        Labels, integers ``(n,)`` in ``[0, classes)``.
    classes
        How many classes there are.
    hidden
        Width of the hidden layer; 0 for a linear map.
    rng
        Draws the first weights and the order of the samples.
    valid
        Inputs ``(m, d)`` and labels ``(m,)``: of all weight decays and epochs, the weights that get most of
        these right are kept, the first such. Without it, or where it is empty, the first weight decay is
        taken, and its last epoch.
    epochs
        Passes over the samples.
    batch
        Samples per step; None for a 64th of the samples, but at least 32 and at most 128.
    rate
        The learning rate at the start.
    decays
        Weight decays to try, per step and learning rate; biases are not decayed.
    dtype
        What is computed in: float32 is quick, float64 is exact.

    Returns
    -------
    dict of str to numpy.ndarray
        All float64: ``weights`` ``(classes, hidden or d)`` and ``biases`` ``(classes,)``; with a hidden layer
        also ``hidden_weights`` ``(hidden, d)`` and ``hidden_biases`` ``(hidden,)``. See `apply_mlp`.

    Raises
    ------
    ValueError
        If there are no samples, or a label is no class.
    """
    if not len(x) or np.min(y) < 0 or np.max(y) >= classes:
        raise ValueError(f"fit_mlp: expected samples with labels in [0, {classes}), got {len(x)} samples")
    batch = batch or min(max(len(x) // 64, 32), 128)
    scaling, kind = _Scaling.of(x), np.dtype(dtype)
    inputs = scaling.apply(x, kind)
    judge = _Judge(None if valid is None or not len(valid[1]) else (scaling.apply(valid[0], kind), valid[1]))
    for decay in decays if judge.valid else decays[:1]:
        network = _Network(x.shape[1], hidden, classes, kind, rng)
        optimizer = _Adam(network, rate, decay, epochs * math.ceil(len(x) / batch))
        for _ in range(epochs):
            for rows in _batches(rng.permutation(len(x)), batch):
                network.differentiate(inputs[rows], y[rows])
                optimizer.step()
            judge.look(network)
    return scaling.fold(judge.layers)


def apply_mlp(params: dict[str, Any], x: Any) -> Any:
    """Evaluate what `fit_mlp` gave, in array API code.

    Parameters
    ----------
    params
        ``weights`` and ``biases``, and ``hidden_weights`` and ``hidden_biases`` or not.
    x
        Real array ``(n, d)``.

    Returns
    -------
    real array ``(n, classes)``
        The logits. The class is ``xp.argmax(logits, axis=1)``.
    """
    if "hidden_weights" in params:
        xp = x.__array_namespace__()
        x = xp.maximum(x @ params["hidden_weights"].T + params["hidden_biases"], 0.0)
    return x @ params["weights"].T + params["biases"]


def flatten(x: Any) -> Any:
    """Give inputs ``(n, ...)`` as rows ``(n, d)``, in array API code; nothing is computed."""
    return x.__array_namespace__().reshape(x, (x.shape[0], math.prod(x.shape[1:])))


class _Scaling(NamedTuple):
    """What makes features alike: ``(x - mean) * scale``."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def of(cls, x: Floats) -> _Scaling:
        deviation = np.std(x, axis=0, dtype=np.float64)
        widest = float(np.max(deviation, initial=0.0))
        floor = _FLATTEST * widest or 1.0  # 1 where nothing varies at all
        return cls(np.mean(x, axis=0, dtype=np.float64), 1.0 / np.maximum(deviation, floor))

    def apply(self, x: Floats, dtype: np.dtype[Any]) -> Floats:
        centred: Floats = np.asarray(x, dtype=dtype) - self.mean.astype(dtype)
        centred *= self.scale.astype(dtype)
        return centred

    def fold(self, layers: list[Floats]) -> dict[str, NDArray[np.float64]]:
        """Give the layers of a network that does the scaling itself."""
        weights, biases, *rest = (layer.astype(np.float64) for layer in layers)
        first = weights * self.scale
        names = ("hidden_weights", "hidden_biases", "weights", "biases")[-len(layers) :]
        return dict(zip(names, (first, biases - first @ self.mean, *rest), strict=True))


class _Network:
    """A network and its gradient, each in one flat array with a view per layer."""

    def __init__(
        self, features: int, hidden: int, classes: int, dtype: np.dtype[Any], rng: np.random.Generator
    ) -> None:
        widths = (features, hidden, classes) if hidden else (features, classes)
        shapes: list[tuple[int, ...]] = [
            shape for fan, out in itertools.pairwise(widths) for shape in ((out, fan), (out,))
        ]
        self.flat, self.layers = _views(shapes, dtype)
        self.gradient, self.slopes = _views(shapes, dtype)
        self.is_weight, masks = _views(shapes, np.dtype(bool))
        for weights in self.layers[:-2:2]:  # He's deviation; a last layer of zeros answers all classes alike
            weights[:] = rng.standard_normal(weights.shape) * math.sqrt(2.0 / weights.shape[1])
        for mask in masks[::2]:
            mask[:] = True

    def hidden(self, x: Floats) -> Floats:
        """Give what the last layer sees."""
        for weights, biases in zip(self.layers[:-2:2], self.layers[1:-2:2], strict=True):
            x = np.maximum(x @ weights.T + biases, 0)
        return x

    def logits(self, x: Floats) -> Floats:
        return np.asarray(self.hidden(x) @ self.layers[-2].T + self.layers[-1])

    def differentiate(self, x: Floats, y: Integers) -> None:
        """Write the gradient of the mean cross-entropy of a batch into `gradient`."""
        seen = self.hidden(x)
        logits = seen @ self.layers[-2].T + self.layers[-1]
        error = np.exp(logits - logits.max(axis=1, keepdims=True))
        error /= error.sum(axis=1, keepdims=True)
        error[np.arange(len(y)), y] -= 1
        error /= len(y)
        _slopes(error, seen, *self.slopes[-2:])
        if len(self.layers) > 2:  # noqa: PLR2004 - weights and biases of the last layer
            _slopes((error @ self.layers[-2]) * (seen > 0), x, *self.slopes[:2])


class _Adam:
    """Adam with decoupled weight decay and a rate that falls linearly to 0."""

    def __init__(self, network: _Network, rate: float, decay: float, steps: int) -> None:
        self.network = network
        self.rate = rate
        self.decay = decay * network.is_weight.astype(network.flat.dtype)
        self.steps = steps
        self.taken = 0
        self.first, self.second = np.zeros_like(network.flat), np.zeros_like(network.flat)

    def step(self) -> None:
        """Move the network against its gradient."""
        rate = self.rate * (1 - self.taken / self.steps)
        self.taken += 1
        gradient = self.network.gradient
        _approach(self.first, gradient, 1 - _MOMENTS[0])
        _approach(self.second, gradient**2, 1 - _MOMENTS[1])
        lengths = [1 - power**self.taken for power in _MOMENTS]
        move = self.first / (np.sqrt(self.second / lengths[1]) + _TINY)
        move /= lengths[0]
        move += self.decay * self.network.flat
        self.network.flat -= rate * move


def _approach(mean: Floats, value: Floats, share: float) -> None:
    """Move a running mean towards a value by a share of the way."""
    mean *= 1 - share
    mean += share * value


class _Judge:
    """Keeps the layers of the best network so far: the last one, where there is nothing to judge by."""

    def __init__(self, valid: tuple[Floats, Integers] | None) -> None:
        self.valid = valid
        self.layers: list[Floats] = []
        self.right = -1

    def look(self, network: _Network) -> None:
        """Keep a network as it is, if more samples are right than ever."""
        if self.valid is not None:
            x, y = self.valid
            right = int(np.count_nonzero(np.argmax(network.logits(x), axis=1) == y))
            if right <= self.right:
                return
            self.right = right
        self.layers = [layer.copy() for layer in network.layers]


def _views(shapes: list[tuple[int, ...]], dtype: np.dtype[Any]) -> tuple[Any, list[Any]]:
    """Give a flat array of zeros, and a view of it for every shape."""
    ends = np.cumsum([math.prod(shape) for shape in shapes]).tolist()
    flat = np.zeros(ends[-1], dtype=dtype)
    pieces = np.split(flat, ends[:-1])
    return flat, [piece.reshape(shape) for piece, shape in zip(pieces, shapes, strict=True)]


def _slopes(error: Floats, seen: Floats, weights: Floats, biases: Floats) -> None:
    """Write the gradient of a linear layer, given that of its outputs and what it saw."""
    np.matmul(error.T, seen, out=weights)
    np.sum(error, axis=0, out=biases)


def _batches(order: Integers, size: int) -> Iterator[Integers]:
    for start in range(0, len(order), size):
        yield order[start : start + size]
