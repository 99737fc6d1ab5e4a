"""Random submissions for the tests of scores, and slow definitions to hold the scores against."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

from hypothesis import strategies as st


class Box(NamedTuple):
    log2_ops_low: float
    log2_ops_high: float


BOX = Box(2.0, 12.0)

# On a grid, so that costs and qualities of several cells are often equal; and anywhere.
costs = st.one_of(
    st.integers(0, 14).map(lambda k: 2.0**k), st.floats(0, 1e5, allow_subnormal=False), st.just(0.0)
)
qualities = st.one_of(st.integers(0, 8).map(lambda k: k / 8), st.floats(0, 1, allow_subnormal=False))
ran = st.tuples(costs, qualities)
cells = st.one_of(ran, ran, ran, st.none())


def variants(seeds, most=5, least=1, cell=cells):
    """Draw a submission on an instance: (v, m) cells."""
    return st.lists(st.lists(cell, min_size=seeds, max_size=seeds), min_size=least, max_size=most)


def instances(seeds, most=3, cell=cells):
    """Draw a submission on a task: (i, v, m) cells, with as many variants on each instance."""
    return st.integers(1, 4).flatmap(
        lambda v: st.lists(variants(seeds, v, v, cell), min_size=1, max_size=most)
    )


def quality_at(variants, budget):
    """Q by its definition: what the best variant does over all seeds with a budget."""
    return max(
        sum(cell[1] for cell in row if cell is not None and max(1.0, cell[0]) <= budget) / len(row)
        for row in variants
    )


def integral(variants, box):
    """Integrate Q numerically: by its value in the middle between any two costs at which it may change."""
    low, high = box
    logs = {math.log2(max(1.0, cell[0])) for row in variants for cell in row if cell is not None}
    edges = sorted({low, high} | {x for x in logs if low < x < high})
    middles = [(a, b, 2.0 ** ((a + b) / 2)) for a, b in itertools.pairwise(edges)]
    return sum((b - a) * quality_at(variants, budget) for a, b, budget in middles) / (high - low)
