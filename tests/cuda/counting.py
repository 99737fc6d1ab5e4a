"""Runs a kernel that counts what it does, for comparison with what a primitive charges."""

from __future__ import annotations

from collections import Counter

import numpy as np

from cuda import shim
from cuda.backends import equal, reference

KINDS = ("add", "mul", "cmp", "div", "special", "lookup", "load", "logic", "address", "select")
"""As ``counted.cuh`` numbers them."""


def device():
    """A device whose kernels count."""
    return shim.ShimDevice(2, options=("-DCOUNTED",))


def counted(on, file, kernel, n, args, *, threads=128):
    """Launch a thread for each of n inputs; give the results that ``args`` has, and the counts.

    ``args`` is called with an array for the totals, and gives the arguments.
    """
    totals = on.zeros(len(KINDS), np.uint64)
    on.launch(file, kernel, -(-n // threads), threads, args(totals))
    return {kind: int(total) for kind, total in zip(KINDS, totals, strict=True) if total}


def lengths_of(sizes):
    """Sizes as kernels take them."""
    return [size if isinstance(size, np.generic) else np.int32(size) for size in sizes]


def run_router(file, kernel, n, *args, sizes=(), shape=None):
    """Run a counting kernel of float32; give its integers and its counts."""
    on = device()
    out = on.empty((n,) if shape is None else shape, np.int64)
    counts = counted(
        on,
        file,
        f"scalar_{kernel}<float>",
        n,
        lambda totals: (*args, out, totals, np.int64(n), *lengths_of(sizes)),
    )
    return out, counts


def run_experts(file, kernel, n, before, shape, rooms, after, sizes):
    """Run a counting kernel: arguments before the result, rooms to work in and arguments behind it."""
    on = device()
    out = on.empty(shape, np.float32)
    made = [on.empty(room, dtype) for room, dtype in rooms]
    counts = counted(
        on,
        file,
        f"scalar_{kernel}<float>",
        n,
        lambda totals: (*before, out, *made, totals, np.int64(n), *lengths_of(sizes), *after),
    )
    return out, counts


def charged(charges):
    """Add up charges by kind, over dtypes. ``mac`` tells again what ``mul`` and ``add`` told."""
    sums = Counter()
    for charge in charges:
        if charge.kind != "mac" and charge.amount:
            sums[charge.kind] += charge.amount
    return dict(sums)


def agrees(primitive, found, *args, **kwargs):
    """Compare results and counts with a primitive's."""
    out, counts = found
    expected = reference(primitive, *args, **kwargs)
    if out.dtype == np.int64:
        equal(out, expected)
    else:
        np.testing.assert_allclose(out.reshape(expected.shape), expected, rtol=1e-5, atol=1e-6)
    assert counts == charged(primitive.cost(*args, **kwargs))
