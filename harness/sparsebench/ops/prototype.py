"""Nearest prototype."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.ops.charges import Charge
from sparsebench.ops.checks import NOT_COMPLEX, check_dtypes
from sparsebench.ops.primitive import primitive

__all__ = ["nearest_prototype"]

_CHUNK = 1 << 20  # elements of the difference array held at once by the CPU implementation


def _check(x: Any, prototypes: Any) -> tuple[int, int, int]:
    check_dtypes("nearest_prototype", NOT_COMPLEX, "real numbers", x, prototypes)
    if all(array.__array_namespace__().isdtype(array.dtype, "bool") for array in (x, prototypes)):
        raise TypeError(
            "nearest_prototype: expected numbers, got booleans twice; xp.astype makes numbers of one"
        )
    if x.ndim != 2 or prototypes.ndim != 2 or x.shape[1] != prototypes.shape[1] or not prototypes.shape[0]:  # noqa: PLR2004
        got = f"{tuple(x.shape)} and {tuple(prototypes.shape)}"
        raise ValueError(f"nearest_prototype: expected x (n, d) and prototypes (N >= 1, d), got {got}")
    return x.shape[0], prototypes.shape[0], x.shape[1]


def _cost(x: Any, prototypes: Any) -> tuple[Charge, ...]:
    n, many, d = _check(x, prototypes)
    common = np.result_type(x.dtype, prototypes.dtype)
    summed = {"i": "int64", "u": "uint64"}.get(common.kind, common.name)  # sums of small integers are wide
    pairs = n * many
    return (
        Charge("add", common.name, pairs * d),
        Charge("mul", common.name, pairs * d),
        Charge("add", summed, pairs * max(d - 1, 0)),
        Charge("cmp", summed, n * (many - 1)),
    )


def _elements(x: Any, prototypes: Any) -> int:  # noqa: ARG001 - the signature of the primitive
    return int(x.shape[0])


def _steady(x: Any, prototypes: Any) -> Any:
    """Go through the reference in chunks of rows: n times N times d numbers are never held at once."""
    n, many, d = _check(x, prototypes)
    rows = max(1, _CHUNK // (many * max(1, d)))
    x, prototypes = np.ascontiguousarray(x), np.ascontiguousarray(prototypes)  # sums see one layout
    nearest = np.empty(n, dtype=np.int64)
    for start in range(0, n, rows):
        nearest[start : start + rows] = nearest_prototype.reference(x[start : start + rows], prototypes)
    return nearest


@primitive(
    cost=_cost,
    elements=_elements,
    steady=_steady,
    price="N prototypes in R^d: N(3d - 1) for the distances, N - 1 comparisons",
    example="index = ops.nearest_prototype(x, prototypes)",
)
def nearest_prototype(x: Any, prototypes: Any) -> Any:
    """Find the prototype at the least Euclidean distance; the first one among equals.

    Parameters
    ----------
    x
        Real array ``(n, d)``.
    prototypes
        Real array ``(N, d)``, N at least 1.

    Returns
    -------
    array of int64, shape (n,)

    Raises
    ------
    TypeError
        If the numbers are complex, or booleans in both.
    ValueError
        If the shapes do not fit.
    """
    _check(x, prototypes)
    xp = x.__array_namespace__()
    difference = x[:, None, :] - prototypes[None, :, :]
    return xp.argmin(xp.sum(difference * difference, axis=-1), axis=-1)
