"""NumPy as a batch-invariant namespace: a row's bits do not depend on other rows.

With this namespace, a reference that is written for any ``xp`` becomes a CPU implementation: sums, function
evaluations and products are those of :mod:`sparsebench.ops.core.steady`, all else is NumPy's.
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
    """Multiply ``(s, n, k)`` by ``(s, k, m)``: every element of the result is a separate inner product.

    So the rows of ``a``, the columns of ``b`` and the members of the stacks do not depend on their
    neighbours: any of these axes may be that of a batch's inputs.
    """
    rows, columns = np.ascontiguousarray(a), np.ascontiguousarray(np.matrix_transpose(b))
    return steady.matmul(rows[:, :, None, None, :], columns[:, None, :, :, None])[..., 0, 0]


class _OnNumpy:
    """The batch-invariant functions; all others are NumPy's."""

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
