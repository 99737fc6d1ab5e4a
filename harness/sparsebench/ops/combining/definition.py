"""What stands behind the experts: gated sums of their values, and masks of the largest units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sparsebench.ops.charges import Charge, inner_product
from sparsebench.ops.core.arguments import Whole, optional, real
from sparsebench.ops.core.blocks import blocks
from sparsebench.ops.core.on_numpy import ON_NUMPY
from sparsebench.ops.core.primitive import primitive
from sparsebench.ops.elementary.activations import relu
from sparsebench.ops.lookup.definition import gather, lookup_charges
from sparsebench.ops.selection.definition import top_k

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["segment_combine", "top_k_mask_linear"]

_CHUNK = 1 << 22  # elements of products or gathered rows held at once by the steady backends


def _combine_cost(call: Call) -> tuple[Charge, ...]:
    common, many = call.promoted("values", "gates").name, call["k"]
    sums = call["n"] * call["h"]
    return (Charge("mul", common, sums * many), Charge("add", common, sums * max(many - 1, 0)))


def _combine_elements(call: Call) -> int:
    one = 2 * call["k"] * call["h"] if call.values.size else 0
    return call["n"] * call["h"] + one


def _combine(xp: Any, values: Any, gates: Any) -> Any:
    gates = gates if values.ndim == gates.ndim else gates[:, :, None]
    return xp.sum(values * gates, axis=1)


def _combine_steady(call: Call) -> Any:
    values, gates = call.values, call.gates
    out = np.empty((call["n"], *values.shape[2:]), dtype=call.promoted("values", "gates"))
    for (rows,) in blocks(values.shape[:1], 2 * call["k"] * call["h"], _CHUNK):
        out[rows] = _combine(ON_NUMPY, values[rows], gates[rows])
    return out


@primitive(
    cost=_combine_cost,
    elements=_combine_elements,
    steady=_combine_steady,
    price="k experts of h outputs: hk multiplications, h(k - 1) additions",
    example="y = ops.segment_combine(values, gates)",
)
def segment_combine(
    values: Annotated[Any, real("n, k[, h]")], gates: Annotated[Any, real("n, k")]
) -> Annotated[Any, real("n[, h]")]:
    """Sum the values of every row's experts, each times its gate.

    Parameters
    ----------
    values
        Real array ``(n, k)`` or ``(n, k, h)``, as grouped layers give it.
    gates
        Real array ``(n, k)``.

    Returns
    -------
    real array ``(n,)`` or ``(n, h)``
        0 where k is 0.

    Raises
    ------
    TypeError
        If one of them is not real.
    ValueError
        If the shapes do not fit.
    """
    return _combine(values.__array_namespace__(), values, gates)


def _mask_cost(call: Call) -> tuple[Charge, ...]:
    n, k = call["n"], call.k
    kept = np.broadcast_to(np.zeros((), call.preactivations.dtype), (n, k))  # shapes and dtypes, no memory
    index = np.broadcast_to(np.zeros((), np.int64), (n, k))
    common, outputs = call.promoted("preactivations", "readout"), n * call["o"]
    charges = (*top_k.cost(call.preactivations, k), *relu.cost(kept), *lookup_charges(index, call.readout))
    charges += inner_product(outputs, k, common)
    if call.bias is not None:
        charges += (Charge("add", np.result_type(common, call.bias.dtype).name, outputs),)
    return charges


def _mask_elements(call: Call) -> int:
    return call["n"] * call["o"] + (_mask_held(call) if call.preactivations.size else 0)


def _mask_held(call: Call) -> int:
    """Count the elements that one row takes: an order of its units, and the rows that are read."""
    return 3 * call["t"] + 2 * call["k"] * call["o"]


def _mask_read(call: Call) -> list[tuple[Any, Any]]:
    return [(call.readout, top_k.on_numpy_steadily(call.preactivations, call.k)[1])]


def _mask(xp: Any, preactivations: Any, readout: Any, bias: Any, k: int) -> Any:
    kept, index = top_k(preactivations, k)
    units = relu(kept)[:, None, :]
    rows = gather(index, readout)
    out = xp.matmul(units, rows[..., None] if readout.ndim == 1 else rows)
    out = out[:, 0, 0] if readout.ndim == 1 else out[:, 0, :]
    return out if bias is None else out + bias


def _mask_steady(call: Call) -> Any:
    preactivations, readout = call.preactivations, call.readout
    out = np.empty((call["n"], *readout.shape[1:]), dtype=call.promoted("preactivations", "readout", "bias"))
    for (rows,) in blocks(preactivations.shape[:1], _mask_held(call), _CHUNK):
        out[rows] = _mask(ON_NUMPY, preactivations[rows], readout, call.bias, call.k)
    return out


@primitive(
    cost=_mask_cost,
    elements=_mask_elements,
    read=_mask_read,
    steady=_mask_steady,
    price="top k of t units, o outputs: that of ops.top_k; per unit kept 1 comparison and 1 look-up; "
    "o(2k - 1) for the product, o for the bias",
    example="y = ops.top_k_mask_linear(x @ w, readout, bias, k=32)",
)
def top_k_mask_linear(
    preactivations: Annotated[Any, real("n, t")],
    readout: Annotated[Any, real("t[, o]")],
    bias: Annotated[Any, optional(real("[o,]"))] = None,
    *,
    k: Annotated[int, Whole(1, "t")],
) -> Annotated[Any, real("n[, o]")]:
    """Read out the k largest hidden units alone: the data-dependent sparse model of Baykal et al. 2022.

    ``relu`` of the k largest pre-activations of every row, times the rows of the readout at these places
    (arXiv:2208.04461, section 2).

    Parameters
    ----------
    preactivations
        Real array ``(n, t)``.
    readout
        Real array ``(t,)``, or ``(t, o)`` for o outputs.
    bias
        Real array ``()`` or ``(o,)``, or None.
    k
        How many units are kept, in ``[1, t]``; the lower index first among equals.

    Returns
    -------
    real array ``(n,)`` or ``(n, o)``

    Raises
    ------
    TypeError
        If an array is not real.
    ValueError
        If the shapes do not fit, or k is out of range.
    """
    return _mask(preactivations.__array_namespace__(), preactivations, readout, bias, k)
