"""From comparisons to addresses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.refusals import each, told_by_all
from sparsebench import ops

FEW = np.array([[1.0, -2.0], [0.5, 4.0], [-1.0, 0.0]], dtype=np.float32)


@given(bits=st.lists(st.booleans(), min_size=1, max_size=62))
def test_pack_bits(bits):
    arrays = [np.array([bit]) for bit in bits]
    assert ops.pack_bits(*arrays)[0] == int("".join(str(int(bit)) for bit in bits), 2)


@pytest.mark.parametrize("bits", [(), (np.array([1]),), (np.array([True]),) * 63])
def test_pack_bits_refuses(bits):
    with pytest.raises(TypeError, match="pack_bits"):
        ops.pack_bits.on_numpy_steadily(*bits)


def test_quantize():
    x = np.array([-np.inf, -0.5, 0.0, 0.99, 1.0, 7.3, 1e300, np.inf, np.nan])
    assert ops.quantize(x, levels=5).tolist() == [0, 0, 0, 0, 1, 4, 4, 4, 0]
    assert ops.quantize(x, levels=5).dtype == np.int64
    assert ops.quantize(np.float32(3.7), levels=9) == 3


@pytest.mark.parametrize("levels", [0, -1, 2**53 + 1])
def test_quantize_refuses(levels):
    with pytest.raises(ValueError, match="levels"):
        ops.quantize(FEW, levels=levels)


WRONG = [
    (TypeError, ops.pack_bits, (FEW,), {}),
    (TypeError, ops.quantize, (FEW + 1j,), {"levels": 3}),
    (ValueError, ops.quantize, (FEW,), {"levels": 0}),
]


@each(WRONG)
def test_what_does_not_fit_is_told_in_one_line(error, primitive, arguments, keywords):
    told_by_all(error, primitive, arguments, keywords)
