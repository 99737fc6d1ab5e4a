"""What ``fit`` returned that is no model: which part of it, and what makes it one."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.errors import ContractError
from sparsebench.meter.values import DTYPES

__all__ = ["STORED", "no_parameter"]

STORED = tuple(name for name in DTYPES if not name.startswith("complex"))
"""The dtypes that a model file can hold."""

_MEND = "return a dict of str to numpy.ndarray"


def no_parameter(name: Any, value: Any) -> ContractError | None:
    """Say what is wrong with a name and an array of a model; None if nothing is."""
    if not isinstance(name, str):
        return ContractError(f"fit: expected names that are text, got {name!r:.60}", help=_MEND)
    if isinstance(value, np.ndarray) and value.dtype.name in STORED:
        return None
    got = str(value.dtype) if isinstance(value, np.ndarray) else _told(value)
    return ContractError(
        f"fit: expected {name!r} to be an array of real numbers, got {got}", help=_mend(name, value)
    )


def _told(value: Any) -> str:
    return "None" if value is None else type(value).__name__


def _mend(name: str, value: Any) -> str:
    if isinstance(value, np.ndarray):
        return _mend_of_dtype(value.dtype)
    if value is None:
        return "leave it out: a model is what predict needs"
    if isinstance(value, dict):
        return f"{_MEND}, each with a name of its own, such as {f'{name}.weight'!r}"
    if hasattr(value, "detach"):
        return f"{_MEND}: tensor.detach().cpu().numpy()"
    return f"{_MEND}: numpy.asarray makes one"


def _mend_of_dtype(dtype: np.dtype[Any]) -> str:
    if dtype.kind == "c":
        return "store real and imaginary parts apart, and join them in predict: re + 1j * im"
    if dtype.kind == "f":
        return "cast it: array.astype(numpy.float32)"
    if dtype.kind in "US":
        return f"{_MEND}: number the words"
    return f"{_MEND}: all rows of one length, and numbers in them"
