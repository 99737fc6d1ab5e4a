"""Checks of what a submission's methods return: which part is no model or no answer, and the mend."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.errors import ContractError
from sparsebench.meter.client.array import MeteredArray
from sparsebench.meter.model import Model
from sparsebench.meter.structure import decode, encode
from sparsebench.meter.values import DTYPES
from sparsebench.models.contract import check_structure

__all__ = ["STORED", "array_of", "model_of"]

STORED = tuple(name for name in DTYPES if not name.startswith("complex"))
"""The dtypes that a model file can hold."""

_MEND = "return a dict of str to numpy.ndarray"


def model_of(fitted: Any, *, routed: bool = False) -> Model:
    """Check what ``fit`` returned: a flat dictionary of named arrays, or a model with a structure as well.

    Parameters
    ----------
    fitted
        What it returned.
    routed
        Whether router and experts are called one after the other, each with its own part of the structure.

    Returns
    -------
    Model
        The arrays, contiguous, and a copy of the structure as every other process will get it.

    Raises
    ------
    ContractError
        If it is anything else.
    """
    mend = "return a dict of str to numpy.ndarray, or sb.Model(arrays, structure)"
    if not isinstance(fitted, dict):
        raise ContractError(f"fit: expected a dict of arrays, got {type(fitted).__name__}", help=mend)
    for name, array in fitted.items():
        if wrong := _no_parameter(name, array):
            raise wrong
    return Model(
        {name: np.ascontiguousarray(array) for name, array in fitted.items()}, _copied(fitted, routed=routed)
    )


def _copied(fitted: dict[str, Any], *, routed: bool) -> Any:
    """Check and copy a structure: what a submission does to its own one later does not change the model."""
    structure = getattr(fitted, "structure", None)
    if routed:
        check_structure(structure)
    try:
        return None if structure is None else decode(encode(structure))
    except ContractError as error:
        raise ContractError(f"fit: {error.what}", help=error.help) from None


def array_of(answer: Any, where: str) -> MeteredArray:
    """Check that an answer on handles is an array of theirs.

    Raises
    ------
    ContractError
        If it is anything else; ``where`` names the method that returned it.
    """
    if not isinstance(answer, MeteredArray):
        message = f"{where}: expected an array of the namespace of x, got {type(answer).__name__}"
        raise ContractError(message, help="compute it with xp = x.__array_namespace__()")
    return answer


def _no_parameter(name: Any, value: Any) -> ContractError | None:
    """Return what is wrong with a name and an array of a model; None if nothing is."""
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
