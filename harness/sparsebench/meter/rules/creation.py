"""Constants: free, because nothing is computed from an input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sparsebench.meter.rules.base import FREE, WIDEST, Plan, Rule

__all__ = ["RULES"]


def _new_plan(shape: Any) -> Plan:
    return Plan(FREE, (math.prod(shape) if isinstance(shape, tuple) else shape) * WIDEST)


def _like_plan(x: Any, /, *_: Any, **__: Any) -> Plan:
    return Plan(FREE, x.size * WIDEST)


def _only_the_shape(x: Any, /, *_: Any, **__: Any) -> list[tuple[Any, Any]]:
    return [(x, None)]


def _full(shape: Any, fill_value: float, *, dtype: Any = None) -> Any:
    return np.full(shape, fill_value, dtype=dtype)


def _full_plan(shape: Any, fill_value: float, *, dtype: Any = None) -> Plan:  # noqa: ARG001
    return _new_plan(shape)


def _full_like(x: Any, /, fill_value: float, *, dtype: Any = None) -> Any:
    return np.full_like(x, fill_value, dtype=dtype, order="C")


def _ones(shape: Any, *, dtype: Any = None) -> Any:
    return np.ones(shape, dtype=dtype)


def _zeros(shape: Any, *, dtype: Any = None) -> Any:
    return np.zeros(shape, dtype=dtype)


def _shape_plan(shape: Any, *, dtype: Any = None) -> Plan:  # noqa: ARG001
    return _new_plan(shape)


def _ones_like(x: Any, /, *, dtype: Any = None) -> Any:
    return np.ones_like(x, dtype=dtype, order="C")


def _zeros_like(x: Any, /, *, dtype: Any = None) -> Any:
    return np.zeros_like(x, dtype=dtype, order="C")


def _arange(start: float, /, stop: float | None = None, step: float = 1, *, dtype: Any = None) -> Any:
    return (
        np.arange(start, stop, step, dtype=dtype)
        if stop is not None
        else np.arange(0, start, step, dtype=dtype)
    )


def _arange_plan(
    start: float,
    /,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: Any = None,  # noqa: ARG001
) -> Plan:
    first, last = (0, start) if stop is None else (start, stop)
    if not step:
        raise ValueError("arange: the step must not be 0")
    return Plan(FREE, max(math.ceil((last - first) / step), 0) * WIDEST)


def _linspace(start: float, stop: float, /, num: int, *, dtype: Any = None, endpoint: bool = True) -> Any:
    return np.linspace(start, stop, num, dtype=dtype, endpoint=endpoint)


def _linspace_plan(
    start: float,  # noqa: ARG001
    stop: float,  # noqa: ARG001
    /,
    num: int,
    *,
    dtype: Any = None,  # noqa: ARG001
    endpoint: bool = True,  # noqa: ARG001
) -> Plan:
    return Plan(FREE, num * WIDEST)


def _eye(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None) -> Any:
    return np.eye(n_rows, n_cols, k=k, dtype=dtype)


def _eye_plan(n_rows: int, n_cols: int | None = None, /, *, k: int = 0, dtype: Any = None) -> Plan:  # noqa: ARG001
    return Plan(FREE, n_rows * (n_rows if n_cols is None else n_cols) * WIDEST)


_CONSTANT = "0: a constant"

RULES: tuple[Rule, ...] = (
    Rule("arange", _arange, _arange_plan, _CONSTANT, "xp.arange(8)"),
    Rule("eye", _eye, _eye_plan, _CONSTANT, "xp.eye(3)"),
    Rule("full", _full, _full_plan, _CONSTANT, "xp.full((2, 3), 1.0)"),
    Rule("full_like", _full_like, _like_plan, _CONSTANT, "xp.full_like(x, 1.0)", _only_the_shape),
    Rule("linspace", _linspace, _linspace_plan, _CONSTANT, "xp.linspace(0.0, 1.0, 5)"),
    Rule("ones", _ones, _shape_plan, _CONSTANT, "xp.ones((2, 3))"),
    Rule("ones_like", _ones_like, _like_plan, _CONSTANT, "xp.ones_like(x)", _only_the_shape),
    Rule("zeros", _zeros, _shape_plan, _CONSTANT, "xp.zeros((2, 3))"),
    Rule("zeros_like", _zeros_like, _like_plan, _CONSTANT, "xp.zeros_like(x)", _only_the_shape),
)
"""The rules of constants."""
