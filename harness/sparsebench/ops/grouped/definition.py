"""Grouped layers: every row goes through the weights of the expert that it was routed to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sparsebench.ops.charges import Charge, inner_product
from sparsebench.ops.core.arguments import Layers, Number, integer, optional, ordered, real, word
from sparsebench.ops.core.blocks import blocks
from sparsebench.ops.core.layers import Layer, held, paired, tables_of
from sparsebench.ops.core.primitive import primitive
from sparsebench.ops.grouped.layers import ACTIVATIONS, activate, layer_charges
from sparsebench.ops.lookup.definition import gather, lookup_charges

if TYPE_CHECKING:
    from collections.abc import Callable

    from sparsebench.ops.core.call import Call

__all__ = ["apply", "as_asked", "gather_matmul", "grouped_linear", "grouped_mlp", "layer_of"]

_CHUNK = 1 << 22  # elements of gathered weights held at once by the steady backends


def _addresses(call: Call) -> int:
    return call["n"] * call["k"]


def layer_of(call: Call) -> tuple[Layer, ...]:
    """Return what ``grouped_linear`` or ``gather_matmul`` applies: one layer, of one output for vectors."""
    weights = call.weights if call.weights.ndim > 2 else call.weights[:, None, :]  # noqa: PLR2004 - (E, h, d)
    return (Layer(weights, getattr(call, "bias", None)),)


def as_asked(call: Call, out: Any) -> Any:
    """Return outputs ``(..., h)`` of ``gather_matmul`` as they were asked for: without h for vectors."""
    return out if out is NotImplemented or call.has("h") else out[..., 0]


def _products(call: Call, *tables: Any) -> tuple[Charge, ...]:
    """Charge the look-ups of tables, and all products."""
    outputs, common = _addresses(call) * call["h"], call.promoted("x", "weights")
    return lookup_charges(call.index, *tables) + inner_product(outputs, call["d"], common)


def _cost(call: Call) -> tuple[Charge, ...]:
    if call.bias is None:
        return _products(call, call.weights)
    summed = np.result_type(call.promoted("x", "weights"), call.bias.dtype)
    additions = Charge("add", summed.name, _addresses(call) * call["h"])
    return (*_products(call, call.weights, call.bias), additions)


def _elements(call: Call) -> int:
    return _addresses(call) * call["h"]


def _steady(call: Call) -> Any:
    [layer] = layer_of(call)
    out = _results(call, (layer,))
    return _fill(call, out, call["h"] * call["d"], lambda x, index: _linear(x, index, *layer))


def _results(call: Call, layers: tuple[Layer, ...]) -> Any:
    kinds = (table.dtype for table in tables_of(layers))
    return np.empty((*call.index.shape, call["h"]), dtype=np.result_type(call.x.dtype, *kinds))


def _fill(call: Call, out: Any, record: int, formula: Callable[[Any, Any], Any]) -> Any:
    """Go through a formula in chunks of rows, and of experts where those of one row are too many.

    Every row is a product of its own, so a row's digits do not depend on the rows beside it. That is what a
    score needs; sorting rows by expert is faster and is for timing.
    """
    x = np.ascontiguousarray(call.x)  # a product sees one layout, whatever stands beside a row
    for part in blocks(call.index.shape, record, _CHUNK):
        out[part] = formula(x[part[0]], call.index[part])
    return out


def _linear(x: Any, index: Any, weights: Any, bias: Any) -> Any:
    """Look everything up at once, then apply."""
    xp = x.__array_namespace__()
    tables = (weights,) if bias is None else (weights, bias)
    gathered = gather(index, *tables)
    kernel = gathered if bias is None else gathered[0]
    column = x[:, :, None] if index.ndim == 1 else x[:, None, :, None]
    out = xp.matmul(kernel, column)[..., 0]
    return out if bias is None else out + gathered[1]


@primitive(
    cost=_cost,
    elements=_elements,
    steady=_steady,
    price="d → h, per address: 1 look-up, h(2d - 1) for the product, h for the bias",
    example="h = ops.grouped_linear(x, index, weights, bias)",
)
def grouped_linear(
    x: Annotated[Any, ordered("n, d")],
    index: Annotated[Any, integer("n[, k]", below="E")],
    weights: Annotated[Any, ordered("E, h, d", at="index")],
    bias: Annotated[Any, optional(ordered("E, h", at="index"))] = None,
) -> Annotated[Any, ordered("n[, k], h")]:
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
    return _linear(x, index, weights, bias)


def _products_cost(call: Call) -> tuple[Charge, ...]:
    return _products(call, call.weights)


def _products_steady(call: Call) -> Any:
    return as_asked(call, _steady(call))


@primitive(
    cost=_products_cost,
    elements=_elements,
    steady=_products_steady,
    price="d → h, per address: 1 look-up, h(2d - 1) for the product; one output where weights are (E, d)",
    example="scores = ops.gather_matmul(x, index, weights)",
)
def gather_matmul(
    x: Annotated[Any, ordered("n, d")],
    index: Annotated[Any, integer("n[, k]", below="E")],
    weights: Annotated[Any, ordered("E[, h], d", at="index")],
) -> Annotated[Any, ordered("n[, k][, h]")]:
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
    if weights.ndim == 2:  # noqa: PLR2004 - (E, d)
        return grouped_linear(x, index, weights[:, None, :])[..., 0]
    return grouped_linear(x, index, weights)


def _mlp_cost(call: Call) -> tuple[Charge, ...]:
    applied = layer_charges(call.layers, call.x.dtype, _addresses(call), call.activation, call.slope)
    return lookup_charges(call.index, *tables_of(call.layers)) + applied


def _mlp_elements(call: Call) -> int:
    one = call["n"] * call["d"] + held(call.layers) if _addresses(call) else 0
    return _addresses(call) * call["h"] + one


def _mlp_steady(call: Call) -> Any:
    return _fill(
        call,
        _results(call, call.layers),
        held(call.layers),
        lambda x, index: apply(x, index, call.layers, call.activation, call.slope),
    )


def apply(x: Any, index: Any, layers: tuple[Layer, ...], activation: str, slope: float) -> Any:
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
    steady=_mlp_steady,
    price="per address: 1 look-up for all layers together; per layer d → h: h(2d - 1) for the product, h for "
    "the bias; the activation's price for every hidden unit",
    example='h = ops.grouped_mlp(x, index, w1, b1, w2, b2, activation="relu")',
)
def grouped_mlp(
    x: Annotated[Any, real("n, d")],
    index: Annotated[Any, integer("n[, k]", below="E")],
    *layers: Annotated[Any, Layers("E", "d", at="index")],
    activation: Annotated[str, word(*ACTIVATIONS)] = "relu",
    slope: Annotated[float, Number()] = 0.25,
) -> Annotated[Any, real("n[, k], h")]:
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
    return apply(x, index, paired(layers), activation, slope)
