"""Equal vectors are found."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from sparsebench.ops.cpu import twins


def test_twins_are_found_also_among_sums_that_are_equal_by_chance(monkeypatch):
    monkeypatch.setattr(np.random, "default_rng", lambda _: SimpleNamespace(standard_normal=np.zeros))
    vectors = np.array([[1.0, 2.0], [3.0, 4.0], [3.0, 4.0], [np.nan, 0.0], [np.nan, 0.0], [1.0, 2.0]])
    assert twins._first_equal(vectors).tolist() == [0, 1, 1, 3, 4, 0]
