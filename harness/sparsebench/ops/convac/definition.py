"""Layers of convolutional arithmetic circuits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.ops.charges import Charge, inner_product
from sparsebench.ops.core import steady
from sparsebench.ops.core.checks import REAL, check_dtypes
from sparsebench.ops.core.primitive import primitive

__all__ = ["check_convac", "convac_layer"]


def check_convac(x: Any, weights: Any, stride: int) -> int:
    """Count the windows, or say what does not fit."""
    check_dtypes("convac_layer", REAL, "real numbers", x, weights)
    fits = x.ndim == weights.ndim == 3 and x.shape[2] == weights.shape[2]  # noqa: PLR2004 - as below
    if not fits or not x.shape[2] or not 1 <= weights.shape[0] <= x.shape[1]:
        got = f"{tuple(x.shape)} and {tuple(weights.shape)}"
        expected = "x (n, positions, M >= 1) and weights (window, D, M), 1 <= window <= positions"
        raise ValueError(f"convac_layer: expected {expected}; got {got}")
    if stride < 1:
        raise ValueError(f"convac_layer: stride must be at least 1, got {stride}")
    return int((x.shape[1] - weights.shape[0]) // stride + 1)


def _cost(x: Any, weights: Any, *, stride: int = 1) -> tuple[Charge, ...]:
    windows = check_convac(x, weights, stride)
    window, channels, width = weights.shape
    outputs = int(x.shape[0]) * windows * channels
    common = np.result_type(x.dtype, weights.dtype)
    products = Charge("mul", common.name, outputs * (window - 1))
    return (*inner_product(outputs * window, width, common), products)


def _elements(x: Any, weights: Any, *, stride: int = 1) -> int:
    places = int(x.shape[0]) * check_convac(x, weights, stride)
    if not places * weights.shape[1]:
        return 0
    columns = int(weights.shape[1] * weights.shape[2])
    return places * (3 * int(weights.shape[1]) + int(weights.shape[2])) + columns  # what is held on the way


def _multiply(xp: Any, x: Any, weights: Any, stride: int) -> Any:
    windows = check_convac(x, weights, stride)
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


def _steady(x: Any, weights: Any, *, stride: int = 1) -> Any:
    return _multiply(steady, x, weights, stride)


@primitive(
    cost=_cost,
    elements=_elements,
    steady=_steady,
    price="per output, M channels: 2M - 1 for every place of the window, and 1 multiplication less than it "
    "has places",
    example="y = ops.convac_layer(x, weights, stride=2)",
)
def convac_layer(x: Any, weights: Any, *, stride: int = 1) -> Any:
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
