"""Checks of arguments, made with the array's own namespace, so that any library's arrays will do."""

from __future__ import annotations

from typing import Any

__all__ = ["INTEGER", "NOT_COMPLEX", "NUMBER", "REAL", "check_axis", "check_dtypes"]

INTEGER = ("integral",)
REAL = ("real floating",)
NUMBER = ("integral", "real floating")
"""Complex numbers are left out: the primitives are priced for real ones, and take their parts."""
NOT_COMPLEX = ("bool", *NUMBER)


def check_dtypes(name: str, kinds: tuple[str, ...], words: str, *arrays: Any) -> None:
    """Refuse arrays whose dtype is of another kind.

    Parameters
    ----------
    name
        Who asks.
    kinds
        Kinds of dtypes, as the standard's ``isdtype`` names them.
    words
        What was expected, in words.
    *arrays
        Arrays of a library that has ``isdtype``.

    Raises
    ------
    TypeError
        If one does not fit.
    """
    for array in arrays:
        if not array.__array_namespace__().isdtype(array.dtype, kinds):
            raise TypeError(f"{name}: expected {words}, got {array.dtype}")


def check_axis(name: str, x: Any, axis: int) -> int:
    """Give the length of an axis, or refuse one that is not there or that holds nothing.

    Raises
    ------
    ValueError
        If the axis is out of range or of length 0.
    """
    if not -x.ndim <= axis < x.ndim:
        raise ValueError(f"{name}: axis must be in [{-x.ndim}, {x.ndim}), got {axis}")
    length = int(x.shape[axis])
    if not length:
        raise ValueError(f"{name}: expected at least one element along axis {axis}, got {tuple(x.shape)}")
    return length
