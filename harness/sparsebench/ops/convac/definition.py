"""Layers of convolutional arithmetic circuits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

from sparsebench.ops.charges import Charge, inner_product
from sparsebench.ops.core import steady
from sparsebench.ops.core.arguments import Length, Whole, real
from sparsebench.ops.core.primitive import primitive

if TYPE_CHECKING:
    from sparsebench.ops.core.call import Call

__all__ = ["convac_layer"]


def _windows(positions: int, window: int, stride: int) -> int:
    """Count the windows."""
    return (positions - window) // stride + 1


def _check(call: Call) -> None:
    if not call["M"] or not 1 <= call["window"] <= call["positions"]:
        got = f"x {tuple(call.x.shape)}, weights {tuple(call.weights.shape)}"
        expected = "x (n, positions, M >= 1) and weights (window, D, M), 1 <= window <= positions"
        raise ValueError(f"convac_layer: expected {expected}; got {got}")


def _cost(call: Call) -> tuple[Charge, ...]:
    outputs = call["n"] * call["P"] * call["D"]
    common = call.promoted("x", "weights")
    products = Charge("mul", common.name, outputs * (call["window"] - 1))
    return (*inner_product(outputs * call["window"], call["M"], common), products)


def _elements(call: Call) -> int:
    places, channels, width = call["n"] * call["P"], call["D"], call["M"]
    if not places * channels:
        return 0
    return places * (3 * channels + width) + channels * width  # what is held on the way


def _multiply(xp: Any, x: Any, weights: Any, stride: int) -> Any:
    windows = _windows(x.shape[1], weights.shape[0], stride)
    shape = (x.shape[0], windows, weights.shape[1])
    if not math.prod(shape):  # a window may be long where there is nothing to do
        own = x.__array_namespace__()
        return own.zeros(shape, dtype=own.result_type(x, weights))
    transposed = x.__array_namespace__().matrix_transpose(weights)
    out = None
    for place in range(weights.shape[0]):
        seen = x[:, place : place + (windows - 1) * stride + 1 : stride, :]
        mapped = xp.matmul(seen, transposed[place, :, :])
        out = mapped if out is None else out * mapped
    return out


def _steady(call: Call) -> Any:
    return _multiply(steady, call.x, call.weights, call.stride)


@primitive(
    cost=_cost,
    elements=_elements,
    steady=_steady,
    price="per output, M channels: 2M - 1 for every place of the window, and 1 multiplication less than it "
    "has places",
    example="y = ops.convac_layer(x, weights, stride=2)",
    lengths={"P": Length("(positions - window) // stride + 1", _windows)},
    check=_check,
)
def convac_layer(
    x: Annotated[Any, real("n, positions, M")],
    weights: Annotated[Any, real("window, D, M")],
    *,
    stride: Annotated[int, Whole(1)] = 1,
) -> Annotated[Any, real("n, P, D")]:
    """Map every place of a window linearly, and multiply over the window (Sharir and Shashua 2018).

    ``out[n, p, d]`` is the product over j of ``sum(weights[j, d, m] * x[n, p * stride + j, m])`` over m
    (arXiv:1703.02065). Windows overlap where the stride is less than the window.

    Parameters
    ----------
    x
        Real array ``(n, positions, M)``, M at least 1.
    weights
        Real array ``(window, D, M)``, the window at most as long as there are positions.
    stride
        How far apart windows begin, at least 1.

    Returns
    -------
    real array ``(n, P, D)``
        One place for every window that fits: P = (positions - window) // stride + 1.

    Raises
    ------
    TypeError
        If one of them is not real.
    ValueError
        If the shapes do not fit, or the stride is below 1.
    """
    return _multiply(x.__array_namespace__(), x, weights, stride)
