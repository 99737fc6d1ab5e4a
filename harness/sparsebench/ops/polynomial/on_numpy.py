"""Polynomials on NumPy: monomials of rows sorted by bucket, and one BLAS product for each bucket."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.cpu.dispatch import takes
from sparsebench.ops.grouped.layers import Layer
from sparsebench.ops.grouped.on_numpy import few, gathered, rows_of, through_experts
from sparsebench.ops.lookup.definition import check_index
from sparsebench.ops.polynomial import definition as polynomial

__all__ = ["grouped_polynomial", "runs_of"]


def grouped_polynomial(x: Any, index: Any, coefficients: Any, *, degree: int) -> Any:
    """Fast face of :func:`sparsebench.ops.grouped_polynomial` for one dtype, float32 or float64."""
    monomials = polynomial.check_polynomial(x, index, coefficients, degree)
    check_index("grouped_polynomial", index, coefficients.shape[0])
    if not takes(x, coefficients) or monomials == 1:
        return NotImplemented
    out = np.empty((*index.shape, *coefficients.shape[1:-1]), dtype=x.dtype)
    record = math.prod(coefficients.shape[1:])
    if few(index, record, len(coefficients)):
        reference = polynomial.grouped_polynomial.reference
        gathered(
            lambda part: reference(x[part], index[part], coefficients, degree=degree), index, record, out
        )
        return out
    layer = Layer(
        coefficients.reshape(len(coefficients), math.prod(coefficients.shape[1:-1]), monomials), None
    )
    runs = runs_of(x.shape[1], degree).tolist()
    many = math.prod(index.shape[1:])
    made = out.reshape(*index.shape, layer.weights.shape[1])
    through_experts(
        lambda at: _monomials(x[rows_of(at, many)], runs, monomials), index, (layer,), "relu", 0.0, made
    )
    return out


def runs_of(features: int, degree: int) -> Any:
    """Say how the monomials of a row are made, in the order of the primitive, the constant first.

    Returns
    -------
    int64 array ``(r, 4)``
        Records (feature, begin, length, end): the monomials from ``end`` on are those from ``begin`` on, so
        many, each times the feature.
    """
    runs = [(feature, 0, 1, 1 + feature) for feature in range(features)] if degree else []
    stop = 1 + features
    for below in range(1, degree):
        end = stop
        for feature in range(features):
            # Monomials of degree `below` in no feature before this one: they stand at the end of theirs.
            length = math.comb(features - feature + below - 1, below)
            runs.append((feature, stop - length, length, end))
            end += length
        stop = end
    return np.array(runs, dtype=np.int64).reshape(-1, 4)


def _monomials(x: Any, runs: list[list[int]], monomials: int) -> Any:
    """Multiply monomials out, one in each row of memory, so that runs are long."""
    columns = np.ascontiguousarray(x.T)
    made = np.empty((monomials, len(x)), dtype=x.dtype)
    made[0] = 1
    for feature, begin, length, end in runs:
        np.multiply(columns[feature], made[begin : begin + length], out=made[end : end + length])
    return made.T
