"""Addresses in blocks."""

from __future__ import annotations

from sparsebench.ops.core.blocks import blocks


def test_blocks():
    assert list(blocks((5,), 2, 4)) == [(slice(0, 2),), (slice(2, 4),), (slice(4, 6),)]
    assert list(blocks((2, 3), 2, 4)) == [
        (slice(row, row + 1), slice(first, first + 2)) for row in (0, 1) for first in (0, 2)
    ]
    assert not list(blocks((0, 3), 2, 4))
    assert not list(blocks((3, 0), 2, 4))
