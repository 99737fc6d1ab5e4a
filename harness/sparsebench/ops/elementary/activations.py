"""Activations: functions of single numbers, and the soft choices along an axis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.charges import Charge, name_of
from sparsebench.ops.core.checks import NUMBER, REAL, check_axis, check_dtypes
from sparsebench.ops.core.on_numpy import ON_NUMPY
from sparsebench.ops.core.primitive import primitive

__all__ = ["logsumexp", "prelu", "relu", "sigmoid", "softmax", "swish"]

_REAL_WORDS = "real numbers (xp.astype makes them of integers)"


def _relu_cost(x: Any) -> tuple[Charge, ...]:
    check_dtypes("relu", NUMBER, "numbers that are not complex", x)
    return (Charge("cmp", name_of(x.dtype), int(x.size)),)


def _relu_elements(x: Any) -> int:
    return 2 * int(x.size)


def _relu_steady(x: Any) -> Any:
    check_dtypes("relu", NUMBER, "numbers that are not complex", x)
    return np.where(x <= 0, np.zeros_like(x), x)  # the zero of -0.0 is 0.0, in every place of memory


@primitive(
    cost=_relu_cost,
    elements=_relu_elements,
    steady=_relu_steady,
    price="1 comparison per element",
    example="h = ops.relu(x @ w)",
)
def relu(x: Any) -> Any:
    """Put 0 in the place of what is not above 0; NaN stays NaN.

    Parameters
    ----------
    x
        Array of integers or real numbers, of any shape.

    Returns
    -------
    array of the shape and the dtype of ``x``

    Raises
    ------
    TypeError
        If ``x`` is boolean or complex.
    """
    check_dtypes("relu", NUMBER, "numbers that are not complex", x)
    xp = x.__array_namespace__()
    return xp.maximum(x, xp.zeros_like(x))


def _check_prelu(x: Any, slope: Any) -> None:
    check_dtypes("prelu", REAL, _REAL_WORDS, x, *((slope,) if hasattr(slope, "dtype") else ()))
    if isinstance(slope, complex):
        raise TypeError("prelu: expected a real slope, got a complex number")


def _prelu_shape(x: Any, slope: Any) -> int:
    return math.prod(np.broadcast_shapes(x.shape, getattr(slope, "shape", ())))


def _prelu_cost(x: Any, slope: Any) -> tuple[Charge, ...]:
    _check_prelu(x, slope)
    common = np.result_type(x.dtype, getattr(slope, "dtype", slope))
    shape = _prelu_shape(x, slope)
    return (
        Charge("cmp", name_of(x.dtype), int(x.size)),
        Charge("mul", name_of(common), shape),
        Charge("select", name_of(common), shape),
    )


def _prelu_elements(x: Any, slope: Any) -> int:
    return 2 * _prelu_shape(x, slope)


@primitive(
    cost=_prelu_cost,
    elements=_prelu_elements,
    price="1 comparison, 1 multiplication and 1 selection per element",
    example="h = ops.prelu(x @ w, slope)",
)
def prelu(x: Any, slope: Any) -> Any:
    """Multiply what is not above 0 by a slope (He et al. 2015, arXiv:1502.01852, equation 1).

    Parameters
    ----------
    x
        Real array of any shape.
    slope
        Real array whose shape broadcasts with that of ``x``, as ``(c,)`` for a
        slope per channel of ``(n, c)``; or a Python number.

    Returns
    -------
    real array
        ``x`` where ``x > 0``, else ``slope * x``; NaN stays NaN.

    Raises
    ------
    TypeError
        If one of them is not real.
    ValueError
        If the shapes do not fit.
    """
    _check_prelu(x, slope)
    xp = x.__array_namespace__()
    return xp.where(x > 0, x, slope * x)


def _logistic_charges(name: str, x: Any) -> tuple[Charge, ...]:
    """Charge a negation, an exponential, an addition and a division per element."""
    check_dtypes(name, REAL, _REAL_WORDS, x)
    dtype, size = name_of(x.dtype), int(x.size)
    return (Charge("add", dtype, 2 * size), Charge("special", dtype, size), Charge("div", dtype, size))


def _swish_cost(x: Any) -> tuple[Charge, ...]:
    return _logistic_charges("swish", x)


def _swish_elements(x: Any) -> int:
    return 3 * int(x.size)


def _swish(xp: Any, x: Any) -> Any:
    check_dtypes("swish", REAL, _REAL_WORDS, x)
    return x / (1.0 + xp.exp(-x))


@np.errstate(all="ignore")
def _swish_steady(x: Any) -> Any:
    return _swish(ON_NUMPY, x)


@primitive(
    cost=_swish_cost,
    elements=_swish_elements,
    steady=_swish_steady,
    price="2 additions, 1 exponential and 1 division per element",
    example="h = ops.swish(x @ w)",
)
def swish(x: Any) -> Any:
    """Multiply numbers by their logistic sigmoid: ``x / (1 + exp(-x))`` (Ramachandran et al. 2017).

    Parameters
    ----------
    x
        Real array of any shape.

    Returns
    -------
    real array of the shape and the dtype of ``x``
        NaN of minus infinity, as of NaN.

    Raises
    ------
    TypeError
        If ``x`` is not real.
    """
    return _swish(x.__array_namespace__(), x)


def _sigmoid_cost(x: Any) -> tuple[Charge, ...]:
    return _logistic_charges("sigmoid", x)


def _sigmoid_elements(x: Any) -> int:
    return 2 * int(x.size)


def _sigmoid(xp: Any, x: Any) -> Any:
    check_dtypes("sigmoid", REAL, _REAL_WORDS, x)
    return 1.0 / (1.0 + xp.exp(-x))


@np.errstate(all="ignore")
def _sigmoid_steady(x: Any) -> Any:
    return _sigmoid(ON_NUMPY, x)


@primitive(
    cost=_sigmoid_cost,
    elements=_sigmoid_elements,
    steady=_sigmoid_steady,
    price="2 additions, 1 exponential and 1 division per element",
    example="gate = ops.sigmoid(x @ w)",
)
def sigmoid(x: Any) -> Any:
    """Map numbers to ``1 / (1 + exp(-x))``, the logistic function.

    Parameters
    ----------
    x
        Real array of any shape.

    Returns
    -------
    real array of the shape and the dtype of ``x``
        In [0, 1], which are the values at the infinities; 0 also where the exponential is too large for the
        dtype. NaN stays NaN.

    Raises
    ------
    TypeError
        If ``x`` is not real.
    """
    return _sigmoid(x.__array_namespace__(), x)


def _lanes(name: str, x: Any, axis: int) -> tuple[int, int]:
    """Count the lanes along an axis and their length, or say what does not fit."""
    check_dtypes(name, REAL, _REAL_WORDS, x)
    length = check_axis(name, x, axis)
    return int(x.size) // length, length


def _softmax_cost(x: Any, *, axis: int = -1) -> tuple[Charge, ...]:
    lanes, length = _lanes("softmax", x, axis)
    dtype = name_of(x.dtype)
    return (
        Charge("cmp", dtype, lanes * (length - 1)),
        Charge("add", dtype, lanes * (length + length - 1)),
        Charge("special", dtype, lanes * length),
        Charge("div", dtype, lanes * length),
    )


def _softmax_elements(x: Any, *, axis: int = -1) -> int:  # noqa: ARG001 - the signature of the primitive
    return 2 * int(x.size)


def _softmax(xp: Any, x: Any, axis: int) -> Any:
    _lanes("softmax", x, axis)
    powers = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    return powers / xp.sum(powers, axis=axis, keepdims=True)


@np.errstate(all="ignore")
def _softmax_steady(x: Any, *, axis: int = -1) -> Any:
    return _softmax(ON_NUMPY, x, axis)


@primitive(
    cost=_softmax_cost,
    elements=_softmax_elements,
    steady=_softmax_steady,
    price="k terms: k - 1 comparisons, 2k - 1 additions, k exponentials, k divisions",
    example="gate = ops.softmax(logits)",
)
def softmax(x: Any, *, axis: int = -1) -> Any:
    """Divide exponentials by their sum; the largest term is subtracted first, so that none overflows.

    Parameters
    ----------
    x
        Real array of at least one axis.
    axis
        The axis to sum over.

    Returns
    -------
    real array of the shape and the dtype of ``x``
        Minus infinity becomes 0. Where NaN, plus infinity or nothing but minus infinity stands along
        the axis, NaN follows.

    Raises
    ------
    TypeError
        If ``x`` is not real.
    ValueError
        If the axis is out of range, or of length 0.
    """
    return _softmax(x.__array_namespace__(), x, axis)


def _logsumexp_cost(x: Any, *, axis: int = -1, keepdims: bool = False) -> tuple[Charge, ...]:  # noqa: ARG001
    lanes, length = _lanes("logsumexp", x, axis)
    dtype = name_of(x.dtype)
    return (
        Charge("cmp", dtype, lanes * length),
        Charge("select", dtype, lanes),
        Charge("add", dtype, lanes * 2 * length),
        Charge("special", dtype, lanes * (length + 1)),
    )


def _logsumexp_elements(x: Any, *, axis: int = -1, keepdims: bool = False) -> int:  # noqa: ARG001
    return 2 * int(x.size)


def _logsumexp(xp: Any, x: Any, axis: int, *, keepdims: bool) -> Any:
    _lanes("logsumexp", x, axis)
    largest = xp.max(x, axis=axis, keepdims=True)
    largest = xp.where(xp.isfinite(largest), largest, xp.zeros_like(largest))
    powers = xp.exp(x - largest)
    out = xp.log(xp.sum(powers, axis=axis, keepdims=True)) + largest
    return out if keepdims else xp.squeeze(out, axis=axis)


@np.errstate(all="ignore")
def _logsumexp_steady(x: Any, *, axis: int = -1, keepdims: bool = False) -> Any:
    return _logsumexp(ON_NUMPY, x, axis, keepdims=keepdims)


@primitive(
    cost=_logsumexp_cost,
    elements=_logsumexp_elements,
    steady=_logsumexp_steady,
    price="k terms: k comparisons (one: is the largest finite?), 1 selection, 2k additions, k exponentials, "
    "1 logarithm",
    example="energy = ops.logsumexp(logits)",
)
def logsumexp(x: Any, *, axis: int = -1, keepdims: bool = False) -> Any:
    """Take the logarithm of a sum of exponentials; the largest term, where finite, is subtracted first.

    Parameters
    ----------
    x
        Real array of at least one axis.
    axis
        The axis to sum over.
    keepdims
        Whether the axis stays, with length 1.

    Returns
    -------
    real array of the dtype of ``x``
        Minus infinity where nothing else stands along the axis, plus infinity where that stands there, NaN
        where NaN does.

    Raises
    ------
    TypeError
        If ``x`` is not real.
    ValueError
        If the axis is out of range, or of length 0.
    """
    return _logsumexp(x.__array_namespace__(), x, axis, keepdims=keepdims)
