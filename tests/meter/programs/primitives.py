"""Arguments of the primitives, drawn."""

from __future__ import annotations

import numpy as np

from meter.slow.primitives import TABLE

_NUMBERS = "fi"


def _is_exact(x):
    """Whether sums and products of few of these numbers are exact, in whatever order they are made."""
    return bool(np.all(np.rint(4.0 * x.array) == 4.0 * x.array) and np.all(np.abs(x.array) <= 32))


def exact(p, shape, kinds=_NUMBERS):
    return p.array(kinds, _is_exact, shape=shape)


def _lanes(p, kinds="f"):
    """An array whose lanes along some axis hold something."""
    shape = p.shape(0, 2)
    place = p.integer(0, len(shape))
    shape = (*shape[:place], *p.lengths(4), *shape[place:])
    return p.array(kinds, shape=shape), p.choose([place, place - len(shape)])


def _softmax(p):
    x, axis = _lanes(p)
    return (x,), {"axis": axis}


def _logsumexp(p):
    (x,), how = _softmax(p)
    return (x,), how | {"keepdims": p.flag()}


def _one(p):
    return (p.array("f"),), {}


def _gelu(p):
    return (p.array("f"),), p.choose([{}, {"approximate": "none"}, {"approximate": "tanh"}])


def _layer_norm(p):
    shape = (*p.shape(0, 2), *p.lengths(4))
    x, *rest = (p.array("f", shape=size) for size in (shape, shape[-1:], shape[-1:]))
    return (x, *rest[: p.integer(0, 2)]), p.choose([{}, {"eps": 0.125}])


def _relu(p):
    return (p.array("fiu"),), {}


def _prelu(p):
    x = p.array("f")
    return (x, p.choose([0.25, 2, p.partner(x, "f")])), {}


def _pack_bits(p):
    shape = p.shape()
    return tuple(p.array("b", shape=p.choose([shape, shape[1:]])) for _ in range(p.integer(1, 4))), {}


def _quantize(p):
    return (p.array("fiu"),), {"levels": p.choose([1, 2, 3, 4, 7, 8, 9, 100])}


def _top_k(p):
    m = p.integer(1, 9)
    return (p.array("fibu", shape=(*p.shape(0, 2), m)), p.integer(1, m)), {}


def _hash(p):
    n, d, planes = p.integer(0, 3), p.integer(0, 4), (*p.shape(0, 1), p.integer(1, 4))
    given = (exact(p, (n, d)), exact(p, (*planes, d)))
    return (*given, exact(p, planes)) if p.flag() else given, {}


def _nearest(p):
    d = p.integer(0, 4)
    given = exact(p, (p.integer(0, 3), d)), exact(p, (p.integer(1, 4), d), "fib")
    return given if p.flag() else (exact(p, (p.integer(0, 3), d), "b"), exact(p, (p.integer(1, 4), d))), {}


def _tree(p):
    return (p.array("fibu"), p.array("fi", shape=(2 ** p.integer(0, 3) - 1,))), {}


def _grouped(p, *outputs):
    n, d, experts = p.integer(0, 3), p.integer(0, 4), p.integer(1, 3)
    index = p.addresses(p.choose([(n,), (n, p.integer(0, 2))]), experts)
    return p.array(_NUMBERS, shape=(n, d)), index, p.array(_NUMBERS, shape=(experts, *outputs, d))


def _grouped_linear(p):
    x, index, weights = _grouped(p, p.integer(0, 3))
    bias = p.choose([(), (None,), (p.array(_NUMBERS, shape=weights.shape[:2]),)])
    return (x, index, weights, *bias), {}


def _gather_matmul(p):
    return _grouped(p, *p.choose([(), (p.integer(0, 3),)])), {}


def _one_hot(p):
    classes = p.integer(1, 4)
    dtype = p.choose([None, "float64", "int64", "bool"])
    return (p.addresses(p.shape(0, 2), classes),), {"classes": classes, "dtype": dtype}


def _records(p):
    n, segments, record = p.integer(0, 4), p.integer(1, 3), p.shape(0, 2)
    return p.addresses((n,), segments), p.array("fiu", shape=(n, *record)), segments, record


def _scatter_add(p):
    index, values, segments, record = _records(p)
    return (p.array("fiu", shape=(segments, *record)), index, values), {}


def _segment_sum(p):
    index, values, segments, _ = _records(p)
    return (values, index), {"num_segments": segments}


DRAWS = {
    "erf": _one,
    "gather_matmul": _gather_matmul,
    "gelu": _gelu,
    "grouped_linear": _grouped_linear,
    "hyperplane_hash": _hash,
    "layer_norm": _layer_norm,
    "logsumexp": _logsumexp,
    "nearest_prototype": _nearest,
    "one_hot": _one_hot,
    "pack_bits": _pack_bits,
    "prelu": _prelu,
    "quantize": _quantize,
    "relu": _relu,
    "scatter_add": _scatter_add,
    "segment_sum": _segment_sum,
    "sigmoid": _one,
    "softmax": _softmax,
    "top_k": _top_k,
    "tree_route": _tree,
}
assert DRAWS.keys() == TABLE.keys(), "an operation with a slow count needs a way to draw its arguments"
