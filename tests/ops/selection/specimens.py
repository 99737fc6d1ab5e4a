"""Selection of the largest: what tests of all primitives know of it."""

from __future__ import annotations

import numpy as np

from meter.operands import TABLE, F
from meter.scalars import number, spend
from meter.slow.arrays import Slow, lanewise
from meter.slow.primitives import halvings
from meter.slow.reductions import INDEX
from ops import strict
from ops.specimen import Specimen


def _beats(lane, one, other):
    """Whether a place wins over another one; nobody beats those who are out."""
    if lane[one] is None or lane[other] is None:
        return lane[other] is None
    return bool(lane[one] >= lane[other])


def _tournament(lane, k):
    """Knock out: m - 1 matches for the first; then each winner's way up is played again without him."""
    dtype, depth = lane[0].dtype, halvings(len(lane))
    left = [*lane, *[None] * (2**depth - len(lane))]
    winners = []
    tree = [list(range(2**depth))]
    while len(tree[-1]) > 1:
        pairs = zip(tree[-1][::2], tree[-1][1::2], strict=True)
        tree.append([one if _beats(left, one, other) else other for one, other in pairs])
    while True:
        winners.append(tree[-1][0])
        if len(winners) == k:
            return winners
        left[winners[-1]] = None
        for level in range(depth):
            match = winners[-1] >> (level + 1)
            one, other = tree[level][2 * match : 2 * match + 2]
            if left[one] is None or left[other] is None:
                spend("cmp", dtype)  # the way is as long for all
            tree[level + 1][match] = one if _beats(left, one, other) else other


def top_k(x, k):
    index = lanewise(lambda lane: [number(place, INDEX) for place in _tournament(lane, k)], x)
    return Slow(np.take_along_axis(x.cells, index.values(), axis=-1), x.dtype), index


SPECIMENS = (
    Specimen(
        name="top_k",
        strict=(({}, (strict.ODD, 5)), ({}, (strict.N, 2)), ({}, (strict.PAIRS, 2)), ({}, (strict.BITS, 3))),
        slow=top_k,
        prices=(({}, (TABLE, 2), {("cmp", F): 3 * (3 + 2)}),),
        sorts=True,
        free="of one term, a copy or a constant",
        numbers={"top-k": lambda ops, s: s.x + ops.top_k(s.x, 3)[0][:, 2:]},
    ),
)
