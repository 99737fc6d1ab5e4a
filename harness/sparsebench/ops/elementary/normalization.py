"""Normalization of the features of a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sparsebench.ops.charges import Charge, name_of
from sparsebench.ops.core.arguments import Number, optional, real
from sparsebench.ops.core.on_numpy import ON_NUMPY
from sparsebench.ops.core.primitive import primitive

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["layer_norm"]


def _check(call: Call) -> None:
    if not call["d"]:
        got = tuple(call.x.shape)
        raise ValueError(f"layer_norm: expected at least one element along axis -1, got {got}")


def _cost(call: Call) -> tuple[Charge, ...]:
    rows, features, dtype = call["..."], call["d"], call.x.dtype
    name = name_of(dtype)
    charges = [
        # Two sums, a difference, and the eps; a square and a scaling.
        Charge("add", name, rows * (2 * (features - 1) + features + 1)),
        Charge("mul", name, rows * 2 * features),
        Charge("div", name, rows * 3),
        Charge("sqrt", name, rows),
    ]
    for part, kind in ((call.weight, "mul"), (call.bias, "add")):
        if part is not None:
            dtype = np.result_type(dtype, part.dtype)
            charges.append(Charge(kind, name_of(dtype), rows * features))
    return tuple(charges)


def _elements(call: Call) -> int:
    return 3 * int(call.x.size)


def _normalize(xp: Any, x: Any, weight: Any, bias: Any, eps: float) -> Any:
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    variance = xp.mean(centred * centred, axis=-1, keepdims=True)
    out = centred * (1.0 / xp.sqrt(variance + eps))
    out = out if weight is None else out * weight
    return out if bias is None else out + bias


@np.errstate(all="ignore")
def _steady(call: Call) -> Any:
    return _normalize(ON_NUMPY, call.x, call.weight, call.bias, call.eps)


@primitive(
    cost=_cost,
    elements=_elements,
    steady=_steady,
    check=_check,
    price="d features: 3d - 1 additions, 2d multiplications, 3 divisions, 1 square root; the weight "
    "d multiplications, the bias d additions",
    example="y = ops.layer_norm(x, weight, bias)",
)
def layer_norm(
    x: Annotated[Any, real("..., d")],
    weight: Annotated[Any, optional(real("d"))] = None,
    bias: Annotated[Any, optional(real("d"))] = None,
    *,
    eps: Annotated[float, Number()] = 1e-5,
) -> Annotated[Any, real("..., d")]:
    """Normalize the last axis to mean 0 and variance 1 (Ba, Kiros and Hinton 2016, arXiv:1607.06450).

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
