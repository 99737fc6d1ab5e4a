"""Arguments of the operations along axes, drawn."""

from __future__ import annotations

import numpy as np

from meter.slow.reductions import TABLE


def _has_axes(x):
    return x.ndim > 0


def _with_axes(p, kinds="fibu"):
    return p.array(kinds, _has_axes, new=p.shape(1))


def _plain(kinds="fibu"):
    def draw(p):
        x = p.array(kinds)
        return (x,), {"axis": p.axes(x), "keepdims": p.flag()}

    return draw


def _wider(p, x):
    """A dtype to add up in: also a narrower one, to which integers are cut."""
    options = {"f": ["float32", "float64"], "i": ["int64", "int32", "float64"]}
    return p.choose([None, *options.get(x.dtype.kind, ["int64"])])


def _sums(p):
    (x,), how = _plain()(p)
    return (x,), how | {"dtype": _wider(p, x)}


def _few(x):
    """Whether products stay in range, in whatever order they are made."""
    return x.size <= 16


def _products(p):
    x = p.array(fits=_few, new=p.shape(0, 2))
    return (x,), {"axis": p.axes(x), "keepdims": p.flag(), "dtype": _wider(p, x)}


def _running_products(p):
    x = p.array(fits=lambda x: x.ndim > 0 and _few(x), new=p.shape(1, 2))
    return (x,), {"axis": p.axis(x), "dtype": _wider(p, x), "include_initial": p.flag()}


def _running(p):
    x = _with_axes(p)
    return (x,), {"axis": p.axis(x), "dtype": _wider(p, x), "include_initial": p.flag()}


def _spread(p):
    (x,), how = _plain("fi")(p)
    return (x,), how | {"correction": p.choose([0, 1, 1.0])}


def _of_something(p):
    """Reduce axes of which none is empty."""
    return p.array("fibu", lambda x: x.size > 0, new=p.lengths(3, 4))


def _extreme(p):
    x = _of_something(p)
    return (x,), {"axis": p.axes(x), "keepdims": p.flag()}


def _choosing(p):
    x = _of_something(p)
    axis = p.axis(x) if x.ndim and p.flag() else None
    return (x,), {"axis": axis, "keepdims": p.flag()}


def _order(p):
    x = _with_axes(p)
    return (x,), {"axis": p.axis(x), "descending": p.flag()}


def _diff(p):
    x = _with_axes(p, "fi")
    axis, how = p.axis(x), {}
    for name in ("prepend", "append"):
        if p.flag():
            shape = list(x.shape)
            shape[axis] = p.integer(0, 2)
            how[name] = p.array("fi", shape=tuple(shape))
    return (x,), {"axis": axis, "n": p.integer(0, 4), **how}


def _search(p):
    edges = p.put(np.sort(p.values((p.integer(0, 9),), p.kind("fi"))))
    how = {"side": p.choose(["left", "right"])}
    if p.flag():
        edges = p.put(p.values((p.integer(0, 9),), p.kind("fi")))
        how["sorter"] = p.call("argsort", edges)
    return (edges, p.array("fi")), how


DRAWS = {
    **dict.fromkeys(("all", "any", "count_nonzero", "mean"), _plain()),
    **dict.fromkeys(("argmax", "argmin"), _choosing),
    **dict.fromkeys(("argsort", "sort"), _order),
    **dict.fromkeys(("max", "min"), _extreme),
    **dict.fromkeys(("std", "var"), _spread),
    **dict.fromkeys(
        ("unique_all", "unique_counts", "unique_inverse", "unique_values"), lambda p: ((p.array(),), {})
    ),
    "cumulative_prod": _running_products,
    "cumulative_sum": _running,
    "diff": _diff,
    "prod": _products,
    "searchsorted": _search,
    "sum": _sums,
}
assert DRAWS.keys() == TABLE.keys(), "an operation with a slow count needs a way to draw its arguments"
