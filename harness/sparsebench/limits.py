"""What a cell may be asked for and allowed, at least and at most."""

from __future__ import annotations

__all__ = ["LARGEST_SEED", "LEAST", "LONGEST", "MOST"]

LARGEST_SEED = 10**9 - 1
"""Of a cell."""

LEAST = 64 << 20
"""Bytes of memory: Python itself needs as much."""

MOST = 1 << 46
"""Bytes of memory: no machine has more, and address spaces end there."""

LONGEST = 1_000_000.0
"""Seconds, which is eleven days: a system's clocks for waiting do not count much further."""
