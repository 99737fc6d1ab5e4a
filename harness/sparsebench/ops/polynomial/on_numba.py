"""Polynomials compiled by Numba: monomials are multiplied out in cache, where coefficients meet them."""

from __future__ import annotations

from typing import Any

from sparsebench.ops.grouped.layers import Layer
from sparsebench.ops.grouped.on_numba import apply_layers
from sparsebench.ops.lookup.definition import check_index
from sparsebench.ops.polynomial import definition as polynomial
from sparsebench.ops.polynomial.on_numpy import runs_of

__all__ = ["grouped_polynomial"]


def grouped_polynomial(x: Any, index: Any, coefficients: Any, *, degree: int) -> Any:
    """Fast face of :func:`sparsebench.ops.grouped_polynomial` for one dtype, float32 or float64."""
    monomials = polynomial.check_polynomial(x, index, coefficients, degree)
    check_index("grouped_polynomial", index, coefficients.shape[0])
    if monomials == 1:
        return NotImplemented
    one = coefficients.ndim == 2  # noqa: PLR2004 - (E, M)
    layer = Layer(coefficients[:, None, :] if one else coefficients, None)
    made = apply_layers(x, index, (layer,), runs=runs_of(x.shape[1], degree))
    return made if made is NotImplemented or not one else made[..., 0]
