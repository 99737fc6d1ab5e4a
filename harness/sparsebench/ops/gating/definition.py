"""Gates: which experts a row goes to, and with which weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.ops.charges import Charge, inner_product, name_of
from sparsebench.ops.core import steady
from sparsebench.ops.core.checks import REAL, check_dtypes
from sparsebench.ops.core.primitive import primitive
from sparsebench.ops.elementary.activations import softmax
from sparsebench.ops.selection.definition import top_k

__all__ = ["check_gate", "top_k_gate"]


def check_gate(x: Any, weights: Any, bias: Any, k: int) -> tuple[int, int]:
    """Give rows and experts, or refuse what :func:`top_k_gate` does not take.

    Raises
    ------
    TypeError, ValueError
        As that tells.
    """
    given = (x, weights) if bias is None else (x, weights, bias)
    check_dtypes("top_k_gate", REAL, "real numbers", *given)
    fits = x.ndim == weights.ndim == 2 and x.shape[1] == weights.shape[1]  # noqa: PLR2004 - (n, d), (E, d)
    if not fits or (bias is not None and bias.shape != weights.shape[:1]):
        got = [tuple(part.shape) for part in given]
        raise ValueError(f"top_k_gate: expected x (n, d), weights (E, d) and bias (E,), got {got}")
    experts = int(weights.shape[0])
    if not 1 <= k <= experts:
        raise ValueError(f"top_k_gate: k must be in [1, {experts}], got {k}")
    return int(x.shape[0]), experts


def _cost(x: Any, weights: Any, bias: Any = None, *, k: int) -> tuple[Charge, ...]:
    rows, experts = check_gate(x, weights, bias, k)
    common = np.result_type(x.dtype, weights.dtype)
    charges = inner_product(rows * experts, x.shape[1], common)
    if bias is not None:
        common = np.result_type(common, bias.dtype)
        charges += (Charge("add", name_of(common), rows * experts),)
    # Only shapes and dtypes are looked at: these take no memory.
    logits, chosen = (np.broadcast_to(common.type(0), (rows, many)) for many in (experts, k))
    return charges + top_k.cost(logits, k) + softmax.cost(chosen)


def _elements(x: Any, weights: Any, bias: Any = None, *, k: int) -> int:
    rows, experts = check_gate(x, weights, bias, k)
    return rows * (2 * experts + 2 * k)  # logits before and after the bias


def _steady(x: Any, weights: Any, bias: Any = None, *, k: int) -> Any:
    check_gate(x, weights, bias, k)
    return _gate(steady.matmul(x, weights.T), bias, k)


def _gate(logits: Any, bias: Any, k: int) -> tuple[Any, Any]:
    values, experts = top_k(logits if bias is None else logits + bias, k)
    return experts, softmax(values)


@primitive(
    cost=_cost,
    elements=_elements,
    steady=_steady,
    price="E experts, R^d: E(2d - 1) for the products, E for the bias, and the prices of ops.top_k and of "
    "ops.softmax over k",
    example="experts, gates = ops.top_k_gate(x, weights, k=2)",
)
def top_k_gate(x: Any, weights: Any, bias: Any = None, *, k: int) -> Any:
    """Choose the experts of the k largest logits, and weigh them by the softmax over these.

    The gate of N. Shazeer et al. (2017, arXiv:1701.06538, section 2.1) without the noise of training.

    Parameters
    ----------
    x
        Real array ``(n, d)``.
    weights
        Real array ``(E, d)``: the logits are ``weights @ x + bias``.
    bias
        Real array ``(E,)``, or None.
    k
        How many experts a row goes to, in ``[1, E]``.

    Returns
    -------
    experts : array of int64 ``(n, k)``
        The largest logit first; the lower expert first among equals, NaN last. Experts of equal weights and
        bias have equal logits, whatever computes them.
    gates : real array ``(n, k)``
        Numbers in [0, 1] of sum 1, but for rounding: the gate of a logit far below the largest may be 0.
        All gates of a row that chooses a NaN are NaN.

    Raises
    ------
    TypeError
        If an array is not real.
    ValueError
        If the shapes do not fit, or k is out of range.
    """
    check_gate(x, weights, bias, k)
    xp = x.__array_namespace__()
    return _gate(xp.matmul(x, xp.matrix_transpose(weights)), bias, k)
