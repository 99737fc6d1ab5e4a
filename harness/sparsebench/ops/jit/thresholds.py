"""Which calls the compiled backends take."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebench.ops import jit

__all__ = ["takes"]

_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def takes(work: int, *arrays: Any) -> bool:
    """Return whether a call is worth compiled code and its real arrays have one dtype that the code is for.

    Parameters
    ----------
    work
        Scalar operations of the call.
    *arrays
        Its real arrays.
    """
    dtype = arrays[0].dtype
    return work >= jit.WORTH and dtype in _DTYPES and all(array.dtype == dtype for array in arrays)
