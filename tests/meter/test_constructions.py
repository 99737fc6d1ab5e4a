"""Constructions that compute by wiring, and what each of them costs at least.

Whoever finds a way to compute for next to nothing writes it down here. A construction is given rows of 64
numbers, decides what it has to, and then does its work; it gives what that work has cost. Its least price is
told with the reason why nothing cheaper does the same. Constant factors are no matter.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import sparsebench as sb
from sparsebench import ops
from sparsebench.tasks import load_task

ROWS = 4
WIDE = 1000
X = np.random.default_rng(0).normal(size=(ROWS, 64))
CONSTRUCTIONS = []


class Construction(NamedTuple):
    """A way to compute, and what it must cost for an input."""

    run: object
    least: int
    why: str
    rows: int


def construction(least, why, *, rows=ROWS):
    """Note one: it is called with the namespace, the rows and the ledger, and gives the cost of its work."""

    def note(run):
        told = Construction(run, least, why, rows)
        CONSTRUCTIONS.append(pytest.param(told, id=run.__name__))
        return run

    return note


def alone(least, why):
    """Note one that works on one input by itself."""
    return construction(least, why, rows=1)


def bits(x, many, first=0):
    """Decide bits, for a comparison each."""
    return x[:, first : first + many] > 0.0


# Selections, which version 1 of the cost model gave away ---------------------------------------------------


@construction(1, "a selection is an operation")
def where_of_two_constants(xp, x, ledger):
    b = x[:, 0] > 0.0
    before = ledger.ops
    xp.where(b, xp.ones((ROWS,)), xp.zeros((ROWS,)))
    return ledger.ops - before


@construction(1, "a masked write is a selection")
def where_by_masked_write(xp, x, ledger):
    b, out = x[:, 0] > 0.0, xp.zeros((ROWS,))
    before = ledger.ops
    out[b] = 5.0
    return ledger.ops - before


@construction(1, "and-not of two bits is a gate")
def gate_by_masked_write(xp, x, ledger):
    a, b = x[:, 0] > 0.0, x[:, 1] > 0.0
    before = ledger.ops
    out = xp.asarray(a, copy=True)
    out[b] = False
    return ledger.ops - before


@construction(16, "each place of a mask asks its bit: a threshold of 8 bits sorts them")
def threshold_by_sorting_bits(xp, x, ledger):
    b = bits(x, 8)
    both = xp.concat([b, ~b], axis=1)
    before = ledger.ops
    ordered = xp.concat([xp.ones((ROWS, 8), dtype=xp.bool), xp.zeros((ROWS, 8), dtype=xp.bool)], axis=1)
    _ = xp.reshape(ordered[both], (ROWS, 8))[:, 3]
    return ledger.ops - before


@construction(55, "an address of k bits takes k - 1 operations to make")
def popcount_by_packing(xp, x, ledger):
    b, off = x > 0.0, xp.zeros((ROWS,), dtype=xp.bool)
    spread = [bit for place in range(8) for bit in [off] * 6 + [b[:, place]]]
    before = ledger.ops
    packed = ops.pack_bits(*spread)
    _ = ((packed * sum(1 << (7 * place) for place in range(8))) >> 49) & 127
    return ledger.ops - before


@construction(61, "an address of k bits takes k - 1 operations to make, of constant bits too")
def constants_chosen_by_packing(xp, x, ledger):
    b = x[:, 0] > 0.0
    on, off, other = xp.ones((ROWS,), dtype=xp.bool), xp.zeros((ROWS,), dtype=xp.bool), ~b
    one, two = 123456789, 987654321
    before = ledger.ops
    table = {(1, 1): on, (1, 0): b, (0, 1): other, (0, 0): off}
    ops.pack_bits(*[table[one >> place & 1, two >> place & 1] for place in reversed(range(62))])
    return ledger.ops - before


@construction(64 * 8, "choosing between a record and a wired copy of it steps 64 counters at once")
def counters_by_wiring(xp, x, ledger):
    steps = bits(x, 8)
    state = xp.broadcast_to(xp.concat([xp.ones((1,)), xp.zeros((8,))]), (ROWS, 64, 9))  # counters in unary
    before = ledger.ops
    for place in range(8):
        moved = xp.concat([state[:, :, -1:], state[:, :, :-1]], axis=2)
        state = xp.where(steps[:, place, None, None], moved, state)
    assert np.array_equal(np.argmax(ledger.value(state)[:, 0], axis=1), (X[:, :8] > 0).sum(axis=1))
    return ledger.ops - before


@construction(WIDE, "choosing one of two computed records by a bit moves every number of it")
def wide_selection(xp, x, ledger):
    b = x[:, :1] > 0.0
    wide = xp.broadcast_to(x[:, :1], (ROWS, WIDE))
    before = ledger.ops
    xp.where(b, wide, wide)
    return ledger.ops - before


@construction(2 * WIDE, "a mask lies over both records")
def masked_read_of_wide_records(xp, x, ledger):
    c = x[:, 0] > 0.0
    other = ~c
    one, two = (xp.asarray(np.full((ROWS, WIDE), value, dtype=np.float32)) for value in (1, 0))
    before = ledger.ops
    _ = xp.stack([one, two], axis=1)[xp.stack([c, other], axis=1)]
    return ledger.ops - before


@construction(2 * WIDE, "a masked read and a masked write of a wide record")
def masked_write_of_wide_records(xp, x, ledger):
    c = x[:, 0] > 0.0
    one, two = (xp.asarray(np.full((ROWS, WIDE), value, dtype=np.float32)) for value in (1, 0))
    out = xp.asarray(two, copy=True)
    before = ledger.ops
    out[c] = one[c]
    return ledger.ops - before


@construction(3, "an address of three indices takes two operations, and following it one")
def several_indices(xp, x, ledger):
    i, j, k = (ops.quantize(x[:, place] + 4, levels=8) for place in range(3))
    before = ledger.ops
    _ = xp.asarray(np.zeros((8, 8, 8)))[i, j, k]
    return ledger.ops - before


# Constants that are none -----------------------------------------------------------------------------------


@alone(WIDE, "what was written to is computed, and so is every earlier look at its memory")
def look_taken_before_a_write(xp, x, ledger):
    b = x[:, 0] > 0.0
    mask = xp.zeros((2,), dtype=xp.bool)
    look = xp.broadcast_to(mask[:, None], (2, WIDE))
    mask[0:1], mask[1:2] = b, ~b
    rows = xp.stack([xp.broadcast_to(x[0, place], (WIDE,)) for place in (1, 2)])
    before = ledger.ops
    rows[look]
    return ledger.ops - before


@alone(WIDE, "a copy of what was computed is computed")
def copy_that_passes_for_a_constant(xp, x, ledger):
    b = x[:, 0] > 0.0
    mask = xp.asarray(xp.asarray(xp.concat([b, ~b])), copy=True)
    rows = xp.stack([xp.broadcast_to(x[0, place], (WIDE,)) for place in (1, 2)])
    before = ledger.ops
    rows[mask]
    return ledger.ops - before


@alone(WIDE, "a write by slices puts bits into a constant")
def mask_written_by_slices(xp, x, ledger):
    mask = xp.ones((64,), dtype=xp.bool)
    mask[:32] = x[0, :32] > 0.0
    rows = xp.broadcast_to(x[0, :, None], (64, WIDE))
    before = ledger.ops
    rows[mask]
    return ledger.ops - before


@alone(WIDE, "a length that values decide is no constant: two of them make a mask of the bit")
def mask_of_constants_by_lengths(xp, x, ledger):
    b = x[:, 0] > 0.0
    other = ~b
    rows = xp.stack([xp.broadcast_to(x[:, place, None], (1, WIDE)) for place in (1, 2)], axis=1)
    before = ledger.ops
    chosen = xp.concat([xp.ones_like(b[b]), xp.zeros_like(b[other])])
    left = xp.concat([xp.zeros_like(b[b]), xp.ones_like(b[other])])
    found = rows[xp.stack([chosen, left], axis=1)]
    assert ledger.value(found)[0, 0] == X[0, 1 if X[0, 0] > 0 else 2]
    return ledger.ops - before


@alone(WIDE, "an index that broadcasts over the model's is computed for every address")
def index_of_the_input_and_of_the_model(xp, x, ledger):
    i = ops.quantize(x[:, 0] + 4, levels=8)
    rows = xp.broadcast_to(x[0, :8, None], (8, WIDE))
    before = ledger.ops
    rows[i[:, None], xp.arange(WIDE)[None, :]]
    return ledger.ops - before


# Lengths that values decide --------------------------------------------------------------------------------


@alone(64, "a length counts the bits of its mask, also of records without numbers")
def threshold_by_a_length(xp, x, ledger):
    b = x[0, :] > 0.0
    before = ledger.ops
    ones = xp.prod(xp.zeros((64, 0))[b], axis=1)
    ordered = xp.concat([ones, xp.zeros((64,))])
    assert np.array_equal(ledger.value(ordered)[:64], np.arange(64) < (X[0] > 0).sum())
    return ledger.ops - before


@alone(WIDE, "to broadcast to no row or to one chooses: every number is moved because of a bit")
def wide_selection_by_broadcasting(xp, x, ledger):
    b = x[:, 0] > 0.0
    other = ~b
    one, two = (xp.broadcast_to(x[:, place, None], (1, WIDE)) for place in (1, 2))
    none = xp.zeros((1, 1))
    before = ledger.ops
    parts = [xp.broadcast_arrays(wide, none[bit])[0] for wide, bit in ((one, b), (two, other))]
    found = xp.concat(parts)
    assert np.array_equal(ledger.value(found)[0], np.full(WIDE, X[0, 1 if X[0, 0] > 0 else 2]))
    return ledger.ops - before


@alone(WIDE, "behind rows that may be there or not, all that follows is moved because of a bit")
def wide_shift_by_joining(xp, x, ledger):
    b = x[:, 0] > 0.0
    record = xp.broadcast_to(x[0, :, None], (64, WIDE))
    before = ledger.ops
    shifted = xp.concat([xp.matmul(xp.zeros((1, 0))[b], xp.zeros((0, WIDE))), record])[:64]
    assert ledger.value(shifted)[1, 0] == X[0, 0 if X[0, 0] > 0 else 1]
    return ledger.ops - before


@alone(WIDE, "which row is the last one depends on a bit: taking it moves every number of it")
def wide_selection_of_the_last_row(xp, x, ledger):
    b = x[:, 0] > 0.0
    one, two = (xp.broadcast_to(x[:, place, None], (1, WIDE)) for place in (1, 2))
    before = ledger.ops
    length = xp.concat([xp.zeros((1, 1)), xp.zeros((1, 1))[b]])
    both = xp.concat([two, xp.broadcast_arrays(one, length)[0][1:, :]])
    assert ledger.value(both)[-1, 0] == X[0, 1 if X[0, 0] > 0 else 2]
    return ledger.ops - before


# Operations of every kind on the least of arrays -----------------------------------------------------------


@construction(5, "to order two numbers takes a comparison: with bits, it is an and and an or")
def gates_by_sorting_pairs(xp, x, ledger):
    pairs = xp.reshape(x[:, :10], (ROWS, 5, 2))
    before = ledger.ops
    xp.sort(pairs, axis=-1)
    return ledger.ops - before


@construction(63, "the largest of m bits takes m - 1 comparisons")
def or_by_top_k(xp, x, ledger):
    b = x > 0.0
    before = ledger.ops
    ops.top_k(b, 1)
    return ledger.ops - before


@construction(2, "to find a place among computed edges, each step looks one up and compares")
def search_among_computed_edges(xp, x, ledger):
    before = ledger.ops
    for row in range(ROWS):
        xp.searchsorted(x[row, :1], x[row, 1:2])
    return ledger.ops - before


@construction(WIDE, "choosing one of two computed trees' nodes moves their records")
def descent_of_a_computed_tree(xp, x, ledger):
    normals = xp.broadcast_to(x[0, :1], (3, WIDE))
    point = xp.broadcast_to(x[:, :1], (ROWS, WIDE))
    thresholds = xp.zeros((3,))
    before = ledger.ops
    ops.oblique_tree_route(point, normals, thresholds)
    return ledger.ops - before - ROWS * 2 * (2 * WIDE - 1)  # without the products


@construction(WIDE, "choosing one of two computed layers moves every weight of it")
def layer_of_computed_weights(xp, x, ledger):
    b = ops.pack_bits(x[:, 0] > 0.0)
    weights = xp.broadcast_to(x[:2, :1, None], (2, 1, WIDE))
    point = xp.broadcast_to(x[:, :1], (ROWS, WIDE))
    before = ledger.ops
    ops.grouped_linear(point, b, weights)
    return ledger.ops - before - ROWS * (2 * WIDE - 1)  # without the product


@construction(64, "a product of lengths 1 multiplies")
def products_of_length_one(xp, x, ledger):
    before = ledger.ops
    ops.einsum("ni,ni->ni", x, x)
    return ledger.ops - before


@construction(64, "matrices of one element are numbers, and dividing by each costs what it costs")
def inverses_of_single_elements(xp, x, ledger):
    before = ledger.ops
    xp.linalg.inv(x[:, :, None, None])
    return ledger.ops - before


@construction(64, "a transform of two numbers adds them and subtracts them")
def sums_by_transforms_of_pairs(xp, x, ledger):
    before = ledger.ops
    xp.fft.rfft(xp.reshape(x, (ROWS, 32, 2)))
    return ledger.ops - before


@construction(32, "a running sum of pairs adds them")
def sums_by_running_over_pairs(xp, x, ledger):
    before = ledger.ops
    xp.cumulative_sum(xp.reshape(x, (ROWS, 32, 2)), axis=-1)
    return ledger.ops - before


@construction(128, "clipping compares with every bound that it is given")
def medians_by_clipping(xp, x, ledger):
    before = ledger.ops
    xp.clip(x, xp.flip(x, axis=1), xp.roll(x, 1, axis=1))
    return ledger.ops - before


@construction(64 * 2, "a complex number is two")
def selections_of_pairs_as_complex_numbers(xp, x, ledger):
    b = x[:, :1] > 0.0
    pairs = xp.astype(x, xp.complex128)
    before = ledger.ops
    xp.where(b, pairs, xp.flip(pairs, axis=1))
    return ledger.ops - before


@alone(64 * 6 + 63, "which numbers are distinct takes a sort")
def distinct_numbers(xp, x, ledger):
    before = ledger.ops
    xp.unique_inverse(x)
    return ledger.ops - before


@construction(1, "a choice by one bit without axes is a choice")
def selection_without_axes(xp, x, ledger):
    before = ledger.ops
    for row in range(ROWS):
        xp.where(x[row, 0] > 0.0, x[row, 1], x[row, 2])
    return ledger.ops - before - ROWS  # the comparisons


@alone(WIDE, "a mask without axes lies over everything")
def mask_without_axes(xp, x, ledger):
    b = x[0, 0] > 0.0
    wide = xp.broadcast_to(x[0, :1], (WIDE,))
    before = ledger.ops
    wide[b]
    return ledger.ops - before


@pytest.mark.parametrize("told", CONSTRUCTIONS)
def test_it_costs_what_it_must(told):
    with sb.metered() as ledger:
        x = ledger.asarray(X[: told.rows])
        cost = told.run(x.__array_namespace__(), x, ledger)
    assert cost >= told.rows * told.least, f"{cost / told.rows:g} for an input; {told.why}"


def points(instance):
    """Give the keys of an instance of memorization in ascending order, their labels, and the test split."""
    task = load_task("memorization@1").load(instance)
    order = np.argsort(task.train.x[:, 0])
    return task.train.x[order, 0].astype(float), task.train.y[order], task.test


def by_search(keys, labels, x):
    """Search for the label among the midpoints between keys."""
    xp = x.__array_namespace__()
    middles = xp.asarray((keys[1:] + keys[:-1]) / 2)
    return ops.gather(xp.searchsorted(middles, x[:, 0]), xp.asarray(labels))


def by_halving(keys, labels, x):
    """Halve what is left of the edges and of the labels, once for every bit."""
    xp, n = x.__array_namespace__(), len(keys)
    edges = xp.broadcast_to(xp.asarray(np.append((keys[1:] + keys[:-1]) / 2, np.inf)), (n, n))
    left = xp.broadcast_to(xp.asarray(labels), (n, n))
    while n > 1:
        half = n // 2
        above = (x[:, 0] > edges[:, half - 1])[:, None]
        edges, left = (xp.where(above, part[:, half:n], part[:, :half]) for part in (edges, left))
        n = half
    return left[:, 0]


@pytest.mark.parametrize(
    ("recall", "instance", "least"),
    [
        pytest.param(by_search, "n256-r4", 3 * 8, id="search-256"),
        pytest.param(by_search, "n4096-r4", 3 * 12, id="search-4096"),
        pytest.param(by_halving, "n256-r4", 2 * 255 + 8, id="halving-256"),
        pytest.param(by_halving, "n4096-r4", 2 * 4095 + 12, id="halving-4096"),
    ],
)
def test_memorizing_costs_what_it_must(recall, instance, least):
    """A search takes 3 operations a level, a label's look-up apart; halving moves every number of a half."""
    keys, labels, test = points(instance)
    with sb.metered() as ledger:
        found = recall(keys, labels, ledger.asarray(test.x.astype(float)))
        assert np.array_equal(ledger.value(found), test.y)
    assert ledger.ops >= least * len(keys)
