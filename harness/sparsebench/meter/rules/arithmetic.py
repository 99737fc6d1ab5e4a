"""Arithmetic of textbook algorithms over real and complex numbers: its execution and its counts.

NumPy multiplies long runs of complex numbers by other code than short ones, so the last bit of a product may
depend on its neighbours. Here complex arithmetic is made of real products and sums, which do not depend on
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.meter.rules.complexes import FORMULAS, component
from sparsebench.ops.charges import Charge, inner_product, name_of
from sparsebench.ops.core import steady

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "floating",
    "inner_products",
    "magnitude",
    "over",
    "product",
    "reciprocal",
    "squared",
    "tally",
    "times",
    "total",
]

# The real operations that an operation takes, by kind: for real numbers, and for complex ones.
_REAL: dict[str, Mapping[str, int]] = {
    "abs": {"cmp": 1},
    "add": {"add": 1},
    "add_real": {"add": 1},
    "cmp": {"cmp": 1},
    "div": {"div": 1},
    "div_real": {"div": 1},
    "log": {"special": 1},
    "mul": {"mul": 1},
    "nonzero": {"cmp": 1},
    "pow": {"special": 1},
    "recip": {"div": 1},
    "sign": {"cmp": 2},
    "size": {"cmp": 1},
    "sqrt": {"sqrt": 1},
    "square": {"mul": 1},
}
_COMPLEX: dict[str, Mapping[str, int]] = _REAL | {
    "abs": FORMULAS["abs"].counts,
    "add": FORMULAS["add"].counts,
    "div": FORMULAS["divide"].counts,
    "div_real": {"div": 2},
    "mul": FORMULAS["multiply"].counts,
    "nonzero": FORMULAS["not_equal"].counts,
    "sign": {"div": 2},  # z / |z|, where |z| is known
    "size": {"cmp": 2, "add": 1},  # |a| + |b|
    "square": {"mul": 2, "add": 1},  # a² + b²
}


def tally(dtype: np.dtype[Any], times: int = 1, **counts: int) -> tuple[Charge, ...]:
    """Return the charges of operations on numbers of a dtype, as the real operations that they consist of.

    Parameters
    ----------
    dtype
        The numbers' dtype.
    times
        The number of repetitions of all of it.
    **counts
        How many operations: ``add``, ``mul``, ``div``, ``abs``; ``square`` of the absolute value; ``size``,
        which pivots are chosen by; ``sign``, given the absolute value; ``nonzero``; ``add_real`` and
        ``div_real`` with a real number; of real numbers ``cmp``, ``sqrt``, ``log``, ``pow`` and ``recip``;
        ``lookup`` and ``load``.

    Returns
    -------
    tuple of Charge
        Without charges of 0.
    """
    table = _COMPLEX if dtype.kind == "c" else _REAL
    amounts: dict[str, int] = {}
    for operation, count in counts.items():
        for kind, each in table.get(operation, {operation: 1}).items():
            amounts[kind] = amounts.get(kind, 0) + count * each * times
    names = {"lookup": "int64", "load": name_of(dtype)}
    real = name_of(component(dtype))
    return tuple(Charge(kind, names.get(kind, real), amount) for kind, amount in amounts.items() if amount)


def inner_products(outputs: int, length: int, dtype: np.dtype[Any]) -> tuple[Charge, ...]:
    """Return the charges of inner products, as :func:`sparsebench.ops.charges.inner_product`, of any dtype.

    A complex one of length k is 4k real multiplications and 2k + 2(k - 1) additions.
    """
    if dtype.kind != "c" or not length:
        return inner_product(outputs, length, dtype)
    macs = Charge("mac", name_of(component(dtype)), 4 * outputs * length)
    return (*tally(dtype, outputs, mul=length, add=length - 1), macs)


def floating(name: str, *arrays: Any) -> None:
    """Refuse arrays that do not have floating dtypes.

    Raises
    ------
    TypeError
        If one is of integers or booleans.
    """
    for array in arrays:
        if array.dtype.kind not in "fc":
            raise TypeError(
                f"{name}: expected a floating dtype, got {array.dtype}; cast to float32 or float64 first"
            )


def times(a: Any, b: Any) -> Any:
    """Multiply element by element."""
    if np.result_type(a, b).kind != "c":
        return a * b
    if a.dtype.kind != "c":
        return _whole(a * b.real, a * b.imag)
    if b.dtype.kind != "c":
        return _whole(a.real * b, a.imag * b)
    return _whole(a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real)


def over(a: Any, b: Any) -> Any:
    """Divide floats element by element; by a real number part by part."""
    if a.dtype.kind != "c":
        return a / b
    if b.dtype.kind != "c":
        return _whole(a.real / b, a.imag / b)
    above, below = times(a, np.conj(b)), squared(b)
    return _whole(above.real / below, above.imag / below)


def reciprocal(a: Any) -> Any:
    """Divide 1 by floats, element by element."""
    return over(np.ones((), a.dtype), a)


def squared(a: Any) -> Any:
    """Compute the squared absolute value element by element."""
    return a.real * a.real + a.imag * a.imag if a.dtype.kind == "c" else a * a


def magnitude(a: Any) -> Any:
    """Compute the absolute value element by element."""
    return steady.evaluate(np.hypot, a.real, a.imag) if a.dtype.kind == "c" else np.abs(a)


def total(a: Any, axes: tuple[int, ...], *, keepdims: bool = False) -> Any:
    """Sum over axes, in the dtype of ``a``."""
    if a.dtype.kind == "c":
        return _whole(*(total(part, axes, keepdims=keepdims) for part in (a.real, a.imag)))
    return steady.fold(_sum, a, axes, keepdims=keepdims)


def _sum(lane: Any, *, axis: int) -> Any:
    return np.sum(lane, axis=axis, dtype=lane.dtype)


def product(a: Any, b: Any) -> Any:
    """Multiply matrices as :func:`sparsebench.ops.core.steady.matmul` does, complex ones by components."""
    dtype = np.result_type(a, b)
    if dtype.kind != "c":
        return steady.matmul(a, b)
    (a_real, a_imag), (b_real, b_imag) = (_parts(x, component(dtype)) for x in (a, b))
    return _whole(
        steady.matmul(a_real, b_real) - steady.matmul(a_imag, b_imag),
        steady.matmul(a_real, b_imag) + steady.matmul(a_imag, b_real),
    )


def _parts(a: Any, dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Copy the real and imaginary parts."""
    return np.array(a.real, dtype, order="C"), np.array(a.imag, dtype, order="C")


def _whole(real: Any, imag: Any) -> Any:
    """Put complex numbers together."""
    whole = np.empty(np.shape(real), np.result_type(real, np.complex64))
    whole.real = real
    whole.imag = imag
    return whole
