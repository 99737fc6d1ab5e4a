"""NumPy as a namespace in which a row's bits do not depend on the rows beside it.

A reference that is written for any namespace ``xp`` becomes a CPU implementation when it is given this one:
sums, function evaluations and products are those of :mod:`sparsebench.ops.core.steady`, all else is NumPy's.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.core import steady

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ON_NUMPY"]


def _folding(function: Callable[..., Any]) -> Callable[..., Any]:
    def fold(x: Any, *, axis: int | tuple[int, ...], keepdims: bool = False, **kwargs: Any) -> Any:
        axes = tuple(place % x.ndim for place in (axis if isinstance(axis, tuple) else (axis,)))
        return steady.fold(functools.partial(function, **kwargs), x, axes, keepdims=keepdims)

    return fold


def _mean(lane: Any, *, axis: int) -> Any:
    """Divide a sum, as the meter does."""
    return np.divide(np.sum(lane, axis=axis), lane.shape[axis])


def _matmul(a: Any, b: Any) -> Any:
    """Multiply ``(s, n, k)`` by ``(s, k, m)``: every element of the result is an inner product of its own.

    So neither the rows of ``a`` nor the columns of ``b`` nor the members of the stacks see their neighbours:
    each may stand for the inputs of a batch.
    """
    rows, columns = np.ascontiguousarray(a), np.ascontiguousarray(np.matrix_transpose(b))
    return steady.matmul(rows[:, :, None, None, :], columns[:, None, :, :, None])[..., 0, 0]


class _OnNumpy:
    """Functions that take care of bits; all others are NumPy's."""

    sum = staticmethod(_folding(np.sum))
    max = staticmethod(_folding(np.max))
    mean = staticmethod(_folding(_mean))
    exp = staticmethod(functools.partial(steady.evaluate, np.exp))
    log = staticmethod(functools.partial(steady.evaluate, np.log))
    tanh = staticmethod(functools.partial(steady.evaluate, np.tanh))
    matmul = staticmethod(_matmul)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


ON_NUMPY = _OnNumpy()
"""The namespace."""
