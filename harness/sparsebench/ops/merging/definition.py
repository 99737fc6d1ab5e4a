"""Merged experts: the parameters of all experts are averaged, one average for every example."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sparsebench.ops.charges import Charge, inner_product
from sparsebench.ops.core import steady
from sparsebench.ops.core.arguments import Layers, Number, optional, real, word
from sparsebench.ops.core.blocks import blocks
from sparsebench.ops.core.layers import Layer, held, paired, tables_of
from sparsebench.ops.core.primitive import primitive
from sparsebench.ops.grouped.layers import ACTIVATIONS, activate, layer_charges

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["apply", "merge_linear", "merged_mlp"]

_CHUNK = 1 << 21  # elements of merged parameters and hidden units held at once by the steady backends


def _charges(call: Call, stack: tuple[Layer, ...], activation: str, slope: float) -> tuple[Charge, ...]:
    charges: tuple[Charge, ...] = ()
    merged = []
    for layer in stack:
        tables = [None if table is None else _Merged.of(call.gates, table) for table in layer]
        for table in filter(None, tables):
            charges += inner_product(table.amount, call["E"], table.dtype)
        merged.append(Layer(*tables))
    return charges + layer_charges(tuple(merged), call.x.dtype, call["n"] * call["s"], activation, slope)


class _Merged:
    """The shape and the dtype of merged parameters, which are not there yet."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], amount: int) -> None:
        self.shape, self.dtype, self.amount = shape, dtype, amount

    @classmethod
    def of(cls, gates: Any, table: Any) -> _Merged:
        """Describe what becomes of a table; amount: its elements for all examples."""
        amount = int(gates.shape[0]) * math.prod(table.shape[1:])
        return cls(tuple(table.shape), np.result_type(gates.dtype, table.dtype), amount)


def _size(call: Call, stack: tuple[Layer, ...]) -> int:
    values = call["n"] * call["s"] * call["h"]
    if not call["n"]:
        return values
    laid_out = sum(int(table.size) for table in (call.x, *tables_of(stack)) if not table.flags.c_contiguous)
    return values + laid_out + 2 * held(stack, call["s"])


def _in_chunks(call: Call, stack: tuple[Layer, ...], activation: str, slope: float) -> Any:
    """Merge and apply for a few examples at a time."""
    x, gates = call.x, call.gates
    kinds = (part.dtype for part in (x, gates, *tables_of(stack)))
    out = np.empty((*x.shape[:-1], call["h"]), dtype=np.result_type(*kinds))
    for (rows,) in blocks(gates.shape[:1], 2 * held(stack, call["s"]), _CHUNK):
        out[rows] = apply(steady, x[rows], gates[rows], stack, activation, slope)
    return out


def apply(xp: Any, x: Any, gates: Any, stack: tuple[Layer, ...], activation: str, slope: float) -> Any:
    """Merge and apply, with the products of a namespace."""
    h = x[:, None, :] if x.ndim == 2 else x  # noqa: PLR2004 - (n, d)
    for place, layer in enumerate(stack):
        h = activate(activation, slope, h) if place else h
        h = xp.matmul(h, _transposed(_merge(xp, gates, layer.weights)))
        h = h if layer.bias is None else h + _merge(xp, gates, layer.bias)[:, None, :]
    return h[:, 0, :] if x.ndim == 2 else h  # noqa: PLR2004 - (n, d)


def _merge(xp: Any, gates: Any, table: Any) -> Any:
    """Average the records ``(E, ...)`` of a table for every row of gates."""
    shape = tuple(table.shape[1:])
    reshape = table.__array_namespace__().reshape
    merged = xp.matmul(gates, reshape(table, (table.shape[0], math.prod(shape))))
    return reshape(merged, (gates.shape[0], *shape))


def _transposed(x: Any) -> Any:
    return x.__array_namespace__().matrix_transpose(x)


def _linear_cost(call: Call) -> tuple[Charge, ...]:
    return _charges(call, (Layer(call.weights, call.bias),), "relu", 0.0)


def _linear_elements(call: Call) -> int:
    return _size(call, (Layer(call.weights, call.bias),))


def _linear_steady(call: Call) -> Any:
    return _in_chunks(call, (Layer(call.weights, call.bias),), "relu", 0.0)


@primitive(
    cost=_linear_cost,
    elements=_linear_elements,
    steady=_linear_steady,
    price="E experts d → h, s positions: 2E - 1 per input and parameter for the average; per position "
    "h(2d - 1) for the product, h for the bias",
    example="y = ops.merge_linear(x, gates, weights, bias)",
)
def merge_linear(
    x: Annotated[Any, real("n[, s], d")],
    gates: Annotated[Any, real("n, E")],
    weights: Annotated[Any, real("E, h, d")],
    bias: Annotated[Any, optional(real("E, h"))] = None,
) -> Annotated[Any, real("n[, s], h")]:
    """Apply to every example the gated sum of linear experts (SMEAR, Muqeeth et al. 2023, arXiv:2306.03745).

    ``weights`` and ``bias`` are summed over experts, times the example's gates; the sum is one layer, which
    is applied to all positions of the example. Equal to the gated sum of the experts' outputs, at another
    price.

    Parameters
    ----------
    x
        Real array ``(n, d)``, or ``(n, s, d)`` for examples of s positions.
    gates
        Real array ``(n, E)``.
    weights
        Real array ``(E, h, d)``.
    bias
        Real array ``(E, h)``, or None.

    Returns
    -------
    real array ``(n, h)`` or ``(n, s, h)``

    Raises
    ------
    TypeError
        If an array is not real, or the weights are None.
    ValueError
        If the shapes do not fit.
    """
    return apply(x.__array_namespace__(), x, gates, (Layer(weights, bias),), "relu", 0.0)


def _mlp_cost(call: Call) -> tuple[Charge, ...]:
    return _charges(call, call.layers, call.activation, call.slope)


def _mlp_elements(call: Call) -> int:
    return _size(call, call.layers)


def _mlp_steady(call: Call) -> Any:
    return _in_chunks(call, call.layers, call.activation, call.slope)


@primitive(
    cost=_mlp_cost,
    elements=_mlp_elements,
    steady=_mlp_steady,
    price="as ops.merge_linear for every layer; the activation's price for every hidden unit and position",
    example='y = ops.merged_mlp(x, gates, w1, b1, w2, b2, activation="swish")',
)
def merged_mlp(
    x: Annotated[Any, real("n[, s], d")],
    gates: Annotated[Any, real("n, E")],
    *layers: Annotated[Any, Layers("E", "d")],
    activation: Annotated[str, word(*ACTIVATIONS)] = "relu",
    slope: Annotated[float, Number()] = 0.25,
) -> Annotated[Any, real("n[, s], h")]:
    """Send every example through one perceptron whose parameters are the gated sum of all experts'.

    SMEAR's merged expert (Muqeeth et al. 2023, arXiv:2306.03745). Its adapters have ``swish`` between two
    layers.

    Parameters
    ----------
    x
        Real array ``(n, d)``, or ``(n, s, d)`` for examples of s positions.
    gates
        Real array ``(n, E)``.
    *layers
        For 1 to 3 layers in turns: weights, a real array ``(E, h, d)`` with d the h of the layer before; and
        bias, a real array ``(E, h)`` or None. The last bias may be left out.
    activation
        What is applied between two layers, not after the last: ``relu``, ``prelu``, ``swish`` or ``k_tanh``.
    slope
        That of ``prelu``, a Python number.

    Returns
    -------
    real array ``(n, h)`` or ``(n, s, h)``

    Raises
    ------
    TypeError
        If an array is not real, weights are None, or the slope is not a real Python number.
    ValueError
        If the shapes do not fit, there are no layers or more than 3, or the activation is not one of these.
    """
    return apply(x.__array_namespace__(), x, gates, paired(layers), activation, slope)
