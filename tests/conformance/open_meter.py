"""The metered namespace with its values in sight, so that a conformance suite can compare them.

A suite reads what an operation gives by ``float(x)``, ``int(x)`` and ``bool(x)``. A submission may not, but
for the last; so here, and only here, the values behind the handles are looked up in the engine. Everything
else is the namespace that submissions get: ``ARRAY_API_TESTS_MODULE="exec('from open_meter import xp')"``.

Where an operation is refused for some arguments alone, the suite has to draw others: so it is still tested on
those that have a price. Which these are is said in ``PARTLY``; what is refused altogether is in
``refusals.txt``.
"""

from __future__ import annotations

import numpy as np
from hypothesis import reject

from sparsebench.meter import Engine, InProcess, MeteredArray, MeteredNamespace

PARTLY = {
    # Real numbers become integers in no other way than ops.quantize.
    "astype": lambda x, dtype, **_: x.dtype.kind == "f" and np.dtype(dtype).kind in "iu",
    # Singular values are iterative: how many operations they take depends on the values.
    "linalg.matrix_norm": lambda _x, **keywords: keywords.get("ord") in {2, -2, "nuc"},
    # Values would decide a shape.
    "repeat": lambda _x, repeats, **_: not isinstance(repeats, int),
}
"""Whether a call is refused, by operation, and why. A call of another kind must not be here."""

_LARGE = 1e9
"""Products of a few such numbers overflow."""
_BITS = 1 << 60  # inputs of the one batch that all tests share, each of which may reveal some bits


class OpenArray(MeteredArray):
    """A metered array that may be read."""

    __slots__ = ()

    def _value(self):
        return self._namespace.transport.engine.value(self.handle)

    def _number(self):
        value = self._value()
        if value.ndim:
            raise TypeError("only an array of no axes is a number")
        return value[()]

    def __bool__(self):
        return bool(self._number())

    def __int__(self):
        return int(self._number())

    def __index__(self):
        number = self._number()
        if number.dtype.kind not in "iu":
            raise TypeError("only an integer is an index")
        return int(number)

    def __float__(self):
        return float(self._number())

    def __complex__(self):
        return complex(self._number())

    def __repr__(self):
        return f"OpenArray({self._value()!r})"


class _Transport(InProcess):
    def __init__(self, engine):
        super().__init__(engine)
        self.engine = engine


class OpenNamespace(MeteredNamespace):
    """The namespace, giving arrays that may be read."""

    array_type = OpenArray
    float64 = np.float64  # np.dtype("float64") == None is true, and the suite compares what is missing

    def call(self, name, *args, **kwargs):
        if name in PARTLY and PARTLY[name](*args, **kwargs):
            reject()
        answer = super().call(name, *args, **kwargs)
        # The suite holds a NaN of complex matrices for unequal to itself: it must not compare them.
        if name.startswith("linalg.") and _is_nan(answer) and any(map(_is_large, args)):
            reject()
        return answer

    _call = call

    def asarray(self, obj, /, *, dtype=None, device=None, copy=None):
        """Make an array; also of lists of arrays, in which the suite lays out what it expects."""
        plain = _read(obj) if isinstance(obj, list) else obj
        return super().asarray(plain, dtype=dtype, device=device, copy=copy)


def _is_nan(answer):
    if isinstance(answer, tuple):
        return any(map(_is_nan, answer))
    value = answer._value()
    return value.dtype.kind == "c" and bool(np.isnan(value).any())


def _is_large(argument):
    return isinstance(argument, OpenArray) and not (np.abs(argument._value()) < _LARGE).all()


def _read(value):
    """Put numbers in the place of the arrays in lists."""
    if isinstance(value, list):
        return [_read(item) for item in value]
    return value._number() if isinstance(value, OpenArray) else value


def make_namespace():
    """Make a namespace under a meter of its own that never has enough."""
    engine = Engine(memory_limit=1 << 32, request_limit=1 << 60)
    engine.begin(np.zeros(1), inputs=_BITS)
    return OpenNamespace(_Transport(engine))


xp = make_namespace()
