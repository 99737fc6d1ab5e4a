"""What stands behind the experts: gated sums of their values, and masks of the largest units."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.charges import Charge, inner_product
from sparsebench.ops.core.checks import REAL, check_dtypes
from sparsebench.ops.core.on_numpy import ON_NUMPY
from sparsebench.ops.core.primitive import primitive
from sparsebench.ops.elementary.activations import relu
from sparsebench.ops.grouped.layers import blocks
from sparsebench.ops.lookup.definition import gather, lookup_charges
from sparsebench.ops.selection.definition import top_k

__all__ = ["check_combine", "check_mask", "segment_combine", "top_k_mask_linear"]

_CHUNK = 1 << 22  # elements of products or gathered rows held at once by the steady faces


def check_combine(values: Any, gates: Any) -> None:
    """Say what does not fit."""
    check_dtypes("segment_combine", REAL, "real numbers", values, gates)
    fits = gates.ndim == 2 and values.ndim in (2, 3)  # noqa: PLR2004 - (n, k) and (n, k[, h])
    if not fits or tuple(values.shape[:2]) != tuple(gates.shape):
        got = f"{tuple(values.shape)} and {tuple(gates.shape)}"
        raise ValueError(f"segment_combine: expected values (n, k[, h]) and gates (n, k), got {got}")


def _combine_cost(values: Any, gates: Any) -> tuple[Charge, ...]:
    check_combine(values, gates)
    common = np.result_type(values.dtype, gates.dtype).name
    many = int(gates.shape[1])
    sums = int(values.shape[0]) * math.prod(values.shape[2:])
    return (Charge("mul", common, int(values.size)), Charge("add", common, sums * max(many - 1, 0)))


def _combine_elements(values: Any, gates: Any) -> int:  # noqa: ARG001 - the primitive's signature
    one = 2 * math.prod(values.shape[1:]) if values.size else 0
    return int(math.prod((values.shape[0], *values.shape[2:])) + one)


def _combine(xp: Any, values: Any, gates: Any) -> Any:
    gates = gates if values.ndim == gates.ndim else gates[:, :, None]
    return xp.sum(values * gates, axis=1)


def _combine_steady(values: Any, gates: Any) -> Any:
    check_combine(values, gates)
    common = np.result_type(values.dtype, gates.dtype)
    out = np.empty((values.shape[0], *values.shape[2:]), dtype=common)
    for (rows,) in blocks(values.shape[:1], 2 * math.prod(values.shape[1:]), _CHUNK):
        out[rows] = _combine(ON_NUMPY, values[rows], gates[rows])
    return out


@primitive(
    cost=_combine_cost,
    elements=_combine_elements,
    steady=_combine_steady,
    price="k experts of h outputs: hk multiplications, h(k - 1) additions",
    example="y = ops.segment_combine(values, gates)",
)
def segment_combine(values: Any, gates: Any) -> Any:
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
    check_combine(values, gates)
    return _combine(values.__array_namespace__(), values, gates)


def check_mask(preactivations: Any, readout: Any, bias: Any, k: int) -> None:
    """Say what does not fit."""
    parts = [part for part in (preactivations, readout, bias) if part is not None]
    check_dtypes("top_k_mask_linear", REAL, "real numbers", *parts)
    fits = preactivations.ndim == 2 and readout.ndim in (1, 2)  # noqa: PLR2004 - (n, t) and (t[, o])
    fits = fits and preactivations.shape[1] == readout.shape[0]
    if not fits or (bias is not None and tuple(bias.shape) != tuple(readout.shape[1:])):
        got = ", ".join(str(tuple(part.shape)) for part in parts)
        expected = "preactivations (n, t), readout (t[, o]) and bias () or (o,)"
        raise ValueError(f"top_k_mask_linear: expected {expected}; got {got}")
    if not 1 <= k <= readout.shape[0]:
        raise ValueError(f"top_k_mask_linear: k must be in [1, {readout.shape[0]}], got {k}")


def _mask_cost(preactivations: Any, readout: Any, bias: Any = None, *, k: int) -> tuple[Charge, ...]:
    check_mask(preactivations, readout, bias, k)
    n = int(preactivations.shape[0])
    kept = np.broadcast_to(np.zeros((), preactivations.dtype), (n, k))  # shapes and dtypes, no memory
    index = np.broadcast_to(np.zeros((), np.int64), (n, k))
    common = np.result_type(preactivations.dtype, readout.dtype)
    outputs = n * math.prod(readout.shape[1:])
    charges = (*top_k.cost(preactivations, k), *relu.cost(kept), *lookup_charges(index, readout))
    charges += inner_product(outputs, k, common)
    if bias is not None:
        charges += (Charge("add", np.result_type(common, bias.dtype).name, outputs),)
    return charges


def _mask_elements(preactivations: Any, readout: Any, bias: Any = None, *, k: int) -> int:  # noqa: ARG001
    one = _mask_held(readout, k) if preactivations.size else 0
    return int(math.prod((preactivations.shape[0], *readout.shape[1:])) + one)


def _mask_held(readout: Any, k: int) -> int:
    """Count the elements that one row takes: an order of its units, and the rows that are read."""
    return 3 * int(readout.shape[0]) + 2 * k * int(math.prod(readout.shape[1:]))


def _mask_touched(
    preactivations: Any,
    readout: Any,
    bias: Any = None,  # noqa: ARG001 - the primitive's signature
    *,
    k: int,
) -> list[tuple[Any, Any]]:
    return [(readout, top_k.steady(preactivations, k)[1])]


def _mask(xp: Any, preactivations: Any, readout: Any, bias: Any, k: int) -> Any:
    kept, index = top_k(preactivations, k)
    units = relu(kept)[:, None, :]
    rows = gather(index, readout)
    out = xp.matmul(units, rows[..., None] if readout.ndim == 1 else rows)
    out = out[:, 0, 0] if readout.ndim == 1 else out[:, 0, :]
    return out if bias is None else out + bias


def _mask_steady(preactivations: Any, readout: Any, bias: Any = None, *, k: int) -> Any:
    check_mask(preactivations, readout, bias, k)
    kinds = [part.dtype for part in (preactivations, readout, bias) if part is not None]
    shape = preactivations.shape[:1]
    out = np.empty((*shape, *readout.shape[1:]), dtype=np.result_type(*kinds))
    for (rows,) in blocks(shape, _mask_held(readout, k), _CHUNK):
        out[rows] = _mask(ON_NUMPY, preactivations[rows], readout, bias, k)
    return out


@primitive(
    cost=_mask_cost,
    elements=_mask_elements,
    touched=_mask_touched,
    steady=_mask_steady,
    price="top k of t units, o outputs: that of ops.top_k; per unit kept 1 comparison and 1 look-up; "
    "o(2k - 1) for the product, o for the bias",
    example="y = ops.top_k_mask_linear(x @ w, readout, bias, k=32)",
)
def top_k_mask_linear(preactivations: Any, readout: Any, bias: Any = None, *, k: int) -> Any:
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
    check_mask(preactivations, readout, bias, k)
    return _mask(preactivations.__array_namespace__(), preactivations, readout, bias, k)
