"""Inputs that are alike: held against looking at every pair."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sparsebench.tasks.authoring.nearness import TOLERANCE, contradictions, near_rows


def every_distance(a, b):
    """The maximum norm of every difference, ``(m, n)``."""
    a, b = (table.reshape(len(table), -1).astype(np.float64) for table in (a, b))
    return np.abs(a[:, None] - b[None]).max(axis=2)


@st.composite
def crowded_tables(draw):
    """Two tables whose rows lie in few places, some of them just inside the tolerance of another."""
    d = draw(st.integers(1, 6))
    places = st.sampled_from([0.0, -0.0, 0.5, -1.0, 1e-3, 30.0, 1e7])
    steps = st.integers(-6, 6).map(lambda k: k * 2.5e-7)
    tables = []
    for _ in range(2):
        shape = (draw(st.integers(1, 12)), d)
        place = draw(arrays(np.float64, (shape[0], 1), elements=places))
        tables.append((place + draw(arrays(np.float64, shape, elements=steps))).astype(np.float32))
    return tables


@settings(max_examples=300, deadline=None)
@given(crowded_tables(), st.sampled_from([0.0, 2.5e-7, TOLERANCE, 1e-3]))
def test_it_finds_what_looking_at_every_pair_finds(tables, tolerance):
    a, b = tables
    near = near_rows(a, b, tolerance)
    distances = every_distance(a, b)
    np.testing.assert_array_equal(near >= 0, distances.min(axis=1) <= tolerance)
    found = np.flatnonzero(near >= 0)
    assert (distances[found, near[found]] <= tolerance).all()


@pytest.mark.parametrize("shape", [(1,), (4,), (49, 16)])
@pytest.mark.parametrize(("distance", "found"), [(0.0, True), (5e-7, True), (2e-6, False)])
def test_one_row_among_many_is_found_in_any_dimension(shape, distance, found):
    rng = np.random.default_rng(len(shape))
    # On a grid of which only the planted row is no part, no two rows are near by accident.
    b = (rng.permutation(3000)[:, None] / 1500 - 1 + np.zeros(int(np.prod(shape)))).astype(np.float32)
    a = b[:1000] + np.float32(3e-4)
    # At 2^-7 a float32 is exact to 2^-31: the planted distance is the one that is meant.
    b[2000] = a[7] = 2.0**-7
    a[7, 0] += np.float32(distance)
    near = near_rows(a.reshape(-1, *shape), b.reshape(-1, *shape))
    assert near[7] == (2000 if found else -1)
    assert (np.delete(near, 7) == -1).all()


def test_memory_is_bounded_where_every_row_is_near_every_other():
    a, b = np.zeros((3000, 784), np.float32), np.full((3000, 784), 5e-7, np.float32)
    tracemalloc.start()
    near = near_rows(a, b)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (near >= 0).all()
    assert peak < 100e6  # all pairs at once would be 56 GB


def test_no_rows_are_near_none():
    assert near_rows(np.zeros((2, 3), np.float32), np.zeros((0, 3), np.float32)).tolist() == [-1, -1]
    assert near_rows(np.zeros((0, 3), np.float32), np.zeros((2, 3), np.float32)).shape == (0,)


@settings(max_examples=200, deadline=None)
@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 15), st.integers(1, 2), st.integers(1, 2)),
        elements=st.sampled_from([0.0, -0.0, 1.0, -2.5]),
    ),
    st.data(),
)
def test_equal_inputs_with_different_labels_are_found(x, data):
    y = data.draw(arrays(np.int64, len(x), elements=st.integers(0, 2)))
    pairs = contradictions(x, y)
    told = {}
    for row, label in zip(x + np.float32(0), y, strict=True):
        told.setdefault(row.tobytes(), set()).add(int(label))
    assert {(x[i] + np.float32(0)).tobytes() for i, _ in pairs} == {
        row for row, labels in told.items() if len(labels) > 1
    }
    for i, j in pairs:
        np.testing.assert_array_equal(x[i], x[j])
        assert y[i] != y[j]
