"""Arguments of products and norms, drawn."""

from __future__ import annotations

import math

from meter.slow.products import TABLE

_NUMBERS = "fi"


def _matmul(p):
    n, k, m = (p.integer(0, 4) for _ in range(3))
    left = p.choose([(), (2,), (1,), (3, 1), (0,)])
    right = p.choose([(), (2,) if left != (0,) else (), left])
    a = p.array(_NUMBERS, shape=(k,) if p.integer(0, 3) == 0 else (*left, n, k))
    b = p.array(_NUMBERS, shape=(k,) if p.integer(0, 3) == 0 else (*right, k, m))
    return (a, b), {}


def _vecdot(p):
    axis, k = p.integer(-2, -1), p.integer(0, 4)
    beside, broad = p.integer(0, 3), p.choose([1, None])
    a, b = ((k, length) if axis == -2 else (length, k) for length in (beside, broad or beside))
    return (p.array(_NUMBERS, shape=a), p.array(_NUMBERS, shape=(*p.lengths(2)[:1], *b))), {"axis": axis}


def _tensordot(p):
    shared = [p.integer(0, 3) for _ in range(p.integer(0, 2))]
    rows, columns = p.shape(0, 2), p.shape(0, 1)
    if p.flag():
        a = p.array(_NUMBERS, shape=(*rows, *shared))
        return (a, p.array(_NUMBERS, shape=(*shared, *columns))), {"axes": len(shared)}
    a, b = p.array(_NUMBERS, shape=(*shared, *rows)), p.array(_NUMBERS, shape=(*columns, *shared[::-1]))
    left = tuple(range(len(shared)))
    right = tuple(place - len(shared) for place in range(len(shared)))[::-1]
    return (a, b), {"axes": (left, right)}


def _cross(p):
    axis, n = p.integer(-2, -1), p.integer(0, 3)
    shape = (3, n) if axis == -2 else (n, 3)
    other = p.choose([shape, (2, *shape), (3, 1) if axis == -2 else (1, 3)])
    return (p.array(_NUMBERS, shape=shape), p.array(_NUMBERS, shape=other)), {"axis": axis}


def _outer(p):
    return tuple(p.array(_NUMBERS, shape=(p.integer(0, 4),)) for _ in range(2)), {}


def _matrices(p, kinds, square=False):
    n = p.integer(0, 3)
    shape = (*p.shape(0, 1), n, n if square else p.integer(0, 4))
    fresh = square  # powers of what was computed would be large
    return p.array(kinds, shape=shape, fresh=fresh)


def _diagonal(p):
    return (_matrices(p, "fib"),), {"offset": p.integer(-3, 3)}


def _trace(p):
    x = _matrices(p, _NUMBERS)
    wider = ["float64", "float32"] if x.dtype.kind == "f" else ["int64", "int32", "float64"]
    return (x,), {"offset": p.integer(-3, 3), "dtype": p.choose([None, *wider])}


def _power(p):
    return (_matrices(p, "f", square=True), p.integer(0, 5)), {}


def _vector_norm(p):
    x = p.array("f", lambda x: x.size > 0, new=p.lengths(3, 3))
    order = p.choose([0, 1, 2, 3, 2.5, -1, -2, math.inf, -math.inf])
    return (x,), {"ord": order, "axis": p.axes(x), "keepdims": p.flag()}


def _matrix_norm(p):
    order = p.choose(["fro", None, 1, -1, math.inf, -math.inf])
    shape = (*p.shape(0, 1), *p.lengths(3, 4))
    return (p.array("f", shape=shape),), {"ord": order, "keepdims": p.flag()}


DRAWS = {
    "linalg.cross": _cross,
    "linalg.diagonal": _diagonal,
    "linalg.matrix_norm": _matrix_norm,
    "linalg.matrix_power": _power,
    "linalg.outer": _outer,
    "linalg.trace": _trace,
    "linalg.vector_norm": _vector_norm,
    "matmul": _matmul,
    "tensordot": _tensordot,
    "vecdot": _vecdot,
}
assert DRAWS.keys() == TABLE.keys(), "an operation with a slow count needs a way to draw its arguments"
