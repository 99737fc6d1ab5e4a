"""What the trainers share: features on one scale, Adam, batches, and the gradient of softmax.

Nothing here is counted or scored.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import DTypeLike, NDArray

    Floats = NDArray[np.floating[Any]]
    Integers = NDArray[np.integer[Any]]

__all__ = ["Adam", "Scaling", "batches", "half_cosine", "linear", "softmax_slopes", "views"]

_MOMENTS = (0.9, 0.999)  # Adam's decay rates of the first and the second moment
_TINY = 1e-8  # Adam's epsilon
_FAINT = (
    1e-15  # of a gradient: added, so that the moments of dead units do not become subnormal, which is slow
)
_NEVER = -30.0  # below the largest logit a probability is as good as 0: subnormal ones are slow as well
_FLATTEST = 0.05  # of the widest feature's deviation: what varies less is noise, and is not blown up further


class Scaling(NamedTuple):
    """What makes features alike, ``(x - mean) * scale``, so that one learning rate suits them all.

    A network that is trained on scaled features is folded afterwards, so that the scaling costs nothing when
    it is applied.
    """

    mean: NDArray[np.float64]
    """``(d,)``."""
    scale: NDArray[np.float64]
    """``(d,)``."""

    @classmethod
    def of(cls, x: Floats) -> Scaling:
        """Look at inputs ``(n, d)``: features that hardly vary are not blown up beyond the others."""
        deviation = np.std(x, axis=0, dtype=np.float64)
        floor = _FLATTEST * float(np.max(deviation, initial=0.0)) or 1.0  # 1 where nothing varies at all
        return cls(np.mean(x, axis=0, dtype=np.float64), 1.0 / np.maximum(deviation, floor))

    def apply(self, x: Floats, dtype: DTypeLike = np.float32) -> Floats:
        """Scale inputs ``(n, d)``."""
        centred: Floats = np.asarray(x, dtype=dtype) - self.mean.astype(dtype)
        centred *= self.scale.astype(dtype)
        return centred

    def fold(self, weights: Floats, biases: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give a layer ``(h, d)`` and ``(h,)`` that does the scaling itself: ``x @ weights.T + biases``."""
        folded = weights.astype(np.float64) * self.scale
        return folded, biases.astype(np.float64) - folded @ self.mean


def linear(share: float) -> float:
    """Fall from 1 to 0 in a straight line, as training goes on from 0 to 1."""
    return 1.0 - share


def half_cosine(share: float) -> float:
    """Fall from 1 to 0 along half a cosine, as training goes on from 0 to 1 (arXiv:1608.03983, eq. 5)."""
    return (1.0 + math.cos(math.pi * share)) / 2.0


class Adam:
    """Adam (Kingma and Ba, arXiv:1412.6980) with decoupled weight decay (arXiv:1711.05101).

    Parameters
    ----------
    flat
        What is trained, real ``(p,)``. It is changed in place.
    is_weight
        Which of them are weights, bool ``(p,)``: biases are not decayed.
    steps
        How many there will be.
    rate
        The learning rate at the start.
    decay
        Weight decay per step and learning rate.
    schedule
        What the learning rate is multiplied by, given the share of the steps that were taken.
    """

    def __init__(
        self,
        flat: Floats,
        is_weight: NDArray[np.bool],
        *,
        steps: int,
        rate: float,
        decay: float = 0.0,
        schedule: Callable[[float], float] = linear,
    ) -> None:
        self.flat = flat
        self.decay = decay * is_weight.astype(flat.dtype) if decay else None
        self.rate, self.schedule = rate, schedule
        self.steps, self.taken = steps, 0
        self.first, self.second = np.zeros_like(flat), np.zeros_like(flat)

    def step(self, gradient: Floats) -> None:
        """Move against a gradient ``(p,)``."""
        rate = self.rate * self.schedule(self.taken / self.steps)
        self.taken += 1
        gradient = gradient + gradient.dtype.type(_FAINT)
        _approach(self.first, gradient, 1 - _MOMENTS[0])
        _approach(self.second, gradient**2, 1 - _MOMENTS[1])
        lengths = [1 - power**self.taken for power in _MOMENTS]
        move = self.first / (np.sqrt(self.second / lengths[1]) + _TINY)
        move /= lengths[0]
        if self.decay is not None:
            move += self.decay * self.flat
        move *= rate
        self.flat -= move


def _approach(mean: Floats, value: Floats, share: float) -> None:
    """Move a running mean towards a value by a share of the way."""
    mean *= 1 - share
    mean += share * value


def views(shapes: Sequence[tuple[int, ...]], dtype: np.dtype[Any]) -> tuple[Any, list[Any]]:
    """Give a flat array of zeros, and a view of it for every shape."""
    ends = np.cumsum([math.prod(shape) for shape in shapes], dtype=np.int64).tolist()
    flat = np.zeros(ends[-1] if ends else 0, dtype=dtype)
    pieces = np.split(flat, ends[:-1])
    return flat, [piece.reshape(shape) for piece, shape in zip(pieces, shapes, strict=False)]


def batches(order: Integers, size: int) -> Iterator[Integers]:
    """Cut numbers of samples into pieces of a size, the last one perhaps smaller."""
    for start in range(0, len(order), size):
        yield order[start : start + size]


def softmax_slopes(logits: Floats, labels: Integers) -> Floats:
    """Give the gradient of the mean cross-entropy by the logits.

    Parameters
    ----------
    logits
        Real ``(n, c)``.
    labels
        Integers ``(n,)`` in ``[0, c)``.
    """
    slopes: Floats = np.exp(np.maximum(logits - logits.max(axis=1, keepdims=True), _NEVER))
    slopes /= slopes.sum(axis=1, keepdims=True)
    slopes[np.arange(len(labels)), labels] -= 1
    slopes /= len(labels)
    return slopes
