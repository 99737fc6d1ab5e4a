"""Factorizations of stacks of matrices, step by step as in textbooks.

They run on a whole stack at once, but never mix its matrices, and use nothing but arithmetic on one element
each and :func:`sparsebench.ops.core.steady.fold`. So the bits of a matrix, and of a column of a right-hand
side, do not depend on the others, which LAPACK does not guarantee. The numbers of operations are in
:mod:`sparsebench.meter.rules.factorization_counts`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from sparsebench.meter.rules.arithmetic import magnitude, over, reciprocal, squared, times, total
from sparsebench.ops.core import steady

__all__ = ["cholesky", "determinant", "householder", "log_determinant", "reflections", "solve"]


def _stacked(x: Any, *lengths: int) -> Any:
    """Copy ``(..., m, n)`` to a contiguous ``(stack, m, n)``, or to other lengths than m and n."""
    m, n = lengths or x.shape[-2:]
    return np.array(x, order="C").reshape(math.prod(x.shape[:-2]), m, n)


def _eliminate(a: Any, n: int) -> Any:
    """Eliminate below the diagonal, in place, with partial pivoting.

    Parameters
    ----------
    a
        Array ``(stack, n, n)`` or wider; further columns go along.
    n
        The number of columns to eliminate. Afterwards the elements below the diagonal have no meaning.

    Returns
    -------
    array of bool ``(stack, max(n - 1, 0))``
        The steps in which two rows were exchanged.
    """
    stack = np.arange(len(a))
    exchanged = np.zeros((len(a), max(n - 1, 0)), dtype=bool)
    for k in range(n - 1):
        chosen = k + np.argmax(_size(a[:, k:, k]), axis=1)
        exchanged[:, k] = chosen != k
        a[stack, chosen], a[:, k] = a[:, k].copy(), a[stack, chosen]
        pivot = a[:, k, k, None]
        factors = over(a[:, k + 1 :, k], pivot)
        factors[np.broadcast_to(pivot == 0, factors.shape)] = 0  # nothing remains to be eliminated
        a[:, k + 1 :, k + 1 :] -= times(factors[:, :, None], a[:, k, None, k + 1 :])
    return exchanged


def _size(a: Any) -> Any:
    """Return the size of numbers for the choice of pivots: |a| + |b| for a + bi."""
    return np.abs(a.real) + np.abs(a.imag) if a.dtype.kind == "c" else np.abs(a)


def solve(a: Any, b: Any) -> Any:
    """Solve systems of linear equations.

    Parameters
    ----------
    a, b
        Arrays ``(..., n, n)`` and ``(..., n, k)`` of one floating dtype and equal stacks.

    Returns
    -------
    array ``(..., n, k)``

    Raises
    ------
    numpy.linalg.LinAlgError
        If a matrix is singular.
    """
    n = a.shape[-1]
    whole = _stacked(np.concatenate((a, b), axis=-1))
    _eliminate(whole, n)
    pivots = np.diagonal(whole, axis1=-2, axis2=-1)
    if (pivots == 0).any():
        raise np.linalg.LinAlgError("singular matrix")
    found = whole[:, :, n:]
    for k in reversed(range(n)):
        found[:, k] = over(found[:, k], pivots[:, k, None])
        found[:, :k] -= times(whole[:, :k, k, None], found[:, k, None])
    return np.ascontiguousarray(found).reshape(b.shape)


def _pivots(x: Any) -> tuple[Any, Any]:
    """Eliminate, and return the pivots and the exchanges of all steps along the first axis."""
    work = _stacked(x)
    exchanged = _eliminate(work, x.shape[-1])
    return np.diagonal(work, axis1=-2, axis2=-1).T, exchanged.T


def determinant(x: Any) -> Any:
    """Compute determinants of ``(..., n, n)``, as products of the pivots."""
    pivots, exchanged = _pivots(x)
    return _signed_product(pivots, exchanged, x).reshape(x.shape[:-2])


def _signed_product(factors: Any, exchanged: Any, x: Any) -> Any:
    """Multiply up along the first axis, and negate for every exchange."""
    found = np.ones(math.prod(x.shape[:-2]), dtype=x.dtype)
    for k, factor in enumerate(factors):
        found = times(found, factor) if k else factor
        if k < len(exchanged):
            found = np.where(exchanged[k], -found, found)
    return found


def log_determinant(x: Any) -> tuple[Any, Any]:
    """Compute signs of determinants of ``(..., n, n)``, and logarithms of their absolute values."""
    pivots, exchanged = _pivots(x)
    absolute = magnitude(pivots)
    signs = over(pivots, np.where(absolute == 0, 1, absolute)) if x.dtype.kind == "c" else np.sign(pivots)
    sign = _signed_product(signs, exchanged, x)
    log = total(steady.evaluate(np.log, absolute), (0,))
    return sign.reshape(x.shape[:-2]), log.reshape(x.shape[:-2])


def cholesky(x: Any) -> Any:
    """Decompose ``(..., n, n)`` into L times its conjugate transpose, without reading above the diagonal.

    Raises
    ------
    numpy.linalg.LinAlgError
        If a matrix is not positive definite.
    """
    a = _stacked(x)
    for k in range(a.shape[-1]):
        pivot = a[:, k, k].real
        if not (pivot > 0).all():
            raise np.linalg.LinAlgError("not positive definite")
        root = np.sqrt(pivot)
        column = over(a[:, k + 1 :, k], root[:, None])
        a[:, k, k] = root
        a[:, k + 1 :, k] = column
        a[:, k + 1 :, k + 1 :] -= times(column[:, :, None], np.conj(column)[:, None, :])
    return np.tril(a).reshape(x.shape)


class _Reflection(NamedTuple):
    """The reflection I - tau v v^H, where v is 1 in row k and 0 above."""

    k: int
    tau: Any
    """``(stack,)``."""
    tail: Any
    """What is below the 1 in v, ``(stack, m - k - 1)``."""

    def apply(self, columns: Any, tau: Any) -> None:
        """Apply it, with another ``tau``, to ``(stack, m - k, columns)`` in place."""
        along = columns[:, 0] + total(times(np.conj(self.tail)[:, :, None], columns[:, 1:]), (1,))
        along = times(tau[:, None], along)
        columns[:, 0] -= along
        columns[:, 1:] -= times(self.tail[:, :, None], along[:, None, :])


def reflections(m: int, n: int, dtype: np.dtype[Any]) -> int:
    """Return the number of reflections that make ``(m, n)`` upper triangular with a real diagonal."""
    return min(m if dtype.kind == "c" else max(m - 1, 0), n)


def householder(x: Any, columns: int) -> tuple[Any, Any]:
    """Decompose ``(..., m, n)`` into Q with orthonormal columns times R, upper triangular.

    Parameters
    ----------
    x
        Array ``(..., m, n)``.
    columns
        The number of columns of Q, and of rows of R: from min(m, n) to m.
    """
    (m, n), stack = x.shape[-2:], x.shape[:-2]
    r = _stacked(x)
    done = []
    for k in range(reflections(m, n, x.dtype)):
        done.append(_reflection(r, k))
        done[-1].apply(r[:, k:, k + 1 :], np.conj(done[-1].tau))
    q = np.zeros((len(r), m, columns), dtype=x.dtype)
    q[:, range(columns), range(columns)] = 1
    for step in reversed(done):
        step.apply(q[:, step.k :, step.k :], step.tau)
    return q.reshape(*stack, m, columns), np.triu(r)[:, :columns].reshape(*stack, columns, n)


def _reflection(r: Any, k: int) -> _Reflection:
    """Find the reflection that clears column k below the diagonal, and put its result on the diagonal."""
    head, tail = r[:, k, k].copy(), r[:, k + 1 :, k]
    norm = np.sqrt(total(squared(r[:, k:, k]), (1,)))
    signed = np.where(head.real < 0, -norm, norm)
    flat = (tail == 0).all(axis=1) & (head.imag == 0)  # already in its final form
    r[:, k, k] = np.where(flat, head.real, -signed)
    head += signed
    tau = over(head, signed)
    below = times(tail, reciprocal(head)[:, None])
    tau[flat] = 0
    below[flat] = 0
    return _Reflection(k, tau, below)
