"""Grouped layers: every row goes through the weights of the expert that it was routed to."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from sparsebench.ops.charges import Charge, inner_product
from sparsebench.ops.checks import NOT_COMPLEX, check_dtypes
from sparsebench.ops.lookup import check_index, gather, lookup_charges
from sparsebench.ops.primitive import primitive

__all__ = ["gather_matmul", "grouped_linear"]

_CHUNK = 1 << 22  # elements of gathered weights held at once by the CPU implementation

_EXPECTED = {
    "grouped_linear": "x (n, d), index (n[, k]), weights (E, h, d), bias (E, h)",
    "gather_matmul": "x (n, d), index (n[, k]), weights (E[, h], d)",
}


def _check(x: Any, index: Any, weights: Any, bias: Any, name: str = "grouped_linear") -> tuple[int, int, int]:
    """Give experts, outputs and features, or say what does not fit."""
    parts = [part for part in (x, weights, bias) if part is not None]
    check_dtypes(name, NOT_COMPLEX, "numbers that are not complex", *parts)
    fits = x.ndim == 2 and weights.ndim == 3 and index.ndim in (1, 2)  # noqa: PLR2004 - (n, d), (E, h, d), (n[, k])
    fits = fits and x.shape[0] == index.shape[0] and x.shape[1] == weights.shape[2]
    if not fits or (bias is not None and bias.shape != weights.shape[:2]):
        got = [tuple(part.shape) for part in (x, index, *parts[1:])]
        raise ValueError(f"{name}: expected {_EXPECTED[name]}; got {got}")
    experts, outputs, features = weights.shape
    return experts, outputs, features


def _cost(x: Any, index: Any, weights: Any, bias: Any = None) -> tuple[Charge, ...]:
    _, outputs, features = _check(x, index, weights, bias)
    common = np.result_type(x.dtype, weights.dtype)
    charges = lookup_charges(index, weights, *(() if bias is None else (bias,)))
    charges += inner_product(index.size * outputs, features, common)
    if bias is not None:
        charges += (Charge("add", np.result_type(common, bias.dtype).name, index.size * outputs),)
    return charges


def _elements(x: Any, index: Any, weights: Any, bias: Any = None) -> int:
    return int(index.size) * _check(x, index, weights, bias)[1]


def _touched(x: Any, index: Any, weights: Any, bias: Any = None) -> list[tuple[Any, Any]]:  # noqa: ARG001
    return [(table, index) for table in (weights, bias) if table is not None]


def _steady(x: Any, index: Any, weights: Any, bias: Any = None) -> Any:
    experts, _, _ = _check(x, index, weights, bias)
    check_index("grouped_linear", index, experts)
    return _in_chunks(x, index, weights, bias)


def _in_chunks(x: Any, index: Any, weights: Any, bias: Any = None) -> Any:
    """Go through the reference in chunks of rows, and of experts where those of one row are too many.

    Every row is a product of its own, so a row's digits do not depend on the rows beside it. That is what a
    score needs; sorting rows by expert is faster and is for timing.
    """
    _, outputs, features = weights.shape
    layer, many = max(1, outputs * features), index.shape[1] if index.ndim > 1 else 1
    experts = max(1, min(many, _CHUNK // layer))
    rows = max(1, _CHUNK // (experts * layer))
    x = np.ascontiguousarray(x)  # a product sees one layout, whatever stands beside a row
    kinds = [part.dtype for part in (x, weights, bias) if part is not None]
    out = np.empty((*index.shape, outputs), dtype=np.result_type(*kinds))
    for start, first in itertools.product(range(0, x.shape[0], rows), range(0, many, experts)):
        part = (slice(start, start + rows), slice(first, first + experts))[: index.ndim]
        out[part] = grouped_linear.reference(x[part[0]], index[part], weights, bias)
    return out


@primitive(
    cost=_cost,
    elements=_elements,
    touched=_touched,
    steady=_steady,
    price="d → h, per address: 1 look-up, h(2d - 1) for the product, h for the bias",
    example="h = ops.grouped_linear(x, index, weights, bias)",
)
def grouped_linear(x: Any, index: Any, weights: Any, bias: Any = None) -> Any:
    """Apply to every row the linear layer of its expert: ``weights[index] @ x + bias[index]``.

    Parameters
    ----------
    x
        Real array ``(n, d)``.
    index
        Integer array ``(n,)`` or ``(n, k)``: the experts of every row, in ``[0, E)``.
    weights
        Real array ``(E, h, d)``.
    bias
        Real array ``(E, h)``, or None.

    Returns
    -------
    real array ``(n, h)`` or ``(n, k, h)``

    Raises
    ------
    TypeError
        If the index is not an integer array, or another one is complex.
    ValueError
        If the shapes do not fit.
    IndexError
        If an expert is out of range.
    """
    _check(x, index, weights, bias)
    xp = x.__array_namespace__()
    tables = (weights,) if bias is None else (weights, bias)
    gathered = gather(index, *tables)
    kernel = gathered if bias is None else gathered[0]
    column = x[:, :, None] if index.ndim == 1 else x[:, None, :, None]
    out = xp.matmul(kernel, column)[..., 0]
    return out if bias is None else out + gathered[1]


def _as_layer(x: Any, index: Any, weights: Any) -> Any:
    """See ``(E, d)`` as layers of one output, or say which shape does not fit."""
    layers = weights[:, None, :] if weights.ndim == 2 else weights  # noqa: PLR2004 - (E, d)
    _check(x, index, layers, None, "gather_matmul")
    return layers


def _products_cost(x: Any, index: Any, weights: Any) -> tuple[Charge, ...]:
    return _cost(x, index, _as_layer(x, index, weights))


def _products_elements(x: Any, index: Any, weights: Any) -> int:
    return _elements(x, index, _as_layer(x, index, weights))


def _products_touched(x: Any, index: Any, weights: Any) -> list[tuple[Any, Any]]:  # noqa: ARG001
    return [(weights, index)]


def _products_steady(x: Any, index: Any, weights: Any) -> Any:
    layers = _as_layer(x, index, weights)
    check_index("gather_matmul", index, layers.shape[0])
    out = _in_chunks(x, index, layers)
    return out[..., 0] if weights.ndim == 2 else out  # noqa: PLR2004 - (E, d)


@primitive(
    cost=_products_cost,
    elements=_products_elements,
    touched=_products_touched,
    steady=_products_steady,
    price="d → h, per address: 1 look-up, h(2d - 1) for the product; one output where weights are (E, d)",
    example="scores = ops.gather_matmul(x, index, weights)",
)
def gather_matmul(x: Any, index: Any, weights: Any) -> Any:
    """Multiply every row by the vector or the matrix at its address: ``weights[index] @ x``.

    Parameters
    ----------
    x
        Real array ``(n, d)``.
    index
        Integer array ``(n,)`` or ``(n, k)``: the addresses of every row, in ``[0, E)``.
    weights
        Real array ``(E, d)`` or ``(E, h, d)``.

    Returns
    -------
    real array
        The shape of ``index`` for weights ``(E, d)``, and an axis of h more for ``(E, h, d)``. An empty inner
        product (d is 0) is 0.

    Raises
    ------
    TypeError
        If the index is not an integer array, or another one is complex.
    ValueError
        If the shapes do not fit.
    IndexError
        If an address is out of range.
    """
    out = grouped_linear(x, index, _as_layer(x, index, weights))
    return out[..., 0] if weights.ndim == 2 else out  # noqa: PLR2004 - (E, d)
