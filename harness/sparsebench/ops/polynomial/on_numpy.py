"""Polynomials on NumPy: monomials of rows sorted by bucket, and one BLAS product for each bucket."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.core.layers import Layer
from sparsebench.ops.cpu.dispatch import takes
from sparsebench.ops.cpu.experts import few, gathered, rows_of, through_experts
from sparsebench.ops.polynomial import definition

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["grouped_polynomial", "runs_of"]


@definition.grouped_polynomial.on("numpy")
def grouped_polynomial(call: Call) -> Any:
    """Fast backend of :func:`sparsebench.ops.grouped_polynomial` for one dtype, float32 or float64."""
    x, index, coefficients, degree = call.x, call.index, call.coefficients, call.degree
    experts, outputs, monomials, many = (call[axis] for axis in ("E", "h", "M", "k"))
    if not takes(x, coefficients) or monomials == 1:
        return NotImplemented
    out = np.empty((*index.shape, *coefficients.shape[1:-1]), dtype=x.dtype)
    record = outputs * monomials
    if few(index, record, experts):
        evaluate = definition.grouped_polynomial.definition
        gathered(lambda part: evaluate(x[part], index[part], coefficients, degree=degree), index, record, out)
        return out
    layer = Layer(coefficients.reshape(experts, outputs, monomials), None)
    runs = runs_of(call["d"], degree).tolist()
    through_experts(
        lambda at: _monomials(x[rows_of(at, many)], runs, monomials),
        index,
        (layer,),
        lambda block: block,
        out.reshape(*index.shape, outputs),
    )
    return out


def runs_of(features: int, degree: int) -> Any:
    """Return how the monomials of a row are made, in the order of the primitive, the constant first.

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
