"""Constants: free, because nothing is computed from an input."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from sparsebench.meter.rules.base import FREE, Plan, Rule
from sparsebench.meter.rules.kinds import (
    Array,
    DTypeOrNone,
    Flag,
    Integer,
    Length,
    LengthOrNone,
    Lengths,
    Number,
    Real,
    RealOrNone,
)

__all__ = ["RULES"]


def _bytes(dtype: Any, default: Any = np.float64) -> int:
    return int(np.dtype(default if dtype is None else dtype).itemsize)


def _new_plan(shape: Any, *, dtype: Any = None) -> Plan:
    return Plan(FREE, (math.prod(shape) if isinstance(shape, tuple) else shape) * _bytes(dtype))


def _like_plan(x: Any, /, *, dtype: Any = None) -> Plan:
    return Plan(FREE, x.size * _bytes(dtype, x.dtype))


def _only_the_shape(x: Any, /, *_: Any, **__: Any) -> list[tuple[Any, Any]]:
    return [(x, None)]


def _check_fill(name: str, fill_value: complex, dtype: Any) -> None:
    if isinstance(fill_value, complex) and np.dtype(dtype).kind != "c":
        raise TypeError(f"{name}: expected a real number for {np.dtype(dtype)}, got a complex one")


def _full(shape: Lengths, fill_value: Number, *, dtype: DTypeOrNone = None) -> Any:
    return np.full(shape, fill_value, dtype=dtype)


def _full_plan(shape: Any, fill_value: complex, *, dtype: Any = None) -> Plan:
    found = np.asarray(fill_value).dtype if dtype is None else dtype
    _check_fill("full", fill_value, found)
    return _new_plan(shape, dtype=found)


def _full_like(x: Array, /, fill_value: Number, *, dtype: DTypeOrNone = None) -> Any:
    return np.full_like(x, fill_value, dtype=dtype, order="C")


def _full_like_plan(x: Any, /, fill_value: complex, *, dtype: Any = None) -> Plan:
    _check_fill("full_like", fill_value, x.dtype if dtype is None else dtype)
    return _like_plan(x, dtype=dtype)


def _ones(shape: Lengths, *, dtype: DTypeOrNone = None) -> Any:
    return np.ones(shape, dtype=dtype)


def _zeros(shape: Lengths, *, dtype: DTypeOrNone = None) -> Any:
    """Return zeros, also for ``empty``: memory that is not cleared would reveal values of other inputs."""
    return np.zeros(shape, dtype=dtype)


def _ones_like(x: Array, /, *, dtype: DTypeOrNone = None) -> Any:
    return np.ones_like(x, dtype=dtype, order="C")


def _zeros_like(x: Array, /, *, dtype: DTypeOrNone = None) -> Any:
    return np.zeros_like(x, dtype=dtype, order="C")


def _arange(start: Real, /, stop: RealOrNone = None, step: Real = 1, *, dtype: DTypeOrNone = None) -> Any:
    first, last = (0, start) if stop is None else (start, stop)
    return np.arange(first, last, step, dtype=dtype)


def _arange_plan(start: float, /, stop: float | None = None, step: float = 1, *, dtype: Any = None) -> Plan:
    first, last = (0, start) if stop is None else (start, stop)
    if not step:
        raise ValueError("arange: the step must not be 0")
    if dtype is not None and np.dtype(dtype) == np.bool_:
        raise TypeError("arange: expected a dtype of numbers, got bool")
    return Plan(FREE, max(math.ceil((last - first) / step), 0) * _bytes(dtype))


def _linspace(
    start: Number, stop: Number, /, num: Length, *, dtype: DTypeOrNone = None, endpoint: Flag = True
) -> Any:
    return np.linspace(start, stop, num, dtype=dtype, endpoint=endpoint)


def _linspace_plan(
    start: complex,
    stop: complex,
    /,
    num: int,
    *,
    dtype: Any = None,
    endpoint: bool = True,  # noqa: ARG001 - the signature of the rule
) -> Plan:
    wide = np.result_type(start, stop, np.float64)
    if dtype is not None:
        _check_fill("linspace", start + stop, dtype)
    return Plan(FREE, num * (wide.itemsize + np.dtype(np.float64).itemsize + _bytes(dtype, wide)))


def _eye(n_rows: Length, n_cols: LengthOrNone = None, /, *, k: Integer = 0, dtype: DTypeOrNone = None) -> Any:
    return np.eye(n_rows, n_cols, k=k, dtype=dtype)


def _eye_plan(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None) -> Plan:  # noqa: ARG001
    return _new_plan((n_rows, n_rows if n_cols is None else n_cols), dtype=dtype)


def _triangle(function: Any) -> Any:
    def run(x: Array, /, *, k: Integer = 0) -> Any:
        rows, columns = x.shape[-2:]
        return function(x, k=min(max(k, -rows - 1), columns + 1))  # beyond, it is all or nothing

    return run


def _triangle_plan(name: str, x: Any, /, *, k: int = 0) -> Plan:  # noqa: ARG001 - the signature of the rule
    if x.ndim < 2:  # noqa: PLR2004 - a stack of matrices
        raise ValueError(f"{name}: expected at least 2 axes, got {x.ndim}")
    return Plan(FREE, x.nbytes + math.prod(x.shape[-2:]))


_CONSTANT = "0: a constant"


def _constant(name: str, run: Any, plan: Any, arguments: str, **more: Any) -> Rule:
    return Rule(name, run, plan, _CONSTANT, f"xp.{name}({arguments})", device=True, constant=True, **more)


def _triangular(name: str, function: Any) -> Rule:
    plan = functools.partial(_triangle_plan, name)
    return Rule(
        name,
        _triangle(function),
        plan,
        "0: zeros at constant places",
        f"xp.{name}(x)",
        wiring=True,
        moves=True,
    )


RULES: tuple[Rule, ...] = (
    _constant("arange", _arange, _arange_plan, "8"),
    _constant("empty", _zeros, _new_plan, "(2, 3)"),
    _constant("empty_like", _zeros_like, _like_plan, "x", touched=_only_the_shape),
    _constant("eye", _eye, _eye_plan, "3"),
    _constant("full", _full, _full_plan, "(2, 3), 1.0"),
    _constant("full_like", _full_like, _full_like_plan, "x, 1.0", touched=_only_the_shape),
    _constant("linspace", _linspace, _linspace_plan, "0.0, 1.0, 5"),
    _constant("ones", _ones, _new_plan, "(2, 3)"),
    _constant("ones_like", _ones_like, _like_plan, "x", touched=_only_the_shape),
    _constant("zeros", _zeros, _new_plan, "(2, 3)"),
    _constant("zeros_like", _zeros_like, _like_plan, "x", touched=_only_the_shape),
    _triangular("tril", np.tril),
    _triangular("triu", np.triu),
)
"""The rules of constants."""
