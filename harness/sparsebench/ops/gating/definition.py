"""Gates: which experts a row goes to, and with which weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from sparsebench.ops.charges import Charge, inner_product, name_of
from sparsebench.ops.core import steady
from sparsebench.ops.core.arguments import Whole, integer, optional, real
from sparsebench.ops.core.primitive import primitive
from sparsebench.ops.elementary.activations import softmax
from sparsebench.ops.selection.definition import top_k

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["top_k_gate"]


def _cost(call: Call) -> tuple[Charge, ...]:
    rows, experts, k = call["n"], call["E"], call.k
    common = call.promoted("x", "weights")
    charges = inner_product(rows * experts, call["d"], common)
    if call.bias is not None:
        common = np.result_type(common, call.bias.dtype)
        charges += (Charge("add", name_of(common), rows * experts),)
    # Only shapes and dtypes are looked at: these take no memory.
    logits, chosen = (np.broadcast_to(common.type(0), (rows, many)) for many in (experts, k))
    return charges + top_k.cost(logits, k) + softmax.cost(chosen)


def _elements(call: Call) -> int:
    return call["n"] * (2 * call["E"] + 2 * call["k"])  # logits before and after the bias


def _steady(call: Call) -> Any:
    return _gate(steady.matmul(call.x, call.weights.T), call.bias, call.k)


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
def top_k_gate(
    x: Annotated[Any, real("n, d")],
    weights: Annotated[Any, real("E, d")],
    bias: Annotated[Any, optional(real("E"))] = None,
    *,
    k: Annotated[int, Whole(1, "E")],
) -> Annotated[Any, (integer("n, k"), real("n, k"))]:
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
    xp = x.__array_namespace__()
    return _gate(xp.matmul(x, xp.matrix_transpose(weights)), bias, k)
