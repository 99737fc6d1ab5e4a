"""Activations: functions of single numbers, and the soft choices along an axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sparsebench.ops.charges import Charge, name_of
from sparsebench.ops.core.arguments import Axis, Flag, number, real, real_or_number
from sparsebench.ops.core.on_numpy import ON_NUMPY
from sparsebench.ops.core.primitive import primitive

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["logsumexp", "prelu", "relu", "sigmoid", "softmax", "swish"]


def _relu_cost(call: Call) -> tuple[Charge, ...]:
    return (Charge("cmp", name_of(call.x.dtype), call["..."]),)


def _twice(call: Call) -> int:
    return 2 * call["..."]


def _relu_steady(call: Call) -> Any:
    x = call.x
    return np.where(x <= 0, np.zeros_like(x), x)  # the zero of -0.0 is 0.0, in every place of memory


@primitive(
    cost=_relu_cost,
    elements=_twice,
    steady=_relu_steady,
    price="1 comparison per element",
    example="h = ops.relu(x @ w)",
)
def relu(x: Annotated[Any, number("...")]) -> Annotated[Any, number("...")]:
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
    xp = x.__array_namespace__()
    return xp.maximum(x, xp.zeros_like(x))


def _prelu_size(call: Call) -> int:
    return math.prod(np.broadcast_shapes(call.x.shape, getattr(call.slope, "shape", ())))


def _prelu_cost(call: Call) -> tuple[Charge, ...]:
    common = np.result_type(call.x.dtype, getattr(call.slope, "dtype", call.slope))
    size = _prelu_size(call)
    return (
        Charge("cmp", name_of(call.x.dtype), call["..."]),
        Charge("mul", name_of(common), size),
        Charge("select", name_of(common), size),
    )


def _prelu_elements(call: Call) -> int:
    return 2 * _prelu_size(call)


@primitive(
    cost=_prelu_cost,
    elements=_prelu_elements,
    price="1 comparison, 1 multiplication and 1 selection per element",
    example="h = ops.prelu(x @ w, slope)",
)
def prelu(
    x: Annotated[Any, real("...")], slope: Annotated[Any, real_or_number()]
) -> Annotated[Any, real("...")]:
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
    xp = x.__array_namespace__()
    return xp.where(x > 0, x, slope * x)


def _logistic_cost(call: Call) -> tuple[Charge, ...]:
    """Charge a negation, an exponential, an addition and a division per element."""
    dtype, size = name_of(call.x.dtype), call["..."]
    return (Charge("add", dtype, 2 * size), Charge("special", dtype, size), Charge("div", dtype, size))


def _swish_elements(call: Call) -> int:
    return 3 * call["..."]


def _swish(xp: Any, x: Any) -> Any:
    return x / (1.0 + xp.exp(-x))


@np.errstate(all="ignore")
def _swish_steady(call: Call) -> Any:
    return _swish(ON_NUMPY, call.x)


@primitive(
    cost=_logistic_cost,
    elements=_swish_elements,
    steady=_swish_steady,
    price="2 additions, 1 exponential and 1 division per element",
    example="h = ops.swish(x @ w)",
)
def swish(x: Annotated[Any, real("...")]) -> Annotated[Any, real("...")]:
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


def _sigmoid(xp: Any, x: Any) -> Any:
    return 1.0 / (1.0 + xp.exp(-x))


@np.errstate(all="ignore")
def _sigmoid_steady(call: Call) -> Any:
    return _sigmoid(ON_NUMPY, call.x)


@primitive(
    cost=_logistic_cost,
    elements=_twice,
    steady=_sigmoid_steady,
    price="2 additions, 1 exponential and 1 division per element",
    example="gate = ops.sigmoid(x @ w)",
)
def sigmoid(x: Annotated[Any, real("...")]) -> Annotated[Any, real("...")]:
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


def _lanes(call: Call) -> tuple[int, int, str]:
    """Count the lanes along an axis and their length, and name their dtype."""
    return call["..."] // call["axis"], call["axis"], name_of(call.x.dtype)


def _softmax_cost(call: Call) -> tuple[Charge, ...]:
    lanes, length, dtype = _lanes(call)
    return (
        Charge("cmp", dtype, lanes * (length - 1)),
        Charge("add", dtype, lanes * (length + length - 1)),
        Charge("special", dtype, lanes * length),
        Charge("div", dtype, lanes * length),
    )


def _softmax(xp: Any, x: Any, axis: int) -> Any:
    powers = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    return powers / xp.sum(powers, axis=axis, keepdims=True)


@np.errstate(all="ignore")
def _softmax_steady(call: Call) -> Any:
    return _softmax(ON_NUMPY, call.x, call.axis)


@primitive(
    cost=_softmax_cost,
    elements=_twice,
    steady=_softmax_steady,
    price="k terms: k - 1 comparisons, 2k - 1 additions, k exponentials, k divisions",
    example="gate = ops.softmax(logits)",
)
def softmax(
    x: Annotated[Any, real("...")], *, axis: Annotated[int, Axis("x")] = -1
) -> Annotated[Any, real("...")]:
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


def _logsumexp_cost(call: Call) -> tuple[Charge, ...]:
    lanes, length, dtype = _lanes(call)
    return (
        Charge("cmp", dtype, lanes * length),
        Charge("select", dtype, lanes),
        Charge("add", dtype, lanes * 2 * length),
        Charge("special", dtype, lanes * (length + 1)),
    )


def _logsumexp(xp: Any, x: Any, axis: int, *, keepdims: bool) -> Any:
    largest = xp.max(x, axis=axis, keepdims=True)
    largest = xp.where(xp.isfinite(largest), largest, xp.zeros_like(largest))
    powers = xp.exp(x - largest)
    out = xp.log(xp.sum(powers, axis=axis, keepdims=True)) + largest
    return out if keepdims else xp.squeeze(out, axis=axis)


@np.errstate(all="ignore")
def _logsumexp_steady(call: Call) -> Any:
    return _logsumexp(ON_NUMPY, call.x, call.axis, keepdims=call.keepdims)


@primitive(
    cost=_logsumexp_cost,
    elements=_twice,
    steady=_logsumexp_steady,
    price="k terms: k comparisons (one: is the largest finite?), 1 selection, 2k additions, k exponentials, "
    "1 logarithm",
    example="energy = ops.logsumexp(logits)",
)
def logsumexp(
    x: Annotated[Any, real("...")],
    *,
    axis: Annotated[int, Axis("x")] = -1,
    keepdims: Annotated[bool, Flag()] = False,
) -> Annotated[Any, real()]:
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
