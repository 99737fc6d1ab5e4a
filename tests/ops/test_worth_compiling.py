"""Which calls are worth compiled code: decided without the compiler, which may not even be installed."""

import numpy as np
import pytest

from sparsebench.ops import jit
from sparsebench.ops.jit.thresholds import takes


def of(*dtypes):
    return [np.zeros(1, dtype) for dtype in dtypes]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_work_on_one_of_two_dtypes_is_worth_it(dtype):
    assert takes(jit.WORTH, *of(dtype, dtype))
    assert not takes(jit.WORTH - 1, *of(dtype, dtype))


@pytest.mark.parametrize("dtypes", [("float32", "float64"), ("float64", "float32"), ("float16", "float16")])
def test_what_the_code_is_not_for_is_left_to_the_next_backend(dtypes):
    assert not takes(jit.WORTH, *of(*dtypes))
