"""What the tests of kernels share: references, and runs in all schedules."""

from __future__ import annotations

import numpy as np
import pytest

from cuda import shim
from sparsebench.ops import backends

SCHEDULES = (0, 1, 2, 3)


on_the_processor = pytest.mark.skipif(shim.MISSING is not None, reason=str(shim.MISSING))
"""Kernels run there by a compiler, which must be there."""


def reference(primitive, *args, **kwargs):
    """Run a reference, and the steady backends of what it calls."""
    with backends.use("steady"), np.errstate(all="ignore"):
        return primitive.reference(*args, **kwargs)


def on_gpu(primitive, device, *args, **kwargs):
    """Run a primitive's CUDA backend on a device."""
    return primitive.backends["cuda"](device, primitive.parser.parse_on_gpu(args, kwargs))


def on_all_schedules(primitive, *args, **kwargs):
    """Run a CUDA backend in all schedules; what it gives must be the same bits."""
    given = [on_gpu(primitive, shim.ShimDevice(schedule), *args, **kwargs) for schedule in SCHEDULES]
    for other in given[1:]:
        for first, second in zip(as_tuple(given[0]), as_tuple(other), strict=True):
            assert first.tobytes() == second.tobytes()
    return given[0]


def as_tuple(made):
    """Return results as a tuple, also where there is one."""
    return made if isinstance(made, tuple) else (made,)


def equal(made, expected):
    """Compare integers."""
    assert made.dtype == np.int64
    assert made.shape == expected.shape
    np.testing.assert_array_equal(made, expected)
