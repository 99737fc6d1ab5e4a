"""Keys and addresses, drawn."""

from __future__ import annotations

import numpy as np

from meter.slow.indexing import TABLE


def _slice(p):
    """Often backwards, now and then of nothing."""
    start, stop = (p.integer(-4, 4) if p.choose((False, False, True)) else None for _ in range(2))
    return slice(start, stop, p.choose((-1, None, 2, -2)))


def _position(p, length):
    return p.integer(-length, length - 1) if length and p.choose((False, False, True)) else _slice(p)


def _basic(p, x):
    """Positions, slices, dots and new axes."""
    taken = p.choose((x.ndim, p.integer(0, x.ndim)))
    key = [_position(p, length) for length in x.shape[:taken]]
    extra = p.choose((0, None, ...))
    if extra is None:
        key.insert(p.integer(0, len(key)), None)
    elif extra is ... and p.flag():
        key = [..., *(_position(p, length) for length in x.shape[x.ndim - taken :])]
    elif extra is ...:
        key.append(...)
    return tuple(key)


def _mask(p, x):
    """One mask of some axes, beside slices."""
    first = p.integer(0, x.ndim)
    last = p.integer(first, x.ndim)
    mask = p.array("b", shape=x.shape[first:last])
    before = [_slice(p) if p.flag() else slice(None) for _ in range(first)]
    after = [_slice(p)] if last < x.ndim and p.flag() else []
    return mask if not first and not after and p.flag() else (*before, mask, *after)


def _addressed(p, x):
    """Integer arrays that broadcast, beside positions and slices."""
    if not x.ndim:
        return _basic(p, x)
    common = p.shape(0, 2)
    chosen = {p.integer(0, x.ndim - 1), p.integer(0, x.ndim - 1)}
    if any(not x.shape[place] for place in chosen):
        common = (0,)
    key = []
    for place, length in enumerate(x.shape):
        if place in chosen:
            shape = common if p.flag() or 0 in common else tuple(p.choose([1, side]) for side in common)
            key.append(p.addresses(shape, length, negative=True))
        else:
            key.append(_position(p, length))
    key = key[: max(chosen) + 1]
    return tuple(key) if len(key) > 1 or p.flag() else key[0]


def _key(p, x):
    return p.choose([_basic, _mask, _addressed])(p, x)


def _getitem(p):
    x = p.array()
    return (x, _key(p, x)), {}


def _seen(key):
    """A key with NumPy arrays in it."""
    parts = tuple(part.array if hasattr(part, "array") else part for part in _parts(key))
    return parts if isinstance(key, tuple) else parts[0]


def _parts(key):
    return key if isinstance(key, tuple) else (key,)


def _setitem(p):
    """Write to a copy: also what a mask selects of another array."""
    x = p.call("copy", p.array("fib"))
    key = _key(p, x)
    kinds = {"f": "fib", "i": "b", "b": "b"}[x.dtype.kind]
    how = p.integer(0, 2)
    if how == 0:
        return (x, key, p.number({"f": "fi", "i": "i", "b": "b"}[x.dtype.kind])), {}
    if how == 1:
        return (x, key, p.call("getitem", p.array(kinds, shape=x.shape), key)), {}
    shape = np.empty(x.shape)[_seen(key)].shape
    return (x, key, p.array(kinds, shape=tuple(shape)[p.integer(0, len(shape)) :])), {}


def _take(p):
    x = p.array(fits=lambda x: x.ndim > 0, new=p.shape(1))
    axis = p.axis(x)
    index = p.addresses(p.shape(0, 2), x.shape[axis], negative=True)
    return (x, index), {"axis": None if x.ndim == 1 and p.flag() else axis}


def _take_along_axis(p):
    x = p.array(fits=lambda x: x.ndim > 0, new=p.shape(1))
    axis = p.axis(x)
    rows = x.shape[axis]
    shape = [length if p.flag() else 1 for length in x.shape]
    shape[axis] = p.integer(0, 3) if rows else 0
    index = p.values(tuple(shape), p.choose(["int64", "int32"]), low=-rows, high=max(rows, 1))
    return (x, p.put(index)), {"axis": axis}


def _nonzero(p):
    return (p.array(fits=lambda x: x.ndim > 0, new=p.shape(1)),), {}


def _astype(p):
    x = p.array()
    real = ["float32", "float64"]
    dtype = p.choose([*real, "bool", *([] if x.dtype.kind == "f" else ["int64", "int32", "uint8"])])
    return (x, dtype), {"copy": p.flag()}


DRAWS = {
    "astype": _astype,
    "getitem": _getitem,
    "nonzero": _nonzero,
    "setitem": _setitem,
    "take": _take,
    "take_along_axis": _take_along_axis,
}
assert DRAWS.keys() == TABLE.keys(), "an operation with a slow count needs a way to draw its arguments"
