"""Grouped layers: every row goes through the weights of the expert that it was routed to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.charges import Charge, inner_product
from sparsebench.ops.core.checks import NOT_COMPLEX, REAL, check_dtypes
from sparsebench.ops.core.primitive import primitive
from sparsebench.ops.grouped.layers import (
    Layer,
    activate,
    blocks,
    check_layers,
    held,
    layer_charges,
    tables_of,
)
from sparsebench.ops.lookup.definition import check_index, gather, lookup_charges

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["as_layers", "check_linear", "check_mlp", "gather_matmul", "grouped_linear", "grouped_mlp"]

_CHUNK = 1 << 22  # elements of gathered weights held at once by the CPU implementation

_EXPECTED = {
    "grouped_linear": "x (n, d), index (n[, k]), weights (E, h, d), bias (E, h)",
    "gather_matmul": "x (n, d), index (n[, k]), weights (E[, h], d)",
}


def check_linear(
    x: Any, index: Any, weights: Any, bias: Any, name: str = "grouped_linear"
) -> tuple[int, int, int]:
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
    _, outputs, features = check_linear(x, index, weights, bias)
    common = np.result_type(x.dtype, weights.dtype)
    charges = lookup_charges(index, weights, *(() if bias is None else (bias,)))
    charges += inner_product(index.size * outputs, features, common)
    if bias is not None:
        charges += (Charge("add", np.result_type(common, bias.dtype).name, index.size * outputs),)
    return charges


def _elements(x: Any, index: Any, weights: Any, bias: Any = None) -> int:
    return int(index.size) * check_linear(x, index, weights, bias)[1]


def _touched(x: Any, index: Any, weights: Any, bias: Any = None) -> list[tuple[Any, Any]]:  # noqa: ARG001
    return [(table, index) for table in (weights, bias) if table is not None]


def _steady(x: Any, index: Any, weights: Any, bias: Any = None) -> Any:
    experts, _, _ = check_linear(x, index, weights, bias)
    check_index("grouped_linear", index, experts)
    return _in_chunks(x, index, weights, bias)


def _in_chunks(x: Any, index: Any, weights: Any, bias: Any = None) -> Any:
    _, outputs, features = weights.shape
    kinds = [part.dtype for part in (x, weights, bias) if part is not None]
    out = np.empty((*index.shape, outputs), dtype=np.result_type(*kinds))
    return _fill(
        out,
        x,
        index,
        outputs * features,
        lambda rows, own: grouped_linear.reference(rows, own, weights, bias),
    )


def _fill(out: Any, x: Any, index: Any, record: int, reference: Callable[[Any, Any], Any]) -> Any:
    """Go through a reference in chunks of rows, and of experts where those of one row are too many.

    Every row is a product of its own, so a row's digits do not depend on the rows beside it. That is what a
    score needs; sorting rows by expert is faster and is for timing.
    """
    x = np.ascontiguousarray(x)  # a product sees one layout, whatever stands beside a row
    for part in blocks(index.shape, record, _CHUNK):
        out[part] = reference(x[part[0]], index[part])
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
    check_linear(x, index, weights, bias)
    xp = x.__array_namespace__()
    tables = (weights,) if bias is None else (weights, bias)
    gathered = gather(index, *tables)
    kernel = gathered if bias is None else gathered[0]
    column = x[:, :, None] if index.ndim == 1 else x[:, None, :, None]
    out = xp.matmul(kernel, column)[..., 0]
    return out if bias is None else out + gathered[1]


def as_layers(x: Any, index: Any, weights: Any) -> Any:
    """See the weights of ``gather_matmul`` as those of ``grouped_linear``, or say what does not fit."""
    layers = weights[:, None, :] if weights.ndim == 2 else weights  # noqa: PLR2004 - (E, d)
    check_linear(x, index, layers, None, "gather_matmul")
    return layers


def _products_cost(x: Any, index: Any, weights: Any) -> tuple[Charge, ...]:
    return _cost(x, index, as_layers(x, index, weights))


def _products_elements(x: Any, index: Any, weights: Any) -> int:
    return _elements(x, index, as_layers(x, index, weights))


def _products_touched(x: Any, index: Any, weights: Any) -> list[tuple[Any, Any]]:  # noqa: ARG001
    return [(weights, index)]


def _products_steady(x: Any, index: Any, weights: Any) -> Any:
    layers = as_layers(x, index, weights)
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
    out = grouped_linear(x, index, as_layers(x, index, weights))
    return out[..., 0] if weights.ndim == 2 else out  # noqa: PLR2004 - (E, d)


def check_mlp(
    x: Any, index: Any, layers: tuple[Any, ...], activation: str, slope: float
) -> tuple[Layer, ...]:
    """Give the layers of a :func:`grouped_mlp`, or say what does not fit."""
    check_dtypes("grouped_mlp", REAL, "real numbers", x)
    if x.ndim != 2 or index.ndim not in (1, 2) or x.shape[0] != index.shape[0]:  # noqa: PLR2004 - as below
        got = f"{tuple(x.shape)} and {tuple(index.shape)}"
        raise ValueError(f"grouped_mlp: expected x (n, d) and index (n[, k]), got {got}")
    return check_layers("grouped_mlp", x.shape[1], layers, activation, slope)


def _mlp_cost(
    x: Any, index: Any, *layers: Any, activation: str = "relu", slope: float = 0.25
) -> tuple[Charge, ...]:
    stack = check_mlp(x, index, layers, activation, slope)
    applied = layer_charges(stack, x.dtype, int(index.size), activation, slope)
    return lookup_charges(index, *tables_of(stack)) + applied


def _mlp_elements(x: Any, index: Any, *layers: Any, activation: str = "relu", slope: float = 0.25) -> int:
    stack = check_mlp(x, index, layers, activation, slope)
    one = int(x.size) + held(stack) if index.size else 0
    return int(index.size) * int(stack[-1].weights.shape[1]) + one


def _mlp_touched(
    x: Any,  # noqa: ARG001 - the primitive's signature
    index: Any,
    *layers: Any,
    activation: str = "relu",  # noqa: ARG001
    slope: float = 0.25,  # noqa: ARG001
) -> list[tuple[Any, Any]]:
    return [(table, index) for table in layers if table is not None]


def _mlp_steady(x: Any, index: Any, *layers: Any, activation: str = "relu", slope: float = 0.25) -> Any:
    stack = check_mlp(x, index, layers, activation, slope)
    tables = tables_of(stack)
    check_index("grouped_mlp", index, tables[0].shape[0])
    kinds = [x.dtype, *(table.dtype for table in tables)]
    out = np.empty((*index.shape, stack[-1].weights.shape[1]), dtype=np.result_type(*kinds))
    return _fill(out, x, index, held(stack), lambda rows, own: _mlp(rows, own, stack, activation, slope))


def _mlp(x: Any, index: Any, layers: tuple[Layer, ...], activation: str, slope: float) -> Any:
    """Look everything up at once, then apply layer by layer."""
    xp = x.__array_namespace__()
    tables = tables_of(layers)
    records = iter(gather(index, *tables) if len(tables) > 1 else (gather(index, *tables),))
    h = x if index.ndim == 1 else x[:, None, :]
    for place, layer in enumerate(layers):
        h = activate(activation, slope, h) if place else h
        h = xp.matmul(next(records), h[..., None])[..., 0]
        h = h if layer.bias is None else h + next(records)
    return h


@primitive(
    cost=_mlp_cost,
    elements=_mlp_elements,
    touched=_mlp_touched,
    steady=_mlp_steady,
    price="per address: 1 look-up for all layers together; per layer d → h: h(2d - 1) for the product, h for "
    "the bias; the activation's price for every hidden unit",
    example='h = ops.grouped_mlp(x, index, w1, b1, w2, b2, activation="relu")',
)
def grouped_mlp(x: Any, index: Any, *layers: Any, activation: str = "relu", slope: float = 0.25) -> Any:
    """Send every row through the perceptron of its expert (MoMLP, Kratsios et al. 2025, arXiv:2402.03460).

    Parameters
    ----------
    x
        Real array ``(n, d)``.
    index
        Integer array ``(n,)`` or ``(n, k)``: the experts of every row, in ``[0, E)``.
    *layers
        For 1 to 3 layers in turns: weights, a real array ``(E, h, d)`` with d the h of the layer before; and
        bias, a real array ``(E, h)`` or None. The last bias may be left out.
    activation
        What is applied between two layers, not after the last: ``relu``, ``prelu``, ``swish`` or ``k_tanh``.
    slope
        That of ``prelu``, a Python number.

    Returns
    -------
    real array ``(n, h)`` or ``(n, k, h)``

    Raises
    ------
    TypeError
        If the index is not an integer array, another one is not real, weights are None, or the slope is not a
        real Python number.
    ValueError
        If the shapes do not fit, there are no layers or more than 3, or the activation is not one of these.
    IndexError
        If an expert is out of range.
    """
    return _mlp(x, index, check_mlp(x, index, layers, activation, slope), activation, slope)
