"""Runs a kernel that counts what it does, for comparison with what a primitive charges."""

from __future__ import annotations

from collections import Counter

import numpy as np
import shim

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


def charged(charges):
    """Add up charges by kind, over dtypes. ``mac`` tells again what ``mul`` and ``add`` told."""
    sums = Counter()
    for charge in charges:
        if charge.kind != "mac" and charge.amount:
            sums[charge.kind] += charge.amount
    return dict(sums)
