"""Complex functions at infinities and zeros, where NumPy's values differ from the standard's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.ops.core import steady

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MENDED", "mended_bytes"]


def _expm1(z: Any) -> Any:
    """Compute exp z - 1.

    NumPy's function keeps its digits near 0, but not the zero of -0 + 0i, nor the other component of an
    infinite number; the formula does.
    """
    found = steady.evaluate(np.expm1, z)
    odd = ~np.isfinite(found) | (z == 0.0)
    found[odd] = steady.evaluate(np.exp, z[odd]) - 1.0
    return found


def _tan(z: Any) -> Any:
    found = steady.evaluate(np.tan, z)
    _keep_sign(found.real, z.imag, z.real)
    return found


def _tanh(z: Any) -> Any:
    found = steady.evaluate(np.tanh, z)
    _keep_sign(found.imag, z.real, z.imag)
    return found


def _keep_sign(zeros: Any, unbounded: Any, bounded: Any) -> None:
    """Return a component with its old sign, if it vanishes because the other one is infinite."""
    flat = np.isinf(unbounded) & np.isfinite(bounded)
    zeros[flat] = np.copysign(zeros[flat], bounded[flat])


MENDED: dict[str, Callable[[Any], Any]] = {"expm1": _expm1, "tan": _tan, "tanh": _tanh}
"""How the functions are computed of complex arrays. Everywhere else they are NumPy's."""


def mended_bytes(elements: int, itemsize: int) -> int:
    """Bound the bytes that they take in addition to their result: every element may be such a case."""
    return elements * (3 * itemsize + 3)
