"""Arguments of what moves numbers about, and of constants, drawn."""

from __future__ import annotations

from meter.slow.shapes import TABLE


def _has_axes(p, least=1):
    return p.array(fits=lambda x: x.ndim >= least, new=p.shape(least))


def _any(p):
    return (p.array(),), {}


def _shaped(p):
    return (p.choose([p.shape(), p.integer(0, 3)]),), {"dtype": p.choose([None, "float32", "int64", "bool"])}


def _full(p):
    (shape,), _ = _shaped(p)
    return (shape, p.number()), {}


def _like(p):
    return (p.array(),), {"dtype": p.choose([None, "float32", "int64", "bool"])}


def _full_like(p):
    x, how = p.array(), {"dtype": p.choose([None, "float64", "int32"])}
    return (x, p.integer(0, 3)), how


def _arange(p):
    start, step = p.choose([0, 1.5, -2]), p.choose([1, 2, -1, 0.5])
    return p.choose([((p.integer(0, 5),), {}), ((start, p.integer(-3, 4), step), {})])


def _linspace(p):
    return (p.integer(-2, 2), 1.5, p.integer(0, 5)), {"endpoint": p.flag()}


def _eye(p):
    return (p.integer(0, 3), p.choose([None, p.integer(0, 3)])), {"k": p.integer(-2, 2)}


def _broadcast_arrays(p):
    x = p.array()
    return (x, p.partner(x)), {}


def _broadcast_to(p):
    x = p.array()
    return (x, (*p.lengths(2), *x.shape)), {}


def _joined(p):
    x = _has_axes(p)
    axis = p.axis(x)
    shape = list(x.shape)
    shape[axis] = p.integer(0, 2)
    return ((x, p.array(shape=tuple(shape))),), {"axis": axis if p.integer(0, 3) else None}


def _stack(p):
    x = p.array()
    return ((x, p.array(shape=x.shape)),), {"axis": p.integer(-x.ndim - 1, x.ndim)}


def _meshgrid(p):
    arrays = [p.array(shape=(p.integer(0, 3),)) for _ in range(p.integer(1, 3))]
    return tuple(arrays), {"indexing": p.choose(["xy", "ij"])}


def _unstack(p):
    x = _has_axes(p)
    if any(not secret.paid for secret in x.secrets):
        p.tell_shape(x)  # the number of arrays would tell it
    return (x,), {"axis": p.axis(x)}


def _expand_dims(p):
    x = p.array()
    return (x,), {"axis": p.choose([(0, -1), p.integer(-x.ndim - 1, x.ndim)])}


def _squeeze(p):
    x = p.array(fits=lambda x: 1 in x.shape, new=(2, 1))
    return (x, x.shape.index(1)), {}


def _along(p):
    x = p.array()
    return (x,), {"axis": p.axes(x)}


def _shift(p):
    x = p.array()
    return (x,), {"axes": p.axes(x)}


def _moveaxis(p):
    x = _has_axes(p)
    return (x, p.axis(x), p.axis(x)), {}


def _permute(p):
    x = p.array()
    return (x, p.permutation(x.ndim)), {}


def _matrices(p):
    return (_has_axes(p, 2),), {}


def _triangle(p):
    return (_has_axes(p, 2),), {"k": p.integer(-3, 3)}


def _reshape(p):
    x = p.array()
    return (
        x,
        p.choose([-1, (1, x.size), (*x.shape, 1), x.shape[::-1], (x.size, 1, 1)]) if x.size else (0, 2),
    ), {}


def _roll(p):
    x = p.array()
    axis = p.axis(x) if x.ndim and p.flag() else None
    return (x, p.integer(-4, 4)), {"axis": axis}


def _repeat(p):
    x = p.array()
    return (x, p.integer(0, 2)), {"axis": p.axis(x) if x.ndim and p.flag() else None}


def _tile(p):
    x = p.array()
    return (x, p.choose([2, (2, 1), (1, 0, 2), (1,)])), {}


def _frequencies(p):
    return (p.integer(1, 9),), {"d": p.choose([1.0, 0.25])}


DRAWS = {
    **dict.fromkeys(("copy",), _any),
    **dict.fromkeys(("empty", "ones", "zeros"), _shaped),
    **dict.fromkeys(("empty_like", "ones_like", "zeros_like"), _like),
    **dict.fromkeys(("fft.fftfreq", "fft.rfftfreq"), _frequencies),
    **dict.fromkeys(("fft.fftshift", "fft.ifftshift"), _shift),
    **dict.fromkeys(("tril", "triu"), _triangle),
    "arange": _arange,
    "broadcast_arrays": _broadcast_arrays,
    "broadcast_to": _broadcast_to,
    "concat": _joined,
    "expand_dims": _expand_dims,
    "eye": _eye,
    "flip": _along,
    "full": _full,
    "full_like": _full_like,
    "linspace": _linspace,
    "matrix_transpose": _matrices,
    "meshgrid": _meshgrid,
    "moveaxis": _moveaxis,
    "permute_dims": _permute,
    "repeat": _repeat,
    "reshape": _reshape,
    "roll": _roll,
    "squeeze": _squeeze,
    "stack": _stack,
    "tile": _tile,
    "unstack": _unstack,
}
assert DRAWS.keys() == TABLE.keys(), "an operation with a slow count needs a way to draw its arguments"
