"""Arguments of the primitives, drawn by what their annotations say: a new primitive needs no line here.

Where annotations do not say enough, as of a language of subscripts, its specimen draws them.
"""

from __future__ import annotations

import functools

import numpy as np
from hypothesis import reject

from ops.specimen import having
from sparsebench.ops import PRIMITIVES
from sparsebench.ops.core.arguments import Array, Axis, DType, Flag, Layers, Number, Text, Whole
from sparsebench.ops.core.shapes import ELLIPSIS

_WIDE = 1 << 20


def _is_exact(x):
    """Whether sums and products of few of these numbers are exact, in whatever order they are made."""
    return bool(np.all(np.rint(4.0 * x.array) == 4.0 * x.array) and np.all(np.abs(x.array) <= 32))


def draw(p, primitive):
    """Draw a call that the primitive takes; where it has no use for axes of length 0, one without any."""
    for least in (0, 1, 1):
        args, kwargs = _Drawn(p, primitive.parser, least).call()
        if _fits(primitive, args, kwargs):
            return args, kwargs
    return reject()


def _fits(primitive, args, kwargs):
    def plain(value):
        return getattr(value, "array", value)

    try:
        call = primitive.parse(*map(plain, args), **{name: plain(value) for name, value in kwargs.items()})
        primitive.parser.check_values(call)
        primitive.charges(call), primitive.size(call)
    except (TypeError, ValueError, IndexError):
        return False
    return True


class _Drawn:
    """Lengths and arguments of one call."""

    def __init__(self, p, parser, least):
        self.p = p
        self.least = least
        self.parser = parser
        self.lengths = {}
        self.there = {}
        told = parser.arguments.values()
        self.choices = {one.below for one in told if isinstance(one, Array)}
        self.choices |= {one.most for one in told if isinstance(one, Whole)}  # of nothing there is no choice
        self.rest = None

    def call(self):
        args, kwargs = [], {}
        by_name = False
        for name, parameter in self.parser.signature.parameters.items():
            told = self.parser.arguments[name]
            if parameter.kind is parameter.VAR_POSITIONAL:
                args += self.several(told)
                by_name = True
                continue
            has_default = parameter.default is not parameter.empty
            if has_default and self.p.flag() and not isinstance(told, Array):
                continue
            value = self.one(told)
            if value is None and has_default and self.p.flag():
                by_name = True
            elif by_name or parameter.kind is parameter.KEYWORD_ONLY:
                kwargs[name] = value
            else:
                args.append(value)
            self.lengths.setdefault(name, value)
            if isinstance(told, Array):
                self.last = value
        return tuple(args), kwargs

    def length(self, axis):
        """The length of an axis, drawn when it is first asked for."""
        if axis in self.lengths:
            return self.lengths[axis]
        formulas = self.parser.formulas
        if axis in formulas:
            found = formulas[axis].formula(*map(self.length, self.parser.needs(axis)))
        elif isinstance(whole := self.parser.arguments.get(axis), Whole):
            found = self.whole(whole)
        elif any(axis in self.parser.needs(one) for one in formulas):
            found = self.p.integer(self.least, self.p.highest)  # formulas grow fast
        else:
            found = self.p.integer(max(self.least, int(axis in self.choices)), self.p.most)
        self.lengths[axis] = found
        return found

    def whole(self, told):
        least = told.least if isinstance(told.least, int) else self.length(told.least)
        most = _WIDE if told.most is None else told.most
        most = most if isinstance(most, int) else self.length(most)
        some = [least, least + 1, least + 2, least + 3, *((7, 8, 9, 100) if most > _WIDE else ())]
        return self.p.choose([number for number in some if least <= number <= most])

    def shape(self, told):
        way = told.shape.ways[0]
        sizes = []
        for axis in way.names:
            if axis == ELLIPSIS:
                self.rest = self.p.shape(0, 2) if self.rest is None else self.rest
                sizes += self.rest
            elif axis not in told.shape.ways[-1].missing or self.there.setdefault(axis, self.p.flag()):
                sizes.append(self.length(axis))
        return tuple(sizes)

    def one(self, told):
        p = self.p
        ways = {
            Array: lambda: self.array(told),
            Axis: lambda: p.axis(self.last) if self.last.ndim else 0,
            DType: lambda: p.choose([None, "float64", "int64", "bool"]),
            Flag: p.flag,
            Number: lambda: p.choose([0.5, 0.125]),
            Text: lambda: p.choose(list(told.options)),
            Whole: lambda: self.whole(told),
        }
        return ways[type(told)]()

    def array(self, told):
        p = self.p
        if told.none and p.flag():
            return None
        if told.plain:
            return p.choose([0.25, 2, p.partner(self.last, told.kinds)])
        kinds = told.kinds or "fbiu"
        if told.below is not None:
            return p.addresses(self.shape(told), self.length(told.below))
        if told.ascending:
            return p.put(np.sort(p.values(self.shape(told), p.kind(kinds))))
        if told.shape is None or (told.shape.words == ELLIPSIS and self.rest is None):
            found = p.array(kinds)
            self.rest = found.shape
            return found
        return p.array(kinds, _is_exact, shape=self.shape(told))

    def several(self, told):
        p = self.p
        if isinstance(told, Layers):
            return self.layers(told)
        shape = p.shape()
        return [p.array(told.kinds, shape=p.choose([shape, shape[1:]])) for _ in range(p.integer(1, 4))]

    def layers(self, told):
        """Weights and biases in turns, each from the width of the one before."""
        p, width, made = self.p, self.length(told.features), []
        for _ in range(p.integer(1, 3)):
            outputs = p.integer(0, p.most - 1)
            made.append(p.array("f", _is_exact, shape=(self.length(told.experts), outputs, width)))
            made.append(p.array("f", _is_exact, shape=made[-1].shape[:2]) if p.flag() else None)
            width = outputs
        return made[:-1] if made[-1] is None and p.flag() else made


DRAWS = {name: functools.partial(draw, primitive=made) for name, made in PRIMITIVES.items()} | having("draw")
