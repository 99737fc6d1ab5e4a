"""What kernels do not take is checked by the reference, and run by it."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from cuda import shim
from cuda.backends import on_the_processor
from sparsebench import ops


class There:
    """An array that says that it lies on a GPU."""

    __cuda_array_interface__ = None

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return np.array(self.array, dtype=dtype, copy=copy)

    def __array_namespace__(self):
        return np

    def __getattr__(self, name):
        return getattr(self.array, name)


@on_the_processor
def test_what_is_left_to_the_reference_is_checked_by_it(monkeypatch):
    monkeypatch.setattr("sparsebench.ops.gpu.device.current_device", shim.ShimDevice)
    table, short = There(np.ones(3, np.float32)), There(np.ones((3, 2), ml_dtypes.bfloat16))
    for wrong in ([0, 3], [-1, 0]):
        with pytest.raises(IndexError, match=r"^gather: index has a value outside \[0, 3\)$"):
            ops.gather(There(np.array(wrong)), table)
    with pytest.raises(TypeError, match=r"^top_k_gate: expected x to be real numbers .*, got bfloat16$"):
        ops.top_k_gate(short, short, k=1)
