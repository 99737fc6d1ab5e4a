"""Calls of primitives on NumPy arrays, drawn by what their annotations say, for new primitives too."""

from __future__ import annotations

import math

import numpy as np

from sparsebench.ops.core.arguments import Array, Axis, DType, Flag, Layers, Number, Text, Whole
from sparsebench.ops.core.shapes import ELLIPSIS

LAYOUTS = {
    "C": lambda x: x.copy(),
    "F": lambda x: x.copy(order="F"),
    "strided": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
    "reversed": lambda x: x[::-1].copy()[::-1] if x.ndim else x,
    "read-only": lambda x: np.frombuffer(x.tobytes(), dtype=x.dtype).reshape(x.shape),
}
ROUTINGS = {
    "uniform": np.ones_like,
    "zipf": lambda expert: 1 / (1 + expert),
    "one": lambda expert: expert == len(expert) - 1,
    "few": lambda expert: expert % 3 == 0,
}

_TRIES = 100
_EXPERTS = (1, 4, 40, 300)
_MOST_CHOSEN = 32
"""More are not chosen by a compiled loop."""


def quarters(rng, shape, dtype=np.float64):
    """Small multiples of a quarter: products and sums of them are exact, and many are equal."""
    return np.asarray(rng.integers(-8, 9, shape) / 4).astype(dtype)


def normal(rng, shape, dtype=np.float64):
    """Numbers whose sums are rounded."""
    return np.asarray(rng.standard_normal(shape)).astype(dtype)


def whole(rng, shape, dtype=np.int64):
    """Small integers."""
    return np.asarray(rng.integers(0 if np.dtype(dtype).kind == "u" else -8, 9, shape)).astype(dtype)


def draw(primitive, rng, rows, width, dtype, make=quarters):
    """Draw a call that a primitive takes: positional arguments, and those by name.

    ``rows`` is the length of the axis of rows, no other axis is longer than ``width``, experts excepted, and
    ``make`` makes the numbers.
    """
    for _ in range(_TRIES):
        args, kwargs = _Drawn(primitive.parser, rng, rows, width, dtype, make).call()
        try:
            call = primitive.parse(*args, **kwargs)
            primitive.parser.check_values(call)
        except (TypeError, ValueError, IndexError) as error:
            refused = error
        else:
            return args, kwargs
    raise AssertionError(f"{primitive.name}: none of {_TRIES} calls fits, the last one: {refused}")


def can_draw(primitive):
    """Whether calls are told by annotations: a text that is no word of a few is a language of its own."""
    return not any(
        isinstance(told, Text) and not told.options for told in primitive.parser.arguments.values()
    )


def has_rows(primitive):
    """Whether there are arguments with a row for every row of the results, and no index into these."""
    first = primitive.parser.gives[0].shape.first if primitive.parser.by_rows else ""
    return bool(first) and all(
        getattr(told, "below", None) != first for told in primitive.parser.arguments.values()
    )


def decides(primitive):
    """Whether a primitive gives integers: a choice is right or wrong, and rounding is no excuse."""
    return any(told.kinds == "iu" for told in primitive.parser.gives)


def takes_integers(primitive):
    """Whether all arrays of numbers may be integers."""
    arrays = [told for told in primitive.parser.arguments.values() if isinstance(told, Array)]
    return all("i" in told.kinds for told in arrays)


def all_named(primitive):
    """Whether every argument has a name of its own."""
    parameters = primitive.parser.signature.parameters.values()
    return not any(one.kind is one.VAR_POSITIONAL for one in parameters)


class _Drawn:
    """Lengths and arguments of one call."""

    def __init__(self, parser, rng, rows, width, dtype, make):
        self.parser, self.rng, self.width, self.dtype, self.make = parser, rng, width, dtype, make
        told = parser.arguments.values()
        first = parser.gives[0].shape.first if parser.by_rows else ""
        along = any(isinstance(one, Axis) for one in told)  # not along the rows
        self.rest = (rows, self.few(1)) if along else self.some([(rows,), (rows, 3)])
        self.lengths = {first: rows} if first not in ("", ELLIPSIS) else {}
        self.there = {}
        self.choices = {one.below for one in told if isinstance(one, Array)}
        self.choices |= {one.most for one in told if isinstance(one, Whole)}
        self.in_formulas = {name for axis in parser.formulas for name in parser.needs(axis)}
        self.last = None

    def flag(self):
        return bool(self.rng.integers(2))

    def some(self, options):
        options = list(options)
        return options[int(self.rng.integers(len(options)))]

    def call(self):
        args, kwargs = [], {}
        for name, parameter in self.parser.signature.parameters.items():
            told = self.parser.arguments[name]
            if parameter.kind is parameter.VAR_POSITIONAL:
                args += self.layers(told) if isinstance(told, Layers) else self.several(told)
                continue
            if parameter.default is not parameter.empty and not isinstance(told, Array) and self.flag():
                continue
            value = self.one(name, told)
            if parameter.kind is parameter.KEYWORD_ONLY or len(args) < len(kwargs):
                kwargs[name] = value
            else:
                args.append(value)
            if isinstance(told, Array) and value is not None:
                self.last = value
        return tuple(args), kwargs

    def length(self, axis):
        """Draw the length of an axis when it is first asked for."""
        if axis not in self.lengths:
            self.lengths[axis] = self.new_length(axis)
        return self.lengths[axis]

    def new_length(self, axis):
        formulas, told = self.parser.formulas, self.parser.arguments.get(axis)
        if axis in formulas:
            return formulas[axis].formula(*map(self.length, self.parser.needs(axis)))
        if isinstance(told, Whole):
            return self.whole(axis, told)
        if axis in self.in_formulas:  # formulas grow fast
            return int(self.rng.integers(0, 6))
        if any(
            isinstance(one, Array) and one.below == axis and one.shape.first != axis for one in self.told()
        ):
            return self.some(_EXPERTS) if axis != self.features() else self.few(1)
        return self.few(int(axis in self.choices))

    def told(self):
        return self.parser.arguments.values()

    def features(self):
        """The last axis of the first array, which also bounds what features a node may ask for."""
        first = next(iter(self.told()))
        return first.shape.names[-1] if isinstance(first, Array) and first.shape is not None else ""

    def few(self, least):
        return int(self.rng.integers(least, self.width + 1))

    def whole(self, name, told):
        least = told.least if isinstance(told.least, int) else self.length(told.least)
        most = told.most if not isinstance(told.most, str) else min(self.length(told.most), _MOST_CHOSEN)
        if isinstance(told.most, str):
            return int(self.rng.integers(least, most + 1))
        some = [least + step for step in range(4)]
        some += [] if name in self.in_formulas else [7, 39, 1000]
        return self.some(number for number in some if number >= least and (most is None or number <= most))

    def shape(self, told):
        sizes, optional = [], told.shape.ways[-1].missing
        for axis in told.shape.ways[0].names:
            if axis == ELLIPSIS:
                sizes += self.rest
            elif axis not in optional:
                sizes.append(self.length(axis))
            elif self.there.setdefault(axis, self.flag()):
                sizes.append(self.lengths.setdefault(axis, int(self.rng.integers(1, 4))))
        return tuple(sizes)

    def one(self, name, told):
        ways = {
            Array: lambda: self.array(told),
            Axis: lambda: -1,
            DType: lambda: None,
            Flag: self.flag,
            Number: lambda: self.some([0.5, 0.125]),
            Text: lambda: self.some(told.options),
            Whole: lambda: self.length(name),
        }
        return ways[type(told)]()

    def array(self, told):
        if told.none and self.flag():
            return None
        if told.plain:
            return self.some([0.25, 2.0, self.numbers(self.last.shape[1:], told.kinds)])
        if told.below is not None:
            return self.index(self.shape(told), self.length(told.below))
        made = self.numbers(self.rest if told.shape is None else self.shape(told), told.kinds)
        return np.sort(made) if told.ascending else made

    def numbers(self, shape, kinds):
        """Numbers of the dtype that was asked for, or of the nearest kind that fits."""
        if kinds in {"i", "u", "iu"}:
            return whole(self.rng, shape)
        kind = np.dtype(self.dtype).kind
        fits = not kinds or kind in kinds
        if fits:
            return self.make(self.rng, shape, self.dtype)
        return quarters(self.rng, shape) > 0 if "b" in kinds else quarters(self.rng, shape)

    def index(self, shape, most):
        dtype = self.some([np.int64, np.int32, np.uint8])
        if not most:
            return np.zeros(shape, dtype)  # refused, but where there is no address at all
        most = min(most, 256) if dtype == np.uint8 else most
        weights = ROUTINGS[self.some(ROUTINGS)](np.arange(most)).astype(np.float64)
        taken = self.rng.choice(most, size=shape, p=weights / weights.sum()) if math.prod(shape) else 0
        return np.broadcast_to(np.asarray(taken, dtype), shape).copy()

    def several(self, told):
        if told.shape is None:
            return [self.numbers(self.rest, told.kinds) for _ in range(int(self.rng.integers(1, 5)))]
        return [self.array(told) for _ in range(int(self.rng.integers(1, 4)))]

    def layers(self, told):
        """Weights and biases in turns, each from the width of the one before."""
        width, experts, made = self.length(told.features), self.length(told.experts), []
        for _ in range(int(self.rng.integers(1, 4))):
            outputs = self.few(0)
            made.append(self.numbers((experts, outputs, width), "f") / self.dtype(4))
            made.append(self.numbers((experts, outputs), "f") if self.flag() else None)
            width = outputs
        return made[:-1] if made[-1] is None and self.flag() else made
