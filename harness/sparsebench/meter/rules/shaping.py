"""Shapes, copies and constants: free, because nothing is computed from an input."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsebench.meter.rules.base import FREE, Plan, Rule, common_dtype

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RULES"]

_WIDEST = 8  # bytes of the widest element


def _copy_plan(x: Any, /, *_: Any, **__: Any) -> Plan:
    return Plan(FREE, x.nbytes)


def _views(name: str, function: Callable[..., Any], example: str) -> Rule:
    # A reshape that has to copy takes memory: plan for it.
    return Rule(name, function, _copy_plan, "0", example, view=True)


def _concat(arrays: Any, /, *, axis: int | None = 0) -> Any:
    return np.concatenate(arrays, axis=axis)


def _stack(arrays: Any, /, *, axis: int = 0) -> Any:
    return np.stack(arrays, axis=axis)


def _join_plan(arrays: Any, /, **_: Any) -> Plan:
    return Plan(FREE, sum(a.size for a in arrays) * common_dtype(*arrays).itemsize)


def _tile_plan(x: Any, repetitions: Any, /) -> Plan:
    return Plan(FREE, x.nbytes * math.prod(repetitions))


def _repeat(x: Any, repeats: int, /, *, axis: int | None = None) -> Any:
    return np.repeat(x, repeats, axis=axis)


def _repeat_plan(x: Any, repeats: Any, /, *, axis: int | None = None) -> Plan:  # noqa: ARG001
    if not isinstance(repeats, int):
        raise TypeError(
            "repeat: expected a Python integer; repeats that depend on an input would cost nothing"
        )
    return Plan(FREE, x.nbytes * max(repeats, 0))


def _shape_elements(shape: Any) -> int:
    return math.prod(shape) if isinstance(shape, tuple | list) else int(shape)


def _new_plan(shape: Any, /, *_: Any, **__: Any) -> Plan:
    return Plan(FREE, _shape_elements(shape) * _WIDEST)


def _full(shape: Any, value: complex, /, *, dtype: Any = None) -> Any:
    return np.full(shape, _scalar("full", value), dtype=dtype)


def _full_like(x: Any, value: complex, /, *, dtype: Any = None) -> Any:
    return np.full_like(x, _scalar("full_like", value), dtype=dtype)


def _scalar(name: str, value: Any) -> Any:
    if not isinstance(value, bool | int | float):
        raise TypeError(f"{name}: expected a Python number, got {type(value).__name__}; use xp.broadcast_to")
    return value


def _like_plan(x: Any, /, *_: Any, **__: Any) -> Plan:
    return Plan(FREE, x.size * _WIDEST)


def _arange(start: float, /, stop: float | None = None, step: float = 1, *, dtype: Any = None) -> Any:
    return np.arange(start, stop, step, dtype=dtype)


def _arange_plan(start: float, /, stop: float | None = None, step: float = 1, **_: Any) -> Plan:
    first, last = (0, start) if stop is None else (start, stop)
    return Plan(FREE, max(math.ceil((last - first) / step), 0) * _WIDEST)


def _linspace_plan(_start: float, _stop: float, /, num: int, **_: Any) -> Plan:
    return Plan(FREE, num * _WIDEST)


def _eye_plan(rows: int, columns: int | None = None, /, **_: Any) -> Plan:
    return Plan(FREE, rows * (rows if columns is None else columns) * _WIDEST)


def _broadcast_plan(x: Any, shape: Any, /) -> Plan:
    np.broadcast_shapes(x.shape, tuple(shape))
    return Plan(FREE, 0)


RULES: tuple[Rule, ...] = (
    Rule("broadcast_to", np.broadcast_to, _broadcast_plan, "0", "xp.broadcast_to(b, x.shape)", view=True),
    _views("expand_dims", np.expand_dims, "xp.expand_dims(x, axis=0)"),
    _views("flip", np.flip, "xp.flip(x, axis=0)"),
    _views("matrix_transpose", np.matrix_transpose, "x.mT"),
    _views("moveaxis", np.moveaxis, "xp.moveaxis(x, 0, -1)"),
    _views("permute_dims", np.transpose, "xp.permute_dims(x, (1, 0))"),
    _views("positive", np.asarray, "+x"),
    _views("reshape", np.reshape, "xp.reshape(x, (-1,))"),
    _views("squeeze", np.squeeze, "xp.squeeze(x, axis=0)"),
    Rule("copy", np.copy, _copy_plan, "0", "xp.asarray(x, copy=True)", hidden=True),
    Rule("roll", np.roll, _copy_plan, "0", "xp.roll(x, 1)"),
    Rule("repeat", _repeat, _repeat_plan, "0", "xp.repeat(x, 2)"),
    Rule("tile", np.tile, _tile_plan, "0", "xp.tile(x, (2, 1))"),
    Rule("concat", _concat, _join_plan, "0", "xp.concat([x, y])"),
    Rule("stack", _stack, _join_plan, "0", "xp.stack([x, y])"),
    Rule("arange", _arange, _arange_plan, "0: a constant", "xp.arange(8)"),
    Rule("eye", np.eye, _eye_plan, "0: a constant", "xp.eye(3)"),
    Rule("full", _full, _new_plan, "0: a constant", "xp.full((2, 3), 1.0)"),
    Rule("full_like", _full_like, _like_plan, "0: a constant", "xp.full_like(x, 1.0)"),
    Rule("linspace", np.linspace, _linspace_plan, "0: a constant", "xp.linspace(0.0, 1.0, 5)"),
    Rule("ones", np.ones, _new_plan, "0: a constant", "xp.ones((2, 3))"),
    Rule("ones_like", np.ones_like, _like_plan, "0: a constant", "xp.ones_like(x)", view=True),
    Rule("zeros", np.zeros, _new_plan, "0: a constant", "xp.zeros((2, 3))"),
    Rule("zeros_like", np.zeros_like, _like_plan, "0: a constant", "xp.zeros_like(x)", view=True),
)
"""The rules of shapes and constants."""
