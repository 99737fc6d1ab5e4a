"""Polynomials compiled by Numba: monomials are multiplied out in cache, where coefficients meet them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sparsebench.ops.core.layers import Layer
from sparsebench.ops.jit.experts import apply_layers
from sparsebench.ops.polynomial import definition
from sparsebench.ops.polynomial.on_numpy import runs_of

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["grouped_polynomial"]


@definition.grouped_polynomial.on("numba")
def grouped_polynomial(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.grouped_polynomial` for one dtype, float32 or float64."""
    if call["M"] == 1:
        return NotImplemented
    coefficients, several = call.coefficients, call.has("h")
    layer = Layer(coefficients if several else coefficients[:, None, :], None)
    made = apply_layers(call.x, call.index, (layer,), runs=runs_of(call["d"], call.degree))
    return made if made is NotImplemented or several else made[..., 0]
