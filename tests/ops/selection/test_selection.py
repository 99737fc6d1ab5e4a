"""The largest of every row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.on_cpu import check
from ops.refusals import each, told_by_all
from sparsebench import ops

FEW = np.array([[1.0, -2.0], [0.5, 4.0], [-1.0, 0.0]], dtype=np.float32)


@given(
    values=st.lists(
        st.sampled_from([-2.0, -0.0, 0.0, 1.0, 3.0, np.inf, -np.inf, np.nan]), min_size=1, max_size=8
    ),
    data=st.data(),
)
def test_top_k_of_reals(values, data):
    k = data.draw(st.integers(1, len(values)))
    got, where = ops.top_k(np.array([values]), k)
    order = sorted(
        range(len(values)),
        key=lambda i: (np.isnan(values[i]), -values[i] if values[i] == values[i] else 0, i),
    )
    assert where[0].tolist() == order[:k]
    np.testing.assert_array_equal(got[0], np.array(values)[order[:k]])


@given(values=st.lists(st.integers(0, 255), min_size=1, max_size=8), data=st.data())
def test_top_k_of_unsigned_integers(values, data):
    k = data.draw(st.integers(1, len(values)))
    got, where = ops.top_k(np.array(values, dtype=np.uint8), k)
    order = sorted(range(len(values)), key=lambda i: (-values[i], i))
    assert where.tolist() == order[:k]
    assert got.tolist() == [values[i] for i in order[:k]]


def test_top_k_of_booleans():
    assert ops.top_k(np.array([False, True, False]), 2)[1].tolist() == [1, 0]


@pytest.mark.parametrize(("x", "k"), [(FEW, 0), (FEW, 3), (FEW[0, 0], 1)])
def test_top_k_refuses(x, k):
    with pytest.raises(ValueError, match="top_k"):
        ops.top_k(np.asarray(x), k)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, np.uint64, np.bool_])
@pytest.mark.parametrize("width", [1, 5, 40, 300])
def test_top_k_of_equal_numbers(dtype, width):
    rng = np.random.default_rng(10)
    for x in (rng.integers(0, 2, (60, width)), rng.integers(0, 9, (60, width)), np.zeros((5, 2, width))):
        for k in {1, 2, 7, width} & set(range(1, width + 1)):
            check("numpy", ops.top_k, (x.astype(dtype), k), {})


@pytest.mark.parametrize("k", [1, 2, 5, 64])
def test_top_k_with_nan_and_infinity(k):
    x = np.random.default_rng(11).standard_normal((500, 64))
    for value in (np.nan, np.inf, -np.inf):
        x[np.random.default_rng(12).random(x.shape) < np.linspace(0, 1.01, 500)[:, None]] = value
        check("numpy", ops.top_k, (x.astype(np.float32), k), {})


WRONG = [
    (TypeError, ops.top_k, (FEW + 1j, 2), {}),
    (ValueError, ops.top_k, (FEW, 5), {}),
    (ValueError, ops.top_k, (np.zeros(3),), {"k": 4}),
]


@each(WRONG)
def test_what_does_not_fit_is_told_in_one_line(error, primitive, arguments, keywords):
    told_by_all(error, primitive, arguments, keywords)
