"""What a rule is: an operation's execution and its price, side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sparsebench.ops.charges import Charge

__all__ = ["FREE", "Plan", "Rule", "common_dtype", "lanes", "shape_of"]


class Plan(NamedTuple):
    """What a call will cost, known from shapes and dtypes alone, before it runs."""

    charges: tuple[Charge, ...]
    """What to write into the ledger."""
    nbytes: int
    """Upper bound of the bytes of new memory that the result takes; 0 for views."""


@dataclass(frozen=True)
class Rule:
    """One operation of the meter."""

    name: str
    """Name in the namespace, as in the array API standard where it has the operation."""
    run: Callable[..., Any]
    """Executes it on NumPy arrays."""
    plan: Callable[..., Plan]
    """Prices a call from the same arguments."""
    price: str
    """The price in words, for the documentation."""
    example: str
    """One line that uses it."""
    touched: Callable[..., Iterable[tuple[Any, Any]]] | None = None
    """Pairs of (array, key): only ``array[key]`` is read of these operands; nothing where the key is None."""
    view: bool = False
    """Whether it reads nothing: the result is another look at the operand."""
    secret_rows: Callable[..., int] = lambda *_args, **_kwargs: 0
    """Where the shape of the result depends on values, the most rows it can have; else 0. Such a shape is a
    secret until the child pays for it."""
    hidden: bool = False
    """Whether it is reached by a method of the handle and not by a name of the namespace."""


FREE: tuple[Charge, ...] = ()
"""The charge of an operation that costs nothing."""


def shape_of(value: Any) -> tuple[int, ...]:
    """Shape of an array or a Python scalar."""
    return tuple(getattr(value, "shape", ()))


def common_dtype(*values: Any) -> np.dtype[Any]:
    """Dtype of the result of mixing arrays and Python scalars, by NumPy's promotion."""
    return np.result_type(*(getattr(value, "dtype", value) for value in values))


def lanes(x: Any, axis: int | tuple[int, ...] | None) -> tuple[int, int]:
    """How many lanes a reduction over ``axis`` has, and how long each is."""
    if axis is None:
        return 1, x.size
    axes = (axis,) if isinstance(axis, int) else axis
    length = math.prod(x.shape[a] for a in axes)
    others = np.delete(np.asarray(x.shape, dtype=np.int64), list(axes))
    return int(np.prod(others, dtype=np.int64)), length
