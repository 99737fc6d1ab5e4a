"""Fourier transforms: the extension ``fft`` of the array API standard."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from sparsebench.meter.rules.arithmetic import floating
from sparsebench.meter.rules.base import FREE, WIDEST, Plan, Rule, axes_of
from sparsebench.meter.rules.complexes import component
from sparsebench.meter.rules.kinds import Array, Axes, DTypeOrNone, Integer, Length, LengthOrNone, Real
from sparsebench.meter.rules.shaping import roll_each
from sparsebench.ops.charges import Charge, bits_to_choose, name_of
from sparsebench.ops.core.kinds import INTEGER, one_of, or_none, tuple_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RULES"]

_Norm = Annotated[str, one_of("backward", "ortho", "forward")]
_Several = Annotated[Any, or_none(tuple_of(INTEGER, "a tuple of integers"))]


class _Transform(NamedTuple):
    """A transform along one axis."""

    run: Callable[..., Any]
    inverse: bool
    """Whether it is normalised by 1/N by default."""
    real: bool = False
    """Whether what goes in or what comes out is real: half of a complex transform."""
    halves: bool = False
    """Whether N numbers become N//2 + 1."""
    unfolds: bool = False
    """Whether N//2 + 1 numbers become N."""


_ONE: dict[str, _Transform] = {
    "fft": _Transform(np.fft.fft, inverse=False),
    "ifft": _Transform(np.fft.ifft, inverse=True),
    "rfft": _Transform(np.fft.rfft, inverse=False, real=True, halves=True),
    "irfft": _Transform(np.fft.irfft, inverse=True, real=True, unfolds=True),
    "hfft": _Transform(np.fft.hfft, inverse=False, real=True, unfolds=True),
    "ihfft": _Transform(np.fft.ihfft, inverse=True, real=True, halves=True),
}
# name -> transforms of the last axis and of the others
_MANY: dict[str, tuple[str, str]] = {
    "fftn": ("fft", "fft"),
    "ifftn": ("ifft", "ifft"),
    "rfftn": ("rfft", "fft"),
    "irfftn": ("irfft", "ifft"),
}


_SCRATCH = 8
"""Further numbers per number of a transform whose length is a prime: Bluestein's algorithm."""


class _Pass(NamedTuple):
    """The transforms along one axis."""

    transform: _Transform
    axis: int
    length: int
    """N: how many numbers there are before or after, where all of them are."""


def _check_dtype(name: str, x: Any) -> None:
    floating(f"fft.{name}", x)
    if x.dtype.kind == "c" and _ONE[_MANY.get(name, (name,))[0]].halves:
        raise TypeError(f"fft.{name}: expected real numbers, got {x.dtype}; use xp.fft.fft or xp.real(x)")


def _length(name: str, transform: _Transform, given: int | None, before: int) -> int:
    """Return N for an axis of length ``before``."""
    length = (2 * (before - 1) if transform.unfolds else before) if given is None else given
    if length < 1:
        raise ValueError(f"fft.{name}: expected at least 1 number to transform, got {length}")
    return length


def _one_pass(name: str, x: Any, n: int | None, axis: int) -> list[_Pass]:
    (where,) = normalize_axis_tuple(axis, x.ndim)
    return [_Pass(_ONE[name], where, _length(name, _ONE[name], n, x.shape[where]))]


def _many_passes(name: str, x: Any, s: Any, axes: Any) -> list[_Pass]:
    """Return the passes in their order: a transform from real numbers is first, one to real numbers last."""
    if s is not None and axes is None:
        raise ValueError(f"fft.{name}: lengths s were given without axes; give both")
    where = tuple(range(x.ndim)) if axes is None else normalize_axis_tuple(axes, x.ndim)
    lengths = (None,) * len(where) if s is None else tuple(None if n == -1 else n for n in s)
    if len(lengths) != len(where):
        raise ValueError(f"fft.{name}: expected as many lengths as axes, got s={s} and axes={axes}")
    last, others = (_ONE[part] for part in _MANY[name])
    if last.real and not where:
        raise ValueError(f"fft.{name}: expected at least one axis, got shape {x.shape} and axes={axes}")
    passes = [
        _Pass(transform, axis, _length(name, transform, n, x.shape[axis]))
        for transform, axis, n in zip((*[others] * (len(where) - 1), last), where, lengths, strict=False)
    ]
    return passes if last.unfolds else passes[::-1]


def _execute(passes: list[_Pass], x: Any, norm: str) -> Any:
    # Rows are transformed one by one, so the result does not depend on a row's neighbours.
    for turn in passes:
        x = turn.transform.run(x, n=turn.length, axis=turn.axis, norm=norm)
    return x


def _price(passes: list[_Pass], x: Any, norm: str) -> Plan:
    """Return the charges of the passes, and of one multiplication per real number of a normalised result."""
    shape, mul, add, size = list(x.shape), 0, 0, x.size
    for transform, axis, n in passes:
        others = math.prod(shape[:axis] + shape[axis + 1 :])
        shares = 1 if transform.real else 2  # for a half of a complex transform
        levels = bits_to_choose(n)
        mul += others * shares * n * levels
        add += others * -(-shares * 3 * n * levels // 2)
        shape[axis] = n // 2 + 1 if transform.halves else n
        size = max(size, others * n)
    if any(norm != ("forward" if turn.transform.inverse else "backward") for turn in passes):
        mul += math.prod(shape) * (1 if any(turn.transform.unfolds for turn in passes) else 2)
    name = name_of(component(x.dtype))
    scratch = _SCRATCH * max((turn.length for turn in passes), default=0)
    return Plan((Charge("mul", name, mul), Charge("add", name, add)), (3 * size + scratch) * WIDEST)


def _along_one(name: str) -> tuple[Callable[..., Any], Callable[..., Plan]]:
    """Make the functions that run and price a transform along one axis."""

    def run(x: Array, /, *, n: LengthOrNone = None, axis: Integer = -1, norm: _Norm = "backward") -> Any:
        return _execute(_one_pass(name, x, n, axis), x, norm)

    def plan(x: Any, /, *, n: int | None = None, axis: int = -1, norm: str = "backward") -> Plan:
        _check_dtype(name, x)
        return _price(_one_pass(name, x, n, axis), x, norm)

    return run, plan


def _along_many(name: str) -> tuple[Callable[..., Any], Callable[..., Plan]]:
    """Make the functions that run and price a transform along several axes."""

    def run(x: Array, /, *, s: _Several = None, axes: _Several = None, norm: _Norm = "backward") -> Any:
        passes = _many_passes(name, x, s, axes)
        return _execute(passes, x, norm) if passes else x.astype(np.result_type(x, np.complex64))

    def plan(x: Any, /, *, s: Any = None, axes: Any = None, norm: str = "backward") -> Plan:
        _check_dtype(name, x)
        return _price(_many_passes(name, x, s, axes), x, norm)

    return run, plan


# Frequencies and shifts -------------------------------------------------------------------------------


def _freq(function: Callable[..., Any]) -> Callable[..., Any]:
    def run(n: Length, /, *, d: Real = 1.0, dtype: DTypeOrNone = None) -> Any:
        return function(n, d).astype(np.float64 if dtype is None else dtype)

    return run


def _freq_plan(name: str, n: int, /, *, d: float = 1.0, dtype: Any = None) -> Plan:
    if n < 1 or not d:
        raise ValueError(f"fft.{name}: expected n of at least 1 and d other than 0, got n={n} and d={d}")
    if dtype is not None and np.dtype(dtype).kind != "f":
        raise TypeError(f"fft.{name}: expected float32 or float64, got {np.dtype(dtype)}")
    return Plan(FREE, 3 * n * WIDEST)


def _fftshift(x: Array, /, *, axes: Axes = None) -> Any:
    places = axes_of(x, axes)
    return roll_each(x, tuple(x.shape[place] // 2 for place in places), places) if places else x.copy()


def _ifftshift(x: Array, /, *, axes: Axes = None) -> Any:
    places = axes_of(x, axes)
    return roll_each(x, tuple(-(x.shape[place] // 2) for place in places), places) if places else x.copy()


def _shift_plan(x: Any, /, *, axes: Any = None) -> Plan:
    axes_of(x, axes)
    return Plan(FREE, 2 * x.nbytes)


_COMPLEX = "length N: 2NL multiplications and 3NL additions"
_HALF = "length N: NL multiplications and ⌈3NL/2⌉ additions"
_NORM = "; 1 multiplication per real number of the result where it is normalised"
_LEVELS = "radix-2 algorithm of Cooley and Tukey (1965): L = ⌈log2 N⌉ levels of N/2 butterflies"
_FULL_SOURCE = f"{_LEVELS}, a complex multiplication and two additions each; so for every N"
_HALF_SOURCE = f"{_LEVELS}, half of which are conjugates of the others (Bergland 1968); so for every N"


def _one_rule(name: str) -> Rule:
    real = _ONE[name].real
    price = f"{_HALF if real else _COMPLEX}, L = ⌈log2 N⌉{_NORM}"
    source = _HALF_SOURCE if real else _FULL_SOURCE
    return Rule(f"fft.{name}", *_along_one(name), price, f"xp.fft.{name}(x)", source=source)


def _many_rule(name: str) -> Rule:
    last, others = _MANY[name]
    when = {"rfftn": ", which is the first", "irfftn": ", which is the last"}.get(
        name, ", the last one first"
    )
    price = f"as `{others}` along every axis"
    if last != others:
        price = f"as `{last}` along the last axis{when}, and as `{others}` along the others"
    else:
        price += when
    source = _HALF_SOURCE if last != others else _FULL_SOURCE
    return Rule(f"fft.{name}", *_along_many(name), f"{price}{_NORM}", f"xp.fft.{name}(x)", source=source)


def _freq_rule(name: str, function: Callable[..., Any]) -> Rule:
    plan = functools.partial(_freq_plan, name)
    return Rule(
        f"fft.{name}", _freq(function), plan, "0: a constant", f"xp.fft.{name}(8)", device=True, constant=True
    )


RULES: tuple[Rule, ...] = (
    *map(_one_rule, _ONE),
    *map(_many_rule, _MANY),
    _freq_rule("fftfreq", np.fft.fftfreq),
    _freq_rule("rfftfreq", np.fft.rfftfreq),
    Rule("fft.fftshift", _fftshift, _shift_plan, "0", "xp.fft.fftshift(x)", wiring=True, moves=True),
    Rule("fft.ifftshift", _ifftshift, _shift_plan, "0", "xp.fft.ifftshift(x)", wiring=True, moves=True),
)
"""The rules of Fourier transforms."""
