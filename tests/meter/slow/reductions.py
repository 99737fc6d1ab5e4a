"""Slow operations along axes: folds, orders and searches."""

from __future__ import annotations

import itertools
import operator

import numpy as np

from meter.scalars import common, fold, maximum, minimum, number, spend, square_root, total
from meter.slow.arrays import Slow, cast, filled, lanewise, reduced

INDEX = np.dtype(np.int64)
_END = None
"""What stands behind the last of a run: it comes after everything."""


def widened(dtype):
    """The dtype in which numbers add up: small integers do in 64 bits."""
    return {"b": INDEX, "i": INDEX, "u": np.dtype(np.uint64)}.get(dtype.kind, dtype)


def _wide(x, dtype=None):
    return widened(x.dtype) if dtype is None else np.dtype(dtype)


def _folding(function, start):
    def run(x, *, axis=None, dtype=None, keepdims=False):
        target = _wide(x, dtype)
        return reduced(
            lambda lane: fold(function, [one.cast(target) for one in lane], number(start, target)),
            x,
            axis,
            keepdims=keepdims,
        )

    return run


def _running(function, start):
    def run(x, *, axis=None, dtype=None, include_initial=False):
        target = _wide(x, dtype)

        def accumulate(lane):
            made = list(itertools.accumulate((one.cast(target) for one in lane), function))
            return [number(start, target), *made] if include_initial else made

        out = lanewise(accumulate, x, -1 if axis is None else axis)
        return Slow(out.cells, target)

    return run


def _real(x):
    return x.dtype if x.dtype.kind == "f" else np.dtype(np.float64)


def mean(x, *, axis=None, keepdims=False):
    added, real = _wide(x), _real(x)

    def average(lane):
        return total([one.cast(added) for one in lane], added).cast(real) / len(lane)

    return reduced(average, x, axis, keepdims=keepdims)


def var(x, *, axis=None, correction=0.0, keepdims=False):
    real = _real(x)

    def spread(lane):
        lane = [one.cast(real) for one in lane]
        middle = total(lane, real) / len(lane)
        differences = [one - middle for one in lane]
        squares = [one * one for one in differences]
        return total(squares, real) / max(len(lane) - correction, 0)

    return reduced(spread, x, axis, keepdims=keepdims)


def std(x, **how):
    spread = var(x, **how)
    return filled([square_root(one) for one in spread.flat()], spread.shape, spread.dtype)


def _extreme(function):
    def run(x, *, axis=None, keepdims=False):
        return reduced(lambda lane: fold(function, lane, None), x, axis, keepdims=keepdims)

    return run


def place_of_best(lane, better):
    """Where the best is; the first among equals."""
    best = 0
    for place in range(1, len(lane)):
        best = place if better(lane[place], lane[best]) else best
    return number(best, INDEX)


def _choosing(better):
    def run(x, *, axis=None, keepdims=False):
        return reduced(lambda lane: place_of_best(lane, better), x, axis, keepdims=keepdims)

    return run


def truth(one):
    return one if one.dtype.kind == "b" else one != 0


def _truths(function, start):
    def run(x, *, axis=None, keepdims=False):
        return reduced(
            lambda lane: fold(function, [truth(one) for one in lane], number(start, bool)),
            x,
            axis,
            keepdims=keepdims,
        )

    return run


def count_nonzero(x, *, axis=None, keepdims=False):
    return reduced(
        lambda lane: total([truth(one).cast(INDEX) for one in lane], INDEX), x, axis, keepdims=keepdims
    )


def diff(x, *, axis=-1, n=1, prepend=None, append=None):
    parts = [part for part in (prepend, x, append) if part is not None]
    dtype = common(*parts)
    cells = np.concatenate([cast(part, dtype).cells for part in parts], axis=axis)

    def differences(lane):
        for _ in range(n):
            lane = [after - before for before, after in itertools.pairwise(lane)]
        return lane

    return Slow(lanewise(differences, Slow(cells, dtype), axis).cells, dtype)


def ordered(lane, *, descending=False):
    """Places of numbers in order, by merging runs; equal ones as they came.

    Every number that is placed was compared once, also with the end of a run: m comparisons on each of
    ceil(log2 m) levels.
    """
    places, width = list(range(len(lane))), 1
    while width < len(lane):
        merged = []
        for start in range(0, len(places), 2 * width):
            left = [*places[start : start + width], _END]
            right = [*places[start + width : start + 2 * width], _END]
            for _ in range(len(left) + len(right) - 2):
                side = left if _first(lane, left[0], right[0], descending=descending) else right
                merged.append(side.pop(0))
        places, width = merged, 2 * width
    return places


def _first(lane, left, right, *, descending):
    if left is _END or right is _END:
        spend("cmp", lane[0].dtype)
        return right is _END
    return bool(lane[left] >= lane[right] if descending else lane[left] <= lane[right])


def sort(x, *, axis=-1, descending=False, stable=True):
    return Slow(
        lanewise(lambda lane: [lane[place] for place in ordered(lane, descending=descending)], x, axis).cells,
        x.dtype,
    )


def argsort(x, *, axis=-1, descending=False, stable=True):
    return lanewise(
        lambda lane: [number(place, INDEX) for place in ordered(lane, descending=descending)], x, axis
    )


def searchsorted(x1, x2, *, side="left", sorter=None):
    """Walk a complete tree over the m + 1 gaps between the edges; it has nodes beyond the last edge too."""
    edges, dtype = x1.flat(), common(x1, x2)
    places = range(len(edges)) if sorter is None else [int(one.value) for one in sorter.flat()]

    def before(place, value):
        if sorter is not None:
            spend("lookup", INDEX)
            spend("load", sorter.dtype)
        spend("lookup", INDEX if sorter is None else sorter.dtype)
        spend("load", x1.dtype)
        if place >= len(edges):
            spend("cmp", dtype)
            return False
        edge = edges[places[place]]
        return bool(edge < value if side == "left" else edge <= value)

    def search(value):
        step, found = 1, 0
        while step < len(edges) + 1:
            step *= 2
        spend("address", INDEX, max(step.bit_length() - 2, 0))
        while step > 1:
            step //= 2
            found += step if before(found + step - 1, value) else 0
        return number(found, INDEX)

    return filled([search(value) for value in x2.flat()], x2.shape, INDEX)


def _distinct(x):
    """Sort, then compare each with the one before: values, first places, places of values, how often."""
    lane = x.flat()
    order = ordered(lane)
    values, indices, counts = [], [], []
    inverse = [0] * len(lane)
    for rank, place in enumerate(order):
        if not rank or lane[place] != lane[order[rank - 1]]:
            values.append(lane[place])
            indices.append(place)
            counts.append(0)
        counts[-1] += 1
        inverse[place] = len(values) - 1
    new = (len(values),)
    integers = [
        filled([number(i, INDEX) for i in found], shape, INDEX)
        for found, shape in ((indices, new), (inverse, x.shape), (counts, new))
    ]
    return filled(values, new, x.dtype), *integers


def _pick(*places):
    def run(x):
        found = _distinct(x)
        return found[0] if not places else (found[0], *(found[place] for place in places))

    return run


TABLE = {
    "all": _truths(operator.and_, start=True),
    "any": _truths(operator.or_, start=False),
    "argmax": _choosing(operator.gt),
    "argmin": _choosing(operator.lt),
    "argsort": argsort,
    "count_nonzero": count_nonzero,
    "cumulative_prod": _running(operator.mul, 1),
    "cumulative_sum": _running(operator.add, 0),
    "diff": diff,
    "max": _extreme(maximum),
    "mean": mean,
    "min": _extreme(minimum),
    "prod": _folding(operator.mul, 1),
    "searchsorted": searchsorted,
    "sort": sort,
    "std": std,
    "sum": _folding(operator.add, 0),
    "unique_all": _pick(1, 2, 3),
    "unique_counts": _pick(3),
    "unique_inverse": _pick(2),
    "unique_values": _pick(),
    "var": var,
}
