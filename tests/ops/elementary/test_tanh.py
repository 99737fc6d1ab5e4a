"""The hyperbolic tangent of a table: k_tanh."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from ops.refusals import each, told_by_all
from sparsebench import ops
from sparsebench.ops.core.tangents import K_TANH_TABLE


def every_bfloat16():
    """Every finite bfloat16 number, in order, as float64."""
    with np.errstate(invalid="ignore"):  # some are signalling NaNs
        numbers = np.arange(1 << 16, dtype=np.uint16).view(ml_dtypes.bfloat16).astype(np.float64)
    return np.sort(numbers[np.isfinite(numbers)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_k_tanh_on_every_bfloat16_number(dtype):
    x = every_bfloat16()
    got = ops.k_tanh(x.astype(dtype))
    assert got.dtype == dtype
    error = np.abs(got - np.tanh(x))
    assert 0.00892 <= error.max() < 0.00893
    assert abs(abs(x[error.argmax()]) - 0.6211) < 5e-5
    np.testing.assert_array_equal(got, got.astype(ml_dtypes.bfloat16).astype(dtype))  # the results are such
    np.testing.assert_array_equal(ops.k_tanh(-x.astype(dtype)), -got)


def test_k_tanh_looks_into_its_table():
    """The paper's scheme on the bits of bfloat16 numbers."""
    bits = np.arange(0x3E80, 0x4072, dtype=np.uint16)  # 1/4 to 15/4
    table = np.array(K_TANH_TABLE)
    exponent, shift, offset = table[(bits >> 4) & 31].T
    want = (exponent << 7) + (((bits & 127) >> shift) + offset)
    x = bits.view(ml_dtypes.bfloat16).astype(np.float32)
    assert (x[0], x[-1]) == (0.25, 3.765625)
    got = ops.k_tanh(x[:-1]).astype(ml_dtypes.bfloat16).view(np.uint16)
    np.testing.assert_array_equal(got, want[:-1])
    assert ops.k_tanh(x[-1:]) == 1.0


def test_k_tanh_truncates_and_takes_everything():
    x = np.array([0.6211, 0.62109375, 0.2499999, 3.76, np.inf, -np.inf, np.nan, -0.0, 3e38], np.float32)
    got = ops.k_tanh(x)
    assert got[0] == got[1]
    assert got[2] == x[2]
    assert got[3:6].tolist() == [1.0, 1.0, -1.0]
    assert np.isnan(got[6])
    assert np.signbit(got[7])
    assert got[8] == 1.0


ROWS, EXPERT, PAIRS = np.ones((2, 3)), np.array([0, 1]), np.array([[0, 1], [1, 1]])
WEIGHTS, BIASES = np.ones((2, 4, 3)), np.ones((2, 4))
WRONG = [
    (TypeError, ops.k_tanh, (EXPERT,), {}),
    (TypeError, ops.k_tanh, (ROWS * 1j,), {}),
]


@each(WRONG)
def test_what_does_not_fit_is_told_in_one_line(error, primitive, arguments, keywords):
    told_by_all(error, primitive, arguments, keywords)
