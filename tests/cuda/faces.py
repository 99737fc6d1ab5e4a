"""What the tests of kernels share: exact numbers, references, and runs in all schedules."""

from __future__ import annotations

import numpy as np
import shim

from sparsebench.ops import backends

SCHEDULES = (0, 1, 2, 3)


def quarters(rng, shape, dtype=np.float32, limit=12):
    """Draw numbers in which products and sums are exact, so that answers must be equal, ties and all."""
    return (rng.integers(-limit, limit + 1, size=shape) / 4).astype(dtype)


def reference(primitive, *args, **kwargs):
    """Run a reference, and the steady faces of what it calls."""
    with backends.use("steady"), np.errstate(all="ignore"):
        return primitive.reference(*args, **kwargs)


def on_all_schedules(face, *args, **kwargs):
    """Run a face in all schedules; what it gives must be the same bits."""
    given = [face(shim.ShimDevice(schedule), *args, **kwargs) for schedule in SCHEDULES]
    for other in given[1:]:
        for first, second in zip(as_tuple(given[0]), as_tuple(other), strict=True):
            assert first.tobytes() == second.tobytes()
    return given[0]


def as_tuple(made):
    """Give results as a tuple, also where there is one."""
    return made if isinstance(made, tuple) else (made,)


def same(made, expected):
    """Compare integers."""
    assert made.dtype == np.int64
    assert made.shape == expected.shape
    np.testing.assert_array_equal(made, expected)
