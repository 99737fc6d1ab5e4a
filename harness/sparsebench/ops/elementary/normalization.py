"""Normalization of the features of a row."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.ops.charges import Charge, name_of
from sparsebench.ops.core.checks import REAL, check_axis, check_dtypes
from sparsebench.ops.core.on_numpy import ON_NUMPY
from sparsebench.ops.core.primitive import primitive

__all__ = ["layer_norm"]


def _check(x: Any, weight: Any, bias: Any) -> tuple[int, int]:
    """Count rows and features, or say what does not fit."""
    vectors = [part for part in (weight, bias) if part is not None]
    check_dtypes("layer_norm", REAL, "real numbers (xp.astype makes them of integers)", x, *vectors)
    features = check_axis("layer_norm", x, -1)
    if any(tuple(part.shape) != (features,) for part in vectors):
        got = [tuple(part.shape) for part in vectors]
        raise ValueError(f"layer_norm: expected weight and bias of shape ({features},), got {got}")
    return int(x.size) // features, features


def _cost(x: Any, weight: Any = None, bias: Any = None, *, eps: float = 1e-5) -> tuple[Charge, ...]:  # noqa: ARG001
    rows, features = _check(x, weight, bias)
    dtype = x.dtype
    name = name_of(dtype)
    charges = [
        # Two sums, a difference, and the eps; a square and a scaling.
        Charge("add", name, rows * (2 * (features - 1) + features + 1)),
        Charge("mul", name, rows * 2 * features),
        Charge("div", name, rows * 3),
        Charge("sqrt", name, rows),
    ]
    for part, kind in ((weight, "mul"), (bias, "add")):
        if part is not None:
            dtype = np.result_type(dtype, part.dtype)
            charges.append(Charge(kind, name_of(dtype), rows * features))
    return tuple(charges)


def _elements(x: Any, weight: Any = None, bias: Any = None, *, eps: float = 1e-5) -> int:  # noqa: ARG001
    return 3 * int(x.size)


def _normalize(xp: Any, x: Any, weight: Any, bias: Any, eps: float) -> Any:
    _check(x, weight, bias)
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    variance = xp.mean(centred * centred, axis=-1, keepdims=True)
    out = centred * (1.0 / xp.sqrt(variance + eps))
    out = out if weight is None else out * weight
    return out if bias is None else out + bias


@np.errstate(all="ignore")
def _steady(x: Any, weight: Any = None, bias: Any = None, *, eps: float = 1e-5) -> Any:
    return _normalize(ON_NUMPY, x, weight, bias, eps)


@primitive(
    cost=_cost,
    elements=_elements,
    steady=_steady,
    price="d features: 3d - 1 additions, 2d multiplications, 3 divisions, 1 square root; the weight "
    "d multiplications, the bias d additions",
    example="y = ops.layer_norm(x, weight, bias)",
)
def layer_norm(x: Any, weight: Any = None, bias: Any = None, *, eps: float = 1e-5) -> Any:
    """Give the last axis mean 0 and variance 1 (Ba, Kiros and Hinton 2016, arXiv:1607.06450).

    Parameters
    ----------
    x
        Real array ``(..., d)``, d at least 1.
    weight, bias
        Real arrays ``(d,)``, or None.
    eps
        Added to the variance, which divides by d.

    Returns
    -------
    real array ``(..., d)``
        ``(x - mean) / sqrt(variance + eps) * weight + bias``, with one reciprocal per row. A row with NaN
        or an infinity becomes NaN.

    Raises
    ------
    TypeError
        If an array is not real.
    ValueError
        If the shapes do not fit, or d is 0.
    """
    return _normalize(x.__array_namespace__(), x, weight, bias, eps)
